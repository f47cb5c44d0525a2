//! Reads every `.bicep` and `.bicepparam` file below the given folders, says which of them have
//! problems, and whether what was read is read the same after it was printed:
//! `cargo run --release -p seawall-bicep --example parse -- FOLDER…`
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
    let mut changed = 0;
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
        let parse = if path.extension().is_some_and(|ext| ext == "bicepparam") {
            syntax::parse_parameters
        } else {
            syntax::parse
        };
        let (program, problems) = parse(&bump, text, FileId(0));
        spent += start.elapsed();
        if problems.is_empty() {
            let printed = syntax::print(&program);
            let (again, _) = parse(&bump, &printed, FileId(0));
            if shape(&program) != shape(&again) {
                changed += 1;
                println!("{}: is read differently when printed", path.display());
            }
        }
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
         Invalid: {invalid_bad} with problems, {invalid_clean} clean; {changed} changed by printing",
        files.len(),
        spent.as_secs_f64() * 1000.0,
    );
}

/// A tree as text, without its places.
fn shape(program: &syntax::Program<'_>) -> String {
    let whole = format!("{:?}", program.statements);
    let mut out = String::with_capacity(whole.len() / 3);
    let mut rest = whole.as_str();
    while let Some((before, span)) = rest.split_once("Span {") {
        out.push_str(before);
        rest = span.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
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
