//! Reading and printing Bicep.

#[path = "syntax/forms.rs"]
mod forms;
#[path = "syntax/generate.rs"]
mod generate;
#[path = "syntax/recovery.rs"]
mod recovery;
#[path = "syntax/robust.rs"]
mod robust;

use bicep::source::{FileId, Source, Sources};
use bicep::syntax::{self, Program};
use bumpalo::Bump;

/// Reads a text that has no problems.
fn clean<'a>(bump: &'a Bump, text: &'a str) -> Program<'a> {
    let (program, problems) = syntax::parse(bump, text, FileId(0));
    assert!(problems.is_empty(), "{problems:#?}\nin\n{text}");
    program
}

/// The problems of a text, as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    let bump = Bump::new();
    let (_, problems) = syntax::parse(&bump, text, FileId(0));
    let mut sources = Sources::default();
    sources.add(Source {
        name: "",
        text,
        published: false,
    });
    problems
        .iter()
        .map(|problem| {
            let (line, column) = sources.line_column(problem.span);
            format!("{line}:{column} {}", problem.message)
        })
        .collect()
}

/// A tree as text, without its places.
fn shape(program: &Program<'_>) -> String {
    let whole = format!("{:#?}", program.statements);
    let mut out = String::with_capacity(whole.len());
    let mut rest = whole.as_str();
    while let Some((before, span)) = rest.split_once("Span {") {
        out.push_str(before);
        // A place has one pair of braces.
        rest = span.split_once('}').unwrap().1;
    }
    out.push_str(rest);
    out
}
