//! Terraform configurations and plans: read, evaluate, and see as Azure resources.

pub mod files;
pub mod output;
pub mod reading;

mod engine;
mod evaluate;
mod expand;
mod functions;
mod json;
mod load;
mod lower;
mod names;
mod syntax;
mod types;
mod value;
