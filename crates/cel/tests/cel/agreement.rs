//! Agreement with cel-go.
