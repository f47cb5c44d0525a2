//! Attacks: the search held against an evaluator of its own, the steps done on a running API server and held against
//! estates in which a way was planted.

#[path = "paths/admitted.rs"]
mod admitted;
#[path = "paths/azure.rs"]
mod azure;
#[path = "paths/brute.rs"]
mod brute;
#[path = "paths/performed.rs"]
mod performed;
#[path = "paths/planted.rs"]
mod planted;
