//! `seawall completions`: what a shell needs to complete commands, options and their values.

use std::io::{self, Write as _};

use clap_complete::Shell;

use crate::cli;

/// Prints what a shell needs to complete commands.
///
/// A script: source it where the shell starts, or put it where the shell looks for completions. It is made from the command
/// line of this very program: make it again after an upgrade.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(seawall completions bash)                      in ~/.bashrc
  seawall completions zsh > ~/.zfunc/_seawall             a folder of $fpath
  seawall completions fish > ~/.config/fish/completions/seawall.fish
  seawall completions powershell | Out-String | Invoke-Expression")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    // Written to memory first: clap_complete would panic where a pipe ends early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "seawall", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(0)
}
