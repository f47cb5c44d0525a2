//! `seawall generate`: what is wanted becomes templates, manifests and a pipeline.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ::generate::{Intent, Plan, Questions, files};
use ::guide::{Guide, setting};
use yaml::edit::{self, Editor, Operation, Step, Value};

use crate::choices;
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::generate::{Asked, Change, Charges, Folder, ask, basics};
use crate::output;
use report::decide::words;

/// Writes a secure set-up: Bicep or Terraform, manifests, a pipeline.
///
/// Admission policies are among them, and a README that says what was decided and why.
///
/// An intent says what runs, in which environments, and what was decided; what it leaves open is decided as the
/// guide would. The same intent makes the same files, and a changed answer changes only what it is about. Files that
/// somebody changed since are not overwritten.
///
/// Exit code: 0 done; 1 with `--check`, where something would change; 2 wrong use.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall generate --interactive                      asks, and writes intent.yaml
  seawall generate intent.yaml --out shop             writes the files
  seawall generate intent.yaml --out shop --check     whether they are as the intent says
  seawall assess shop                                 judges them")]
pub(crate) struct Args {
    /// The intent [default with --interactive: intent.yaml]
    #[arg(value_name = "INTENT", required_unless_present = "interactive")]
    intent: Option<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", required_unless_present = "interactive")]
    out: Option<PathBuf>,
    /// Ask the guide's questions and write the answers into the intent
    #[arg(long)]
    interactive: bool,
    /// Only say what would change
    #[arg(long, requires = "out")]
    check: bool,
    /// Overwrite what somebody changed since it was generated
    #[arg(long)]
    force: bool,
    /// A file of prices: an answer of the Azure Retail Prices API, or amounts of your own; repeatable
    #[arg(long, value_name = "FILE")]
    prices: Vec<PathBuf>,
    /// The day that counts [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    let questions = Questions::of(guide)?;
    let day = choices::day(args.as_of.as_deref())?;
    let file = args
        .intent
        .clone()
        .unwrap_or_else(|| PathBuf::from("intent.yaml"));
    let newest = newest(guide, &day.to_string());
    let made = Made {
        guide,
        questions: &questions,
        year: day.year(),
    };
    let intent = if args.interactive {
        match talk(args, &made, &file, &newest, &day.to_string())? {
            Some(intent) => intent,
            None => return Ok(0),
        }
    } else {
        read(&file, &newest)?
    };
    let Some(out) = &args.out else {
        let next = format!(
            "`seawall generate {} --out DIR` writes the files",
            file.display()
        );
        output::say("next", &next)?;
        return Ok(0);
    };
    let plan = made.plan(&file, intent)?;
    let files = files(&plan, guide).map_err(Failure::new)?;
    let folder = Folder::compare(out, &files).map_err(|error| {
        Failure::new(format!(
            "cannot read what stands in `{}`: {error}",
            out.display()
        ))
    })?;
    let charges = Charges::of(guide, &plan.intent, &args.prices, &day.to_string())?;
    if args.check {
        return checked(&folder, out);
    }
    let theirs: Vec<&str> = folder.of(Change::Theirs).collect();
    if !theirs.is_empty() && !args.force {
        return Err(Failure::new(format!(
            "nothing was written: {} in `{}` not as it was generated: {}",
            words::with_unit(&theirs.len().to_string(), "file is", "files are"),
            out.display(),
            short(&theirs)
        ))
        .help("move your changes elsewhere, or overwrite them: `--force`")
        .into());
    }
    folder
        .write()
        .map_err(|error| Failure::new(format!("cannot write to `{}`: {error}", out.display())))?;
    account(&plan, &folder, &charges, out)?;
    Ok(0)
}

/// The newest version that AKS supports on a day.
fn newest(guide: &Guide, day: &str) -> String {
    let supported = setting::aks_versions(guide, Some(day)).supported;
    let minors = supported
        .iter()
        .filter_map(|version| ::guide::parse_minor(version));
    let newest = minors.max().unwrap_or_else(|| setting::newest_minor(guide));
    format!("1.{newest}")
}

/// What plans are made with.
struct Made<'g> {
    guide: &'g Guide,
    questions: &'g Questions,
    year: i16,
}

impl Made<'_> {
    fn plan(&self, file: &Path, intent: Intent) -> anyhow::Result<Plan> {
        Plan::of(intent, self.guide, self.questions, self.year).map_err(|error| {
            let place = match &error.question {
                Some(question) => format!("`{}`, `{question}` below `decisions`: ", file.display()),
                None => format!("`{}`: ", file.display()),
            };
            Failure::new(format!("{place}{}", error.message))
                .help(format!(
                    "change it, leave it out, or ask again: `seawall generate {} --interactive`",
                    file.display()
                ))
                .into()
        })
    }
}

fn read(file: &Path, newest: &str) -> anyhow::Result<Intent> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("cannot read `{shown}`: {error}"))
            .help("`seawall generate --interactive` asks and writes one")
    })?;
    parse(file, &text, newest)
}

fn parse(file: &Path, text: &str, newest: &str) -> anyhow::Result<Intent> {
    Intent::parse(text, newest).map_err(|error| {
        Failure::new(format!(
            "{}:{}: {}",
            file.display(),
            error.line,
            error.message
        ))
        .help("docs/generate.md says what an intent holds")
        .into()
    })
}

/// Asks, and writes the intent; nothing where it was broken off.
fn talk(
    args: &Args,
    made: &Made<'_>,
    file: &Path,
    newest: &str,
    as_of: &str,
) -> anyhow::Result<Option<Intent>> {
    let stdin = io::stdin();
    let mut input = stdin.lock();
    let mut out = anstream::stdout().lock();
    let before = match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Failure::new(format!("cannot read `{}`: {error}", file.display())).into());
        }
    };
    let mut intent = match &before {
        Some(text) => parse(file, text, newest)?,
        None => basics(&mut input, &mut out, newest)?,
    };
    let charges = Charges::of(made.guide, &intent, &args.prices, as_of)?;
    let asked = Asked {
        guide: made.guide,
        questions: made.questions,
        charges: &charges,
        year: made.year,
    };
    if !ask(&asked, &mut intent, &mut input, &mut out)? {
        writeln!(out, "Nothing was written.")?;
        return Ok(None);
    }
    let text = match before {
        Some(before) => kept(&before, &intent)?,
        None => intent.text(made.questions),
    };
    std::fs::write(file, text)
        .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", file.display())))?;
    writeln!(out, "The answers stand in {}.", file.display())?;
    Ok(Some(intent))
}

/// The text of an intent with other decisions; everything else stays as somebody wrote it.
fn kept(text: &str, intent: &Intent) -> anyhow::Result<String> {
    let mut editor = Editor::new(text, edit::Options::default());
    let mut operations = Vec::new();
    for (question, options) in &intent.decisions {
        let value = match options.as_slice() {
            [one] => one.to_string(),
            several => format!("[{}]", several.join(", ")),
        };
        operations.push(Operation::Set {
            route: vec![Step::from("decisions"), Step::from(&**question)],
            value: Value::read(&value)?,
        });
    }
    editor.apply(0, &operations).map_err(|refusal| {
        Failure::new(format!(
            "the answers cannot be written into the intent: {refusal}"
        ))
    })?;
    let outcome = editor.finish();
    if let Some((_, refusal)) = outcome.refused.first() {
        return Err(Failure::new(format!(
            "the answers cannot be written into the intent: {refusal}"
        ))
        .into());
    }
    Ok(edit::apply(text, &outcome.edits))
}

fn checked(folder: &Folder<'_>, out: &Path) -> anyhow::Result<u8> {
    let mut same = true;
    let mut text = String::new();
    for (path, change) in &folder.changes {
        let word = match change {
            Change::Same => continue,
            Change::Made => "would be made",
            Change::Changed => "would change",
            Change::Gone => "would go",
            Change::Theirs => "was changed by hand",
        };
        same = false;
        text.push_str(&format!("{path}: {word}\n"));
    }
    if same {
        text = format!("{} is as the intent says.\n", out.display());
    }
    anstream::stdout().lock().write_all(text.as_bytes())?;
    Ok(u8::from(!same))
}

/// What was done, and what comes next.
fn account(
    plan: &Plan,
    folder: &Folder<'_>,
    charges: &Charges<'_>,
    out: &Path,
) -> anyhow::Result<()> {
    let mut parts = Vec::new();
    for (change, word) in [
        (Change::Made, "made"),
        (Change::Changed, "changed"),
        (Change::Theirs, "overwritten"),
        (Change::Gone, "removed"),
        (Change::Same, "as they were"),
    ] {
        let paths: Vec<&str> = folder.of(change).collect();
        if paths.is_empty() {
            continue;
        }
        let names = if matches!(change, Change::Changed | Change::Theirs | Change::Gone) {
            format!(": {}", short(&paths))
        } else {
            String::new()
        };
        parts.push(format!("{} {word}{names}", paths.len()));
    }
    let mut stdout = anstream::stdout().lock();
    let width = output::width();
    let mut say = |text: &str| -> io::Result<()> {
        for line in output::folded(text, width) {
            writeln!(stdout, "{line}")?;
        }
        Ok(())
    };
    say(&format!(
        "Files in {}: {}.",
        out.display(),
        parts.join("; ")
    ))?;
    let by = |who: &str| {
        plan.answers
            .iter()
            .filter(|answer| answer.by == who)
            .count()
    };
    say(&format!(
        "{} questions were decided by the intent, {} as the guide would; README.md there says what and why.",
        by("intent"),
        by("guide")
    ))?;
    let (cents, without) = charges.total(plan);
    if cents > 0 {
        let more = match without.len() {
            0 => String::new(),
            number => format!(
                ", and {} without a price",
                words::with_unit(&number.to_string(), "meter", "meters")
            ),
        };
        say(&format!(
            "The options chosen cost about {} EUR a month with the guide's assumed amounts{more}.",
            words::money(cents)
        ))?;
        if let Some(budget) = plan
            .intent
            .budget
            .filter(|budget| (budget * 100.0) < cents as f64)
        {
            output::say(
                "warning",
                &format!(
                    "that is more than the budget of {budget} EUR: `--interactive` shows what each option costs"
                ),
            )?;
        }
    }
    say(&format!("Next: `seawall assess {}`", out.display()))?;
    Ok(())
}

/// At most five names.
fn short(paths: &[&str]) -> String {
    let shown: Vec<&str> = paths.iter().copied().take(5).collect();
    match paths.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
