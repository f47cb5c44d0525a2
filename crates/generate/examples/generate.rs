//! Writes what an intent makes: `cargo run -p seawall-generate --example generate -- intent.yaml out [pairs]`. With
//! `pairs`, a folder for each set of decisions that covers all pairs of answers.

use std::path::Path;
use std::{env, fs};

use generate::{Intent, Plan, Questions, files, pairs};
use guide::Guide;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, out, more @ ..] = arguments.as_slice() else {
        return Err("usage: generate INTENT OUT [pairs]".into());
    };
    let (guide, problems) = Guide::builtin();
    if let Some(problem) = problems.first() {
        return Err(problem.to_string().into());
    }
    let questions = Questions::of(&guide)?;
    let intent = Intent::parse(&fs::read_to_string(file)?, "1.34")?;
    if more.is_empty() {
        return write(intent, &guide, &questions, Path::new(out));
    }
    for (number, decisions) in pairs(&guide, &questions).into_iter().enumerate() {
        let intent = Intent {
            decisions,
            ..intent.clone()
        };
        write(
            intent,
            &guide,
            &questions,
            &Path::new(out).join(format!("{number:03}")),
        )?;
    }
    Ok(())
}

fn write(intent: Intent, guide: &Guide, questions: &Questions, out: &Path) -> Result<(), Failure> {
    let plan = Plan::of(intent, guide, questions, 2026)?;
    for file in files(&plan, guide)? {
        let path = out.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, file.text)?;
    }
    Ok(())
}
