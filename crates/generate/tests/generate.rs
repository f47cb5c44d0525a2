//! What is generated is held against what Azure publishes.

#[path = "generate/bicep.rs"]
mod bicep_types;
#[path = "generate/types.rs"]
mod types;
