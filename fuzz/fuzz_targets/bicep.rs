//! Bicep and parameter files: any text is read to its end, every place is a place in it, and
//! what was read without a problem is read the same after it was printed.

#![no_main]

use bicep::source::{FileId, Span};
use bicep::syntax::{self, Program};
use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let bump = Bump::new();
    for parse in [syntax::parse, syntax::parse_parameters] {
        let (program, problems) = parse(&bump, text, FileId(0));
        for span in problems
            .iter()
            .map(|problem| problem.span)
            .chain(program.statements.iter().map(|statement| statement.span))
        {
            inside(text, span);
        }
        let printed = syntax::print(&program);
        if problems.is_empty() {
            let (again, problems) = parse(&bump, &printed, FileId(0));
            assert!(problems.is_empty(), "{problems:#?}\nin\n{printed}");
            assert_eq!(shape(&program), shape(&again), "{printed}");
        }
    }
});

fn inside(text: &str, span: Span) {
    let place = span.start as usize..span.end as usize;
    assert!(text.get(place).is_some(), "{span:?}");
}

/// A tree as text, without its places.
fn shape(program: &Program<'_>) -> String {
    let whole = format!("{:?}", program.statements);
    let mut out = String::new();
    let mut rest = whole.as_str();
    while let Some((before, span)) = rest.split_once("Span {") {
        out.push_str(before);
        rest = span.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}
