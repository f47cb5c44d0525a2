//! Evaluates templates, ARM or Bicep, and says how long it took: `expand FILE…`; `expand --list
//! FILE…` prints resources, `expand --problems FILE…` what went wrong. Published modules are looked
//! for in the folder `BICEP_CACHE`.
#![expect(clippy::print_stdout, reason = "a program for measuring")]

use std::time::Instant;

use bicep::deployment::Expansion;
use bicep::source::{Source, Sources};
use bicep::value::{Data, Value};

fn main() {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let flag = |files: &mut Vec<String>, name: &str| {
        let found = files.iter().position(|file| file == name);
        found.map(|at| files.remove(at)).is_some()
    };
    let list = flag(&mut files, "--list");
    let say = flag(&mut files, "--problems");
    let (mut bytes, mut resources, mut problems, mut open) = (0, 0, 0, 0);
    let start = Instant::now();
    let caches = std::env::var_os("BICEP_CACHE").map(std::path::PathBuf::from);
    let disk = bicep::disk::Disk::new(caches.into_iter().collect());
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        bytes += text.len();
        let bump = bumpalo::Bump::new();
        let mut sources = Sources::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let id = sources.add(Source {
            name: file,
            text,
            published: false,
        });
        let (root, mut wrong) = if file.ends_with(".bicep") {
            bicep::compile::compile(&bump, &mut sources, &disk, id)
        } else {
            let parsed = bicep::json::parse(&bump, text, id);
            (parsed.root, parsed.problems)
        };
        let root = bump.alloc(root);
        let expansion = bicep::expand(&bump, &mut sources, &disk, root, bicep::Options::default());
        wrong.extend(expansion.problems.iter().cloned());
        resources += expansion.resources.len();
        problems += wrong.len();
        open += expansion.open.len();
        if say {
            for problem in &wrong {
                let (line, column) = sources.line_column(problem.span);
                let name = sources
                    .get(problem.span.file)
                    .map_or("", |source| source.name);
                println!(
                    "{name}:{line}:{column}: {:?}: {}",
                    problem.kind, problem.message
                );
            }
        }
        if list {
            print(&expansion);
        }
    }
    let took = start.elapsed();
    println!(
        "{} files, {bytes} bytes, {resources} resources, {open} open parameters, {problems} problems, {took:?}",
        files.len()
    );
}

fn print(expansion: &Expansion<'_>) {
    for resource in &expansion.resources {
        let existing = if resource.existing {
            "existing"
        } else {
            "resource"
        };
        println!("{existing} {}", resource.id);
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
