//! The command line: every command is one file below `commands`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    assess, audit, can, decide, diff, explain, fix, generate, guide, images, lsp, maintenance,
    node, paths, policy, reach, serve, snapshot, template, who_can,
};
use crate::failure::Failure;
use crate::output;

/// Judges Kubernetes on Azure by a guide, and explains what it finds.
#[derive(Debug, Parser)]
#[command(
    name = "seawall",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Start with `seawall assess .` in a folder of manifests, Helm charts, Bicep or Terraform."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Assess(Box<assess::Args>),
    Audit(audit::Args),
    Can(Box<can::Args>),
    Decide(Box<decide::Args>),
    Diff(diff::Args),
    Explain(explain::Args),
    Fix(fix::Args),
    Generate(generate::Args),
    Guide(guide::Args),
    Images(Box<images::Args>),
    Lsp(lsp::Args),
    Maintenance(maintenance::Args),
    Node(Box<node::Args>),
    Paths(Box<paths::Args>),
    Policy(policy::Args),
    Reach(Box<reach::Args>),
    Serve(Box<serve::Args>),
    Snapshot(Box<snapshot::Args>),
    Template(template::Args),
    WhoCan(Box<who_can::Args>),
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Assess(args) => assess::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Can(args) => can::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Guide(args) => guide::run(&args),
        Command::Images(args) => images::run(*args),
        Command::Lsp(args) => lsp::run(args),
        Command::Maintenance(args) => maintenance::run(&args),
        Command::Node(args) => node::run(*args),
        Command::Paths(args) => paths::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Reach(args) => reach::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Template(args) => template::run(&args),
        Command::WhoCan(args) => who_can::run(*args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if error.chain().any(is_broken_pipe) {
                return ExitCode::SUCCESS;
            }
            let _ = output::say("error", &error.to_string());
            for cause in error.chain().skip(1) {
                let _ = output::say("  because", &cause.to_string());
            }
            if let Some(help) = error
                .downcast_ref::<Failure>()
                .and_then(|failure| failure.help.as_deref())
            {
                let _ = output::say("  help", help);
            }
            ExitCode::from(2)
        }
    }
}

/// Whoever read the output has gone (`| head`): no error of ours.
fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
