//! What a release consists of: an archive with the static program, its completions and manual pages, a bill of
//! materials, and checksums of both. The same program makes the same bytes.

mod bill;
mod packages;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::packages::Packages;
use crate::archive::{Archive, sha256};
use crate::elf;
use crate::places::{Places, entries};
use crate::run::{output, print, say};
use crate::shipped;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Released programs can do everything.
const FEATURES: [&str; 1] = ["history"];

/// Files of the repository that go with the program.
const BESIDE: [&str; 3] = ["CHANGELOG.md", "LICENSE", "README.md"];

/// Shells, and the name under which each looks for completions.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "seawall.bash"),
    ("elvish", "seawall.elv"),
    ("fish", "seawall.fish"),
    ("powershell", "seawall.ps1"),
    ("zsh", "_seawall"),
];

/// Files by their names.
type Files = Vec<(String, Vec<u8>)>;

/// `cargo xtask dist`.
pub(crate) fn make(places: &Places, arguments: &[String]) -> Result<()> {
    let (binary, out) = wishes(arguments)?;
    let binary = match binary {
        Some(binary) => binary,
        None => shipped::build(places, &FEATURES)?,
    };
    let out = out.unwrap_or_else(|| places.target().join("dist-files"));
    let program = read(&binary)?;
    let target = target(&program)?;
    let name = format!("seawall-{VERSION}-{target}");
    let mut files = beside(places)?;
    files.extend(made(&binary, &out)?);
    let bill = bill::of(
        &Packages::find(places, &FEATURES, &target)?,
        &program,
        &target,
    )?;
    let released = [
        (format!("{name}.cdx.json"), bill),
        (format!("{name}.tar.gz"), archive(&name, &program, files)?),
    ];
    let mut sums = String::new();
    for (file, bytes) in &released {
        write(&out.join(file), bytes)?;
        sums.push_str(&format!("{}  {file}\n", sha256(bytes)));
        say(&format!(
            "dist: {} with {:.1} MB",
            out.join(file).display(),
            bytes.len() as f64 / 1e6
        ));
    }
    write(&out.join("SHA256SUMS"), sums.as_bytes())?;
    say(&format!(
        "help: cd {} && sha256sum --check SHA256SUMS",
        out.display()
    ));
    print(&sums);
    Ok(())
}

/// The program and the folder that were named.
fn wishes(arguments: &[String]) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let (mut binary, mut out) = (None, None);
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().map(PathBuf::from).with_context(|| {
            format!("`{name}` needs a value, or is unknown\nhelp: cargo xtask --help")
        })?;
        match name.as_str() {
            "--binary" => binary = Some(value),
            "--out" => out = Some(value),
            _ => bail!("`dist` knows no `{name}`\nhelp: cargo xtask --help"),
        }
    }
    Ok((binary, out))
}

/// What Rust calls the machines that a static program is for.
fn target(program: &[u8]) -> Result<String> {
    let processor = match elf::architecture_of_static(program)? {
        "arm64" => "aarch64",
        _ => "x86_64",
    };
    Ok(format!("{processor}-unknown-linux-musl"))
}

fn beside(places: &Places) -> Result<Files> {
    BESIDE
        .iter()
        .map(|name| Ok(((*name).to_owned(), read(&places.root.join(name))?)))
        .collect()
}

/// What the program itself writes: completions and manual pages.
fn made(binary: &Path, out: &Path) -> Result<Files> {
    // Not on PATH, so never another one of the same name.
    let binary = fs::canonicalize(binary).with_context(|| format!("`{}`", binary.display()))?;
    let mut files = Vec::new();
    for (shell, name) in SHELLS {
        let script = output(Command::new(&binary).args(["completions", shell]))?;
        files.push((format!("completions/{name}"), script.into_bytes()));
    }
    let pages = out.join("man");
    fs::create_dir_all(&pages).with_context(|| format!("`{}`", pages.display()))?;
    // What it says of the folder would mislead: the pages are taken out of it.
    let written = Command::new(&binary)
        .args(["man", "--out"])
        .arg(&pages)
        .output()?;
    if !written.status.success() {
        let why = String::from_utf8_lossy(&written.stderr);
        bail!("`{} man` failed: {}", binary.display(), why.trim_end());
    }
    for page in entries(&pages)? {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        files.push((format!("man/{name}"), read(&page)?));
    }
    fs::remove_dir_all(&pages)?;
    Ok(files)
}

/// One folder with everything, in order.
fn archive(name: &str, program: &[u8], mut files: Files) -> Result<Vec<u8>> {
    files.sort();
    let mut archive = Archive::default();
    archive.folder(&format!("{name}/"), 0o755)?;
    archive.file(&format!("{name}/seawall"), 0o755, program)?;
    let mut folders: Vec<&str> = Vec::new();
    for (file, bytes) in &files {
        if let Some((folder, _)) = file.rsplit_once('/')
            && !folders.contains(&folder)
        {
            folders.push(folder);
            archive.folder(&format!("{name}/{folder}/"), 0o755)?;
        }
        archive.file(&format!("{name}/{file}"), 0o644, bytes)?;
    }
    Ok(archive.packed()?.0)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("`{}`", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("`{}`", path.display()))
}
