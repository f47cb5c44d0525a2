//! What is generated, against the programs that will read it.

#[path = "generate/accepted.rs"]
mod accepted;
#[path = "generate/bad.rs"]
mod bad;
#[path = "generate/cluster.rs"]
mod cluster;
#[path = "generate/made.rs"]
mod made;
