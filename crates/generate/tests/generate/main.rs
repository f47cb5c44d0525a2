//! What is generated, against the programs that will read it and what Azure publishes.

mod accepted;
mod bad;
mod bicep;
mod cluster;
mod made;
mod terraform;
mod types;
