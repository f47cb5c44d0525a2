//! Reads every `.bicep` and `.bicepparam` file below the given folders and says which of them
//! have problems: `cargo run --release -p seawall-bicep --example parse -- FOLDER…`
//!
//! A text whose name (or folder) starts with `Invalid` is expected to have some.

#![expect(clippy::print_stdout, reason = "prints what it measured")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bicep::source::{FileId, Source, Sources};
use bicep::syntax;
use bumpalo::Bump;

fn main() {
    let mut files = Vec::new();
    for folder in std::env::args_os().skip(1) {
        collect(Path::new(&folder), &mut files);
    }
    files.sort();
    let mut spent = Duration::ZERO;
    let (mut bytes, mut clean, mut valid_bad, mut invalid_bad, mut invalid_clean) = (0, 0, 0, 0, 0);
    for path in &files {
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("{}: not UTF-8", path.display());
            continue;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        bytes += text.len();
        let bump = Bump::new();
        let start = Instant::now();
        let (_, problems) = if path.extension().is_some_and(|ext| ext == "bicepparam") {
            syntax::parse_parameters(&bump, text, FileId(0))
        } else {
            syntax::parse(&bump, text, FileId(0))
        };
        spent += start.elapsed();
        let invalid = path
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("Invalid"));
        match (problems.first(), invalid) {
            (None, false) => clean += 1,
            (None, true) => {
                invalid_clean += 1;
                println!("{}: no problem", path.display());
            }
            (Some(_), true) => invalid_bad += 1,
            (Some(_), false) => valid_bad += 1,
        }
        if !invalid {
            let mut sources = Sources::default();
            sources.add(Source {
                name: "",
                text,
                published: false,
            });
            for problem in problems {
                let (line, column) = sources.line_column(problem.span);
                println!("{}:{line}:{column}: {}", path.display(), problem.message);
            }
        }
    }
    println!(
        "{} files, {bytes} bytes, {:.0} ms: {clean} clean, {valid_bad} with problems; \
         Invalid: {invalid_bad} with problems, {invalid_clean} clean",
        files.len(),
        spent.as_secs_f64() * 1000.0,
    );
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries {
            collect(&entry.path(), files);
        }
    } else if path
        .extension()
        .is_some_and(|ext| ext == "bicep" || ext == "bicepparam")
    {
        files.push(path.to_owned());
    }
}
