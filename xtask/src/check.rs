//! The tests and the checks, as they run in CI and on a desk.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::environment;
use crate::manifests;
use crate::places::Places;
use crate::run::{line, output, run, say};
use crate::setup::setup;
use crate::tidy::tidy;
use crate::types;

/// Sets up, then runs every test; with arguments, those that they select.
pub(crate) fn test(places: &Places, arguments: &[String]) -> Result<()> {
    setup(places)?;
    types::check(places)?;
    manifests::check(places)?;
    let variables = environment::variables(places)?;
    let mut tests = cargo(places);
    tests.args(["test", "--all-features", "--no-fail-fast"]);
    if !selects_package(arguments) {
        tests.arg("--workspace");
    }
    tests.args(arguments).envs(variables.clone());
    say(&line(&tests));
    run(&mut tests)?;
    if arguments.is_empty() {
        guide(places, variables)?;
    }
    Ok(())
}

fn selects_package(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

/// The guide's examples, each with one line at a time broken.
fn guide(places: &Places, variables: Vec<(&'static str, std::ffi::OsString)>) -> Result<()> {
    // The same selection as the tests, so that nothing is built twice.
    run(cargo(places).args([
        "build",
        "--quiet",
        "--workspace",
        "--all-features",
        "--bins",
        "--tests",
    ]))?;
    let seawall = places.target().join("debug/seawall");
    let help = Command::new(&seawall)
        .args(["guide", "test", "--help"])
        .stderr(Stdio::null())
        .output()?;
    if !String::from_utf8_lossy(&help.stdout).contains("--mutate") {
        say("guide: this `seawall` has no `guide test --mutate` yet");
        return Ok(());
    }
    let mut mutate = Command::new(&seawall);
    mutate
        .current_dir(&places.root)
        .args(["guide", "test", "--mutate"])
        .envs(variables);
    say("seawall guide test --mutate");
    run(&mut mutate)
}

/// Every check, the later ones also when an earlier one fails.
pub(crate) fn check(places: &Places) -> Result<()> {
    let mut failed = Vec::new();
    let mut note = |what: &'static str, result: Result<()>| {
        if let Err(error) = result {
            say(&format!("error: {error:#}"));
            failed.push(what);
        }
    };
    note(
        "format",
        show(cargo(places).args(["fmt", "--all", "--check", "--", "-l"])),
    );
    note("gofmt", gofmt(places));
    note("tidy", tidy(places));
    note(
        "clippy",
        show(cargo(places).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ])),
    );
    // Whoever builds from source takes the default features: a dependency of the others may lend what is missing.
    note(
        "default features",
        show(cargo(places).args(["check", "--package", "seawall", "--quiet"])),
    );
    note("packages", packages(places));
    note("licences", deny(places));
    if failed.is_empty() {
        say("check: all well");
        return Ok(());
    }
    bail!("these checks failed: {}", failed.join(", "))
}

fn show(command: &mut Command) -> Result<()> {
    say(&line(command));
    run(command)
}

fn gofmt(places: &Places) -> Result<()> {
    let mut command = Command::new("gofmt");
    command.current_dir(&places.root).args(["-l", "oracle"]);
    say(&line(&command));
    let files = output(&mut command)?;
    if !files.is_empty() {
        bail!(
            "not formatted: {}\nhelp: gofmt -w oracle",
            files.trim_end().replace('\n', ", ")
        );
    }
    Ok(())
}

/// That the guide's crate takes the guide along. That dependencies name versions, which packages need as well, is a
/// part of what `deny` looks at.
fn packages(places: &Places) -> Result<()> {
    say("cargo package --package seawall-guide --list");
    let files = output(cargo(places).args([
        "package",
        "--package",
        "seawall-guide",
        "--allow-dirty",
        "--list",
    ]))?;
    if !files.lines().any(|file| file == "guide/variables.cel") {
        bail!("the package of the guide lacks it\nhelp: git checkout crates/guide/guide");
    }
    Ok(())
}

/// Licences, sources and forbidden crates. Advisories need the network at every
/// run and belong to a scheduled job.
fn deny(places: &Places) -> Result<()> {
    let mut probe = cargo(places);
    let installed = probe
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !installed.success() {
        say("licences: not checked, cargo-deny is not installed");
        say("help: cargo install cargo-deny --locked");
        return Ok(());
    }
    let what = [
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ];
    show(cargo(places).arg("deny").args(what))
}

/// Cargo in the repository, with the set-up's programs on its path.
fn cargo(places: &Places) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&places.root);
    if let Ok(path) = places.path() {
        command.env("PATH", path);
    }
    command
}
