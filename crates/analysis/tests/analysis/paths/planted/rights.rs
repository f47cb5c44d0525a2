//! Ways over rights.
