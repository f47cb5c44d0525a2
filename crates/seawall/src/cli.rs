//! The command line: every command is one file below `commands`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    assess, audit, can, completions, decide, diff, explain, fix, generate, guide, images, lsp,
    maintenance, man, node, paths, policy, probe, reach, serve, snapshot, template, who_can,
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
    after_help = "Start with `seawall assess .` where your manifests, charts or templates are.\n`seawall COMMAND --help` says what each takes, with examples."
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
    Completions(completions::Args),
    Decide(Box<decide::Args>),
    Diff(diff::Args),
    Explain(explain::Args),
    Fix(fix::Args),
    Generate(generate::Args),
    Guide(guide::Args),
    Images(Box<images::Args>),
    Lsp(lsp::Args),
    Maintenance(maintenance::Args),
    Man(man::Args),
    Node(Box<node::Args>),
    Paths(Box<paths::Args>),
    Policy(policy::Args),
    Probe(probe::Args),
    Reach(Box<reach::Args>),
    Serve(Box<serve::Args>),
    Snapshot(Box<snapshot::Args>),
    Template(template::Args),
    WhoCan(Box<who_can::Args>),
}

/// Commands by what people come for; one that stands in none of these is listed at the end.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "See where you stand",
        &[
            "assess",
            "paths",
            "reach",
            "who-can",
            "can",
            "images",
            "node",
            "probe",
            "maintenance",
        ],
    ),
    ("Decide and mend", &["fix", "decide", "generate", "policy"]),
    ("Keep watch", &["serve", "audit", "snapshot", "diff"]),
    ("Read the guide", &["explain", "guide"]),
    ("More", &["template", "lsp", "completions", "man"]),
];

/// The command line, with its help.
pub(crate) fn command() -> clap::Command {
    let command = Cli::command();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{options}}{{after-help}}\n",
        grouped(&command)
    );
    command.help_template(template)
}

/// The commands and what each does, by [`GROUPS`].
fn grouped(command: &clap::Command) -> String {
    let mut left: Vec<&clap::Command> = command
        .get_subcommands()
        .filter(|own| !own.is_hide_set())
        .collect();
    let mut page = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(page, "{title}:");
        let mut list: Vec<&clap::Command> = Vec::new();
        for name in names {
            list.extend(left.extract_if(.., |own| own.get_name() == *name));
        }
        if title == "More" {
            list.append(&mut left);
        }
        for own in list {
            let about = own.get_about().map(ToString::to_string);
            let _ = writeln!(
                page,
                "  {:<13}{}",
                own.get_name(),
                about.unwrap_or_default()
            );
        }
        page.push('\n');
    }
    page
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Assess(args) => assess::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Can(args) => can::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Guide(args) => guide::run(&args),
        Command::Images(args) => images::run(*args),
        Command::Lsp(args) => lsp::run(args),
        Command::Maintenance(args) => maintenance::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Node(args) => node::run(*args),
        Command::Paths(args) => paths::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Probe(args) => probe::run(&args),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_a_group_and_fits_a_line() {
        command().debug_assert();
        let help = command().render_help().to_string();
        for own in Cli::command().get_subcommands() {
            let line = format!("\n  {:<13}{}", own.get_name(), own.get_about().unwrap());
            assert_eq!(help.matches(&line).count(), 1, "{line}");
        }
        let named: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        for name in named {
            assert!(Cli::command().find_subcommand(name).is_some(), "{name}");
        }
        let longest = help.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(80), "{help}");
    }
}
