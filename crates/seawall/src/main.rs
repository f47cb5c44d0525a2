//! seawall
fn main() {}
