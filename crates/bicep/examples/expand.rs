//! Evaluates templates and says how long it took: `expand FILE…`, `expand --list FILE…` prints
//! resources, `expand --problems FILE…` what went wrong.
#![expect(clippy::print_stdout, reason = "a program for measuring")]

use std::time::Instant;

use bicep::source::NoFiles;
use bicep::value::{Data, Value};

fn main() {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let flag = |files: &mut Vec<String>, name: &str| {
        let found = files.iter().position(|file| file == name);
        found.map(|at| files.remove(at)).is_some()
    };
    let list = flag(&mut files, "--list");
    let problems = flag(&mut files, "--problems");
    let (mut bytes, mut resources, mut wrong, mut open) = (0, 0, 0, 0);
    let start = Instant::now();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        bytes += text.len();
        bicep::expand_text(
            file,
            &text,
            &NoFiles,
            |_, _| bicep::Options::default(),
            |expansion, sources| {
                resources += expansion.resources.len();
                wrong += expansion.problems.len();
                open += expansion.open.len();
                if problems {
                    for problem in &expansion.problems {
                        let (line, column) = sources.line_column(problem.span);
                        println!(
                            "{file}:{line}:{column}: {:?}: {}",
                            problem.kind, problem.message
                        );
                    }
                }
                if list {
                    for resource in &expansion.resources {
                        println!(
                            "{} {}",
                            if resource.existing {
                                "existing"
                            } else {
                                "resource"
                            },
                            resource.id
                        );
                        if let Some(condition) = resource.condition {
                            println!("  if {}", show(&condition));
                        }
                        println!("  {}", show(&resource.body));
                    }
                    for (name, value) in &expansion.outputs {
                        println!("output {name} = {}", show(value));
                    }
                    for open in &expansion.open {
                        let compared: Vec<_> = open.compared.iter().map(show).collect();
                        println!("open {} compared {compared:?}", open.name);
                    }
                }
            },
        );
    }
    let took = start.elapsed();
    println!(
        "{} files, {bytes} bytes, {resources} resources, {open} open parameters, {wrong} problems, {took:?}",
        files.len()
    );
}

fn show(value: &Value<'_>) -> String {
    match value.data {
        Data::Unknown(unknown) => {
            let secret = if unknown.secret { "secret " } else { "" };
            format!("<{secret}{:?} {}>", unknown.shape, unknown.text)
        }
        Data::Array(items) => format!(
            "[{}]",
            items.iter().map(show).collect::<Vec<_>>().join(", ")
        ),
        Data::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{}: {}", field.key, show(&field.value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Data::Str(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
