//! What is generated, against the programs that will read it.

mod accepted;
mod bad;
mod cluster;
mod made;
