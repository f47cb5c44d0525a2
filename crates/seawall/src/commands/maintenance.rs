//! `seawall maintenance`: what grows old, and what to do about it.

mod calendar;
mod cleanup;
mod rotate;
mod upgrade;

use std::io::Write as _;
use std::path::PathBuf;

use ::guide::renewals::{self, Due};
use ::guide::{Guide, Setting, setting};
use clap::Subcommand;
use model::Estate;
use model::coverage::Coverage;
use report::config::Config;

use crate::choices;
use crate::commands::estate::{self, EstateArgs};
use crate::failure::Failure;
use crate::output;

/// Shows what ends and when, and how to renew it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Calendar(Box<calendar::Args>),
    Cleanup(Box<cleanup::Args>),
    Rotate(Box<rotate::Args>),
    Upgrade(Box<upgrade::Args>),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        Command::Calendar(args) => calendar::run(args),
        Command::Cleanup(args) => cleanup::run(args),
        Command::Rotate(args) => rotate::run(args),
        Command::Upgrade(args) => upgrade::run(args),
    }
}

/// What several of these commands are given.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    estate: EstateArgs,
    /// The day to look from [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

/// What was read, and by what it is judged.
struct Asked {
    estate: Estate,
    coverage: Coverage,
    setting: Setting,
    config: Config,
    /// ISO date
    day: String,
    /// What was read, as people call it.
    subject: Vec<String>,
}

impl Common {
    /// Reads the whole estate.
    fn read(&self, guide: &Guide) -> anyhow::Result<Asked> {
        let day = choices::day(self.as_of.as_deref())?.to_string();
        let mut opened = self.estate.open()?;
        let config = opened.configuration(self.config.as_deref(), &self.estate.paths, guide)?;
        let minor = choices::kubernetes(None, &config, guide, || opened.kubernetes_minor())?;
        let mut setting =
            setting::setting(guide, config.params.as_deref(), Some(minor)).map_err(Failure::new)?;
        setting.aks = setting::aks_versions(guide, Some(&day));
        setting.today = setting::midnight(&day);
        let whole = choices::whole(&self.estate, self.config.as_deref(), &config)?;
        let subject = subject(&self.estate);
        let (estate, coverage) =
            estate::read(&self.estate, opened, guide, minor, whole, &|_| true)?;
        Ok(Asked {
            estate,
            coverage,
            setting,
            config,
            day,
            subject,
        })
    }
}

/// What is read, as people call it.
fn subject(args: &EstateArgs) -> Vec<String> {
    let paths = args.paths.iter().chain(&args.snapshot).chain(&args.node);
    let mut subject: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    if args.cluster {
        subject.push("the cluster".to_owned());
    }
    if args.azure.azure {
        subject.push("Azure".to_owned());
    }
    subject
}

impl Asked {
    /// What ends or has to be renewed, with the analyses that it takes.
    fn due<'g>(&self, guide: &'g Guide) -> Vec<Due<'g>> {
        let analyses = ::guide::facts::analyses(guide, &self.setting, &self.estate);
        renewals::due(guide, &self.setting, &analyses)
    }

    /// Whether nothing was read that anything could be said of.
    fn is_empty(&self) -> bool {
        self.estate.resources().is_empty()
    }

    /// The exit code of an answer, when what could not be read has been said.
    fn end(&self, code: u8) -> anyhow::Result<u8> {
        const LINES: usize = 20;
        let unread = self.coverage.documents.iter();
        for entry in unread.filter(|entry| entry.status.incomplete()).take(LINES) {
            let reason = entry.reason.as_deref().unwrap_or("not read");
            output::say("warning", &format!("{}: {reason}", entry.path))?;
        }
        Ok(match code {
            0 if self.coverage.incomplete() => 4,
            code => code,
        })
    }

    /// Nothing was given that an answer could come from.
    fn nothing(&self) -> anyhow::Result<u8> {
        output::say(
            "error",
            "nothing to look at: no Kubernetes object or Azure resource in what was given",
        )?;
        output::say(
            "  help",
            "give manifests, templates, `--cluster` or `--azure`",
        )?;
        self.end(3)
    }
}

/// Writes a text where it is wanted.
fn write(text: &str, file: Option<&str>) -> anyhow::Result<()> {
    match file {
        Some(file) => std::fs::write(file, text)
            .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")).into()),
        None => Ok(anstream::stdout().lock().write_all(text.as_bytes())?),
    }
}
