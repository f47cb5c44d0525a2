//! Expressions whose values Terraform itself told (`expressions.tsv`, Terraform 1.11.4: the
//! value as JSON, `!` when it refuses). Where a `terraform` is found it is asked again.

use std::fmt::Write as _;
use std::process::Command;

use bicep::source::Sources;
use bicep::value::Data;
use bumpalo::Bump;

use crate::given::{Memory, read};

fn table() -> Vec<(&'static str, &'static str)> {
    include_str!("expressions.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect()
}

fn configuration(expressions: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (at, (expression, _)) in expressions.iter().enumerate() {
        writeln!(
            text,
            "output \"e{at}\" {{\n  value = nonsensitive(sensitive(jsonencode({expression})))\n}}"
        )
        .unwrap();
    }
    text
}

#[test]
fn values_are_those_of_terraform() {
    let table = table();
    assert!(table.len() > 340);
    let mut wrong = Vec::new();
    for (expression, expected) in &table {
        let arena = Bump::new();
        let mut sources = Sources::default();
        let text = configuration(&[(expression, expected)]);
        let reading = read(&arena, &mut sources, &Memory::of(&[("main.tf", &text)]));
        let found = match reading.outputs.first().map(|(_, value)| value.data) {
            Some(Data::Str(text)) => text.to_owned(),
            Some(Data::Unknown(_)) if !reading.problems.is_empty() => "!".to_owned(),
            Some(Data::Unknown(unknown)) => format!("unknown {}", unknown.text),
            other => format!("{other:?}"),
        };
        if found != *expected {
            wrong.push(format!(
                "{expression}\n  {expected}\n  {found} {:?}",
                reading.problems
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        table.len(),
        wrong.join("\n")
    );
}

/// The recorded values are true.
#[test]
fn terraform_says_so() {
    let folder = std::env::temp_dir().join(format!("seawall-terraform-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |args: &[&str]| {
        Command::new("terraform")
            .args(args)
            .current_dir(&folder)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
    };
    // Without the program there is nobody to ask: the recorded values still stand.
    if run(&["version"]).is_err() {
        std::fs::remove_dir_all(&folder).unwrap();
        return;
    }
    let table: Vec<_> = table()
        .into_iter()
        .filter(|(_, value)| *value != "!")
        .collect();
    std::fs::write(folder.join("main.tf"), configuration(&table)).unwrap();
    let applied = run(&["apply", "-auto-approve", "-no-color"]).unwrap();
    let said = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(applied.status.success(), "{said}");
    let printed = run(&["output", "-no-color"]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    for (at, (expression, expected)) in table.iter().enumerate() {
        let line = printed
            .lines()
            .find_map(|line| line.strip_prefix(&format!("e{at} = ")))
            .unwrap_or_default();
        // Printed as a string of the language: the two escapes that JSON texts need.
        let text = line
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or_default()
            .replace("\\\"", "\"")
            .replace("\\\\", "\\");
        let unescaped = |text: &str| text.replace("%%{", "%{").replace("$${", "${");
        assert_eq!(unescaped(&text), unescaped(expected), "{expression}");
    }
}
