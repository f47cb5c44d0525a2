//! What no other tool looks at: white space, module comments, file lengths, and
//! paths of the machine that something was written on. It only tells; it
//! changes nothing.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use crate::places::{Places, home};
use crate::run::{output, say};

/// The most lines of a Rust file; about 600 is the aim.
const LONGEST: usize = 800;

/// What a Rust file may not contain, and what to do instead. Split, so that
/// this file does not contain it.
const FORBIDDEN: [(&str, &str); 4] = [
    (concat!("to", "do!("), "write it, or leave it out"),
    (concat!("unimple", "mented!("), "write it, or leave it out"),
    (concat!("#[ig", "nore"), "a test that cannot run is deleted"),
    (concat!("#[al", "low("), "`#[expect(lint, reason = \"…\")]`"),
];

/// Looks at every file that git knows or would add.
pub(crate) fn tidy(places: &Places) -> Result<()> {
    let machine = machine_paths(places);
    let mut wrong = Vec::new();
    let files = files(places)?;
    for file in &files {
        // Gone from the folder but not yet from git, or not text.
        let Ok(bytes) = fs::read(places.root.join(&file.path)) else {
            continue;
        };
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        if text.contains('\0') {
            continue;
        }
        if file.white_space {
            white_space(&text, &mut |line, what| wrong.push(at(file, line, what)));
        }
        paths(&text, &machine, &mut |line, what| {
            wrong.push(at(file, line, what))
        });
        if file.path.ends_with(".rs") {
            rust(&text, &mut |line, what| wrong.push(at(file, line, what)));
        }
    }
    for line in &wrong {
        say(line);
    }
    if wrong.is_empty() {
        say(&format!("tidy: {} files are tidy", files.len()));
        return Ok(());
    }
    bail!("{} places are not tidy", wrong.len())
}

struct Listed {
    path: String,
    /// False where `.gitattributes` says `-whitespace`: fixtures about it.
    white_space: bool,
}

fn files(places: &Places) -> Result<Vec<Listed>> {
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(&places.root);
        git
    };
    let list = output(git().args(["ls-files", "-z", "-co", "--exclude-standard"]))?;
    let exempt = output(git().args([
        "ls-files",
        "-z",
        "-co",
        "--exclude-standard",
        ":(attr:-whitespace)",
    ]))?;
    let split =
        |text: &str| -> Vec<String> { text.split_terminator('\0').map(str::to_owned).collect() };
    let exempt = split(&exempt);
    let mut paths = split(&list);
    paths.sort();
    paths.dedup();
    Ok(paths
        .into_iter()
        .map(|path| Listed {
            white_space: !exempt.contains(&path),
            path,
        })
        .collect())
}

fn at(file: &Listed, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", file.path)
}

fn white_space(text: &str, wrong: &mut dyn FnMut(usize, &str)) {
    for (line, number) in text.split('\n').zip(1..) {
        if line.ends_with([' ', '\t', '\r']) {
            wrong(number, "white space at the end of the line");
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        wrong(text.lines().count(), "no newline at the end of the file");
    }
}

/// The repository's own path, and the user's: all of it, but for root only what
/// tools keep there, since manifests speak of root's folder too.
fn machine_paths(places: &Places) -> Vec<String> {
    let mut all = vec![places.root.display().to_string() + "/"];
    if let Ok(home) = home() {
        let home = home.display().to_string();
        if home == concat!("/ro", "ot") {
            all.extend(
                [".cache/", ".cargo/", ".rustup/", "go/"].map(|tool| format!("{home}/{tool}")),
            );
        } else {
            all.push(home + "/");
        }
    }
    all
}

fn paths(text: &str, machine: &[String], wrong: &mut dyn FnMut(usize, &str)) {
    for (line, number) in text.lines().zip(1..) {
        if machine.iter().any(|path| line.contains(path)) {
            wrong(number, "a path of this machine");
        }
    }
}

fn rust(text: &str, wrong: &mut dyn FnMut(usize, &str)) {
    if !text.starts_with("//!") {
        wrong(1, "does not open with `//!`: what it is for and leaves out");
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        wrong(
            lines,
            &format!("{lines} lines, the most is {LONGEST}: split by concept"),
        );
    }
    for (line, number) in text.lines().zip(1..) {
        for (what, instead) in FORBIDDEN {
            if line.contains(what) {
                wrong(number, &format!("`{what}`: {instead}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(check: impl FnOnce(&mut dyn FnMut(usize, &str))) -> Vec<String> {
        let mut all = Vec::new();
        check(&mut |line, what| all.push(format!("{line}: {what}")));
        all
    }

    #[test]
    fn white_space_is_found_where_it_is() {
        let found = said(|wrong| white_space("a\nb \nc\r\nd", wrong));
        assert_eq!(
            found,
            [
                "2: white space at the end of the line",
                "3: white space at the end of the line",
                "4: no newline at the end of the file",
            ]
        );
        assert_eq!(said(|wrong| white_space("", wrong)).len(), 0);
        assert_eq!(said(|wrong| white_space("a\n", wrong)).len(), 0);
    }

    #[test]
    fn a_rust_file_opens_with_its_purpose_and_is_finished() {
        let text = format!("fn a() {{\n    {})\n}}\n", FORBIDDEN[0].0);
        let found = said(|wrong| rust(&text, wrong));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("1: does not open"));
        assert!(found[1].starts_with("2: "));
        let long = "//! Long.\n".repeat(LONGEST + 1);
        assert_eq!(said(|wrong| rust(&long, wrong)).len(), 1);
    }

    #[test]
    fn a_path_of_the_machine_is_found() {
        let machine = ["/there/".to_owned()];
        let found = said(|wrong| paths("a\nsee /there/b\n", &machine, wrong));
        assert_eq!(found, ["2: a path of this machine"]);
    }
}
