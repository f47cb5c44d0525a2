//! `seawall man`: the help of every command as manual pages.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli;
use crate::failure::Failure;
use crate::output;

/// Writes manual pages: one for seawall, one for each command.
///
/// With `--out` all of them as files for `man`; without, the page of one command on standard output.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall man | man -l -                          the page of seawall
  seawall man audit detect | man -l -             the page of a command
  seawall man --out ~/.local/share/man/man1       all; then `man seawall-assess`")]
pub(crate) struct Args {
    /// The command whose page is printed [default: seawall itself]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,
    /// Folder to write all pages to; made when it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    // `seawall help …` is another way to ask for what is in the pages anyway.
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    match &args.out {
        Some(folder) => {
            let count = write_all(&command, folder)?;
            let first = folder.join("seawall.1");
            output::say("wrote", &format!("{count} pages to `{}`", folder.display()))?;
            output::say("  help", &format!("`man {}`", first.display()))?;
        }
        None => io::stdout()
            .lock()
            .write_all(&page(named(&command, &args.command)?)?)?,
    }
    Ok(0)
}

/// The command of these words.
fn named<'c>(top: &'c Command, words: &[String]) -> anyhow::Result<&'c Command> {
    words.iter().try_fold(top, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let given = command.get_bin_name().unwrap_or("seawall");
            Failure::new(format!("`{given}` has no command `{word}`"))
                .help(format!("`{given} --help` lists them"))
                .into()
        })
    })
}

/// The page of a command and of each below it; how many these are.
fn write_all(command: &Command, folder: &Path) -> anyhow::Result<usize> {
    let cannot = |what: &Path| format!("cannot write `{}`", what.display());
    fs::create_dir_all(folder).with_context(|| cannot(folder))?;
    let file = folder.join(Man::new(command.clone()).get_filename());
    fs::write(&file, page(command)?).with_context(|| cannot(&file))?;
    command
        .get_subcommands()
        .try_fold(1, |count, below| Ok(count + write_all(below, folder)?))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let name = man.get_filename().to_uppercase();
    let name = name.trim_end_matches(".1");
    // No date, so that the same program writes the same bytes. `render_title` would drop an empty one, and what
    // follows would move up.
    let mut page = format!(
        ".TH \"{name}\" 1 \"\" \"seawall {}\" \"Manual of seawall\"\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(after) = command.get_after_help() {
        after_help(&after.to_string()).to_writer(&mut page)?;
    }
    Ok(page)
}

/// What stands below the options, line by line: a page of `man` would fill it. `Examples:` begins a section.
fn after_help(text: &str) -> Roff {
    let mut roff = Roff::new();
    let mut rest = text.lines().peekable();
    let title = match rest.next_if(|line| line.ends_with(':') && !line.starts_with(' ')) {
        Some(line) => line.trim_end_matches(':').to_uppercase(),
        None => "NOTES".to_owned(),
    };
    roff.control("SH", [title.as_str()]);
    roff.control("nf", []);
    for line in rest {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff
}
