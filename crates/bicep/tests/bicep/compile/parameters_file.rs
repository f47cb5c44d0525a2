//! Parameters files.
