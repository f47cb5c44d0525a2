//! Running other programs, and telling the reader what runs.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// A line for the reader, beside the output of what runs.
#[expect(clippy::print_stderr, reason = "this is where chores speak")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// What the chore was asked to print.
#[expect(clippy::print_stdout, reason = "this is where chores answer")]
pub(crate) fn print(text: &str) {
    print!("{text}");
}

/// Runs a program whose output the reader sees.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("`{name}` does not start"))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs a program and returns what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{name}` does not start"))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The command as a reader would type it.
pub(crate) fn line(command: &Command) -> String {
    [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Says what is being done, does it, says how long it took.
pub(crate) fn step(what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    say(&format!("setup: {what} …"));
    let begin = Instant::now();
    work().with_context(|| what.to_owned())?;
    say(&format!(
        "setup: {what}: {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// The first of these programs that is on `PATH`.
pub(crate) fn which(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    })
}
