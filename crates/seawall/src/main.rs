//! seawall: the guide "Guidelines for Securing Kubernetes on Azure" made executable.
//!
//! What stands here: the command line, configuration and exit codes. What it deliberately
//! leaves out: anything that judges, reads or prints findings; the crates below do that.

mod choices;
mod cli;
mod commands;
mod failure;
mod fix;
mod generate;
mod lsp;
mod output;
mod progress;

use std::process::ExitCode;

/// Many small, long-lived documents between short-lived ones fragment glibc's heap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
