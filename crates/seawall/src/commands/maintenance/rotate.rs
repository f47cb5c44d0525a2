//! `seawall maintenance rotate`: steps by which keys, certificates and credentials are renewed.

use std::fmt::Write as _;

use ::guide::renewals::{Due, Ends, day};
use serde_json::{Value, json};

use super::{Asked, Common, write};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

/// Writes the steps by which keys, certificates, tokens and credentials are renewed, for what was given.
///
/// Nothing is carried out. Values are never part of a command: where a new one is needed, a file or a variable of
/// the shell is named. What ends first stands first.
///
/// Exit code: 0 answered; 2 wrong use; 3 nothing to look at; 4 something given could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall maintenance rotate .                               everything that can be renewed
  seawall maintenance rotate . --kind vault-secret           one kind
  seawall maintenance rotate . --within 60                   what ends within 60 days, or has ended
  seawall maintenance rotate --cluster --azure --format markdown=rotation.md")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Only what ends within so many days, or has ended
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// Only this kind of thing; repeatable
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only what has this in its name or address; repeatable
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// text, json, markdown; `F=FILE` writes to a file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let wanted = output::parse_of(&args.format, &["text", "json", "markdown"])?;
    let guide = load_guide(args.common.guide.as_deref())?;
    let known: Vec<&str> = guide.renewals.iter().map(|own| &*own.id).collect();
    if let Some(kind) = args
        .kind
        .iter()
        .find(|kind| !known.contains(&kind.as_str()))
    {
        return Err(Failure::new(format!("there is no kind `{kind}`"))
            .help(format!("there are {}", known.join(", ")))
            .into());
    }
    let asked = args.common.read(guide)?;
    if asked.is_empty() {
        return asked.nothing();
    }
    let mut due = asked.due(guide);
    due.retain(|one| is_wanted(args, &asked, one));
    due.sort_by(|a, b| {
        let key = |one: &Due<'_>| (one.ends.clone(), one.says.clone(), one.resource.clone());
        key(a).cmp(&key(b))
    });
    for one in &wanted {
        let width = if one.file.is_some() {
            80
        } else {
            output::width()
        };
        let text = match one.format.as_str() {
            "json" => format!("{:#}\n", in_json(&due, &asked)),
            "markdown" => markdown(&due, &asked),
            _ => text(&due, &asked, width),
        };
        write(&text, one.file.as_deref())?;
    }
    asked.end(0)
}

fn is_wanted(args: &Args, asked: &Asked, one: &Due<'_>) -> bool {
    let today = asked.setting.today.map_or(0, |today| today.seconds);
    let near = |within: u32| match one.ends {
        Ends::At(seconds) => seconds <= today + i64::from(within) * 86_400,
        Ends::Never | Ends::Unknown(_) => false,
    };
    let named = |text: &String| {
        one.says.contains(text) || one.resource.contains(text) || one.place.path.contains(&**text)
    };
    !one.steps.is_empty()
        && args.within.is_none_or(near)
        && (args.kind.is_empty() || args.kind.iter().any(|kind| **kind == *one.renewal.id))
        && (args.only.is_empty() || args.only.iter().any(named))
}

/// When it ends, in words.
fn when(one: &Due<'_>) -> String {
    let own = if one.itself { "; renews itself" } else { "" };
    match &one.ends {
        Ends::At(seconds) => format!("{}{own}", day(*seconds)),
        Ends::Never => "never ends by itself".to_owned(),
        Ends::Unknown(reason) => format!("nobody knows when: {reason}"),
    }
}

fn place(one: &Due<'_>) -> String {
    if one.place.live {
        one.place.path.to_string()
    } else {
        format!("{}:{}", one.place.path, one.place.line)
    }
}

fn text(due: &[Due<'_>], asked: &Asked, width: usize) -> String {
    let mut page = format!(
        "Steps to renew what is in {}, as of {}\n",
        report::clean(&asked.subject.join(", ")),
        asked.day
    );
    for one in due {
        page.push('\n');
        let title = format!("{} ({})", report::clean(&one.says), when(one));
        for line in output::folded(&title, width) {
            let _ = writeln!(page, "{line}");
        }
        let _ = writeln!(page, "  {}", report::clean(&place(one)));
        for (at, step) in one.steps.iter().enumerate() {
            let lines = output::folded(&report::clean(&step.text), width.saturating_sub(5));
            for (index, line) in lines.iter().enumerate() {
                let before = if index == 0 {
                    format!("{:>3}. ", at + 1)
                } else {
                    " ".repeat(5)
                };
                let _ = writeln!(page, "{before}{line}");
            }
            // A command stays in one line: it is copied.
            for command in &step.commands {
                let _ = writeln!(page, "       {}", report::clean(command));
            }
        }
    }
    let _ = match due.len() {
        0 => writeln!(
            page,
            "\nNothing here can be renewed by steps that the guide knows."
        ),
        many => writeln!(
            page,
            "\n{} to renew. Rehearse a rotation once, before it is urgent.",
            report::count(many, "thing")
        ),
    };
    page
}

fn markdown(due: &[Due<'_>], asked: &Asked) -> String {
    let mut page = format!(
        "# Rotation\n\nWhat is in {}, as of {}.\n",
        report::clean(&asked.subject.join(", ")),
        asked.day
    );
    for one in due {
        let _ = writeln!(
            page,
            "\n## {}\n\n{}. {}: `{}`\n",
            report::clean(&one.says),
            when(one),
            report::clean(&one.resource),
            report::clean(&place(one))
        );
        for (at, step) in one.steps.iter().enumerate() {
            let _ = writeln!(page, "{}. {}", at + 1, report::clean(&step.text));
            if !step.commands.is_empty() {
                let _ = writeln!(page, "   ```sh");
                for command in &step.commands {
                    let _ = writeln!(page, "   {}", report::clean(command));
                }
                let _ = writeln!(page, "   ```");
            }
        }
    }
    page
}

fn in_json(due: &[Due<'_>], asked: &Asked) -> Value {
    let things: Vec<Value> = due
        .iter()
        .map(|one| {
            let ends = match one.ends {
                Ends::At(seconds) => Some(day(seconds)),
                Ends::Never | Ends::Unknown(_) => None,
            };
            let steps: Vec<Value> = one
                .steps
                .iter()
                .map(|step| json!({"text": step.text, "commands": step.commands}))
                .collect();
            json!({
                "kind": one.renewal.id,
                "says": one.says,
                "ends": ends,
                "renewsItself": one.itself,
                "resource": one.resource,
                "place": place(one),
                "steps": steps,
            })
        })
        .collect();
    json!({
        "schema": "seawall.rotation/v1",
        "tool": {"name": "seawall", "version": env!("CARGO_PKG_VERSION")},
        "asOf": asked.day,
        "subject": asked.subject,
        "things": things,
    })
}
