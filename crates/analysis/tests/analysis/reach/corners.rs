//! Corners of the API, one at a time.
