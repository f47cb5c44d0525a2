//! The specification's conformance tests.
