//! `seawall fix`: findings end in edits of the files.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use ::guide::Guide;
use ::guide::answers::Given;
use model::Safety;
use model::coverage::{DocumentEntry, Status};
use model::remedy::Wanted;
use sources::Overlay;

use crate::choices;
use crate::commands::estate::EstateArgs;
use crate::commands::judged::{Answer, Question};
use crate::commands::load_guide;
use crate::commands::registries::RegistryArgs;
use crate::failure::Failure;
use crate::fix::{self, Cure, Hidden, Proved, Shown};
use crate::output;

/// Shows what would cure findings as a diff, or writes it.
///
/// Each fix is proved before it is shown: seawall assesses the files as they would be; the finding must be gone, and
/// no other verdict may be worse. Everything else in a file stays byte for byte: comments, order, quotes. What
/// cannot be fixed here is listed with the reason. Accepted findings (waivers) are left alone.
///
/// Some fixes need what only you know, as an address range or a group: they say which answer, and how to give it
/// (`--answer`, or `answers` in seawall.yaml).
///
/// A fix is safe when it cannot break a workload that works; all others are written only with `--unsafe`.
///
/// Exit code: 0 done, or nothing to do; 1 there are fixes that were not written (so that a pipeline can ask); 2
/// wrong use; 3 nothing to read; 4 something given could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall fix deploy                                 what would be written
  seawall fix deploy --write                         write what is safe
  seawall fix deploy --guideline pss-seccomp --write --unsafe
  seawall fix deploy --answer ranges=203.0.113.0/24    with what only you know
  seawall fix deploy --interactive                   asked for each")]
pub(crate) struct Args {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Values for Helm charts; repeatable
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Write the safe fixes into the files
    #[arg(long)]
    write: bool,
    /// Also those that may break a workload
    #[arg(long = "unsafe")]
    risky: bool,
    /// Ask for each fix, and write those that are taken
    #[arg(long, conflicts_with = "write")]
    interactive: bool,
    /// Parameter files for templates (JSON, .tfvars) instead of those beside them;
    /// repeatable, a later one counts more
    #[arg(long, value_name = "FILE")]
    parameters: Vec<PathBuf>,
    /// Folder with published Bicep modules, laid out as in ~/.bicep/br or PATH/VERSION/main.json;
    /// repeatable
    #[arg(long, value_name = "DIR")]
    module_cache: Vec<PathBuf>,
    #[command(flatten)]
    registries: RegistryArgs,
    /// An answer to what a fix asks: NAME=VALUE, or NAME[ABOUT]=VALUE; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    answer: Vec<String>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Only guidelines that map to this framework; repeatable
    #[arg(long, value_name = "ID")]
    framework: Vec<String>,
    /// The given files are the whole estate: what is absent does not exist
    #[arg(long)]
    whole: bool,
    /// Audit logs of the cluster (files, folders): roles are narrowed to what was used; repeatable
    #[arg(long, value_name = "SOURCE")]
    audit: Vec<PathBuf>,
    /// Kubernetes version to judge against [default: the newest known]
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    /// text, json; `F=FILE` writes to a file
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
    /// The day to judge as of [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

const FORMATS: [&str; 2] = ["text", "json"];

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let is_missing = |path: &&PathBuf| !path.exists() && path.as_os_str() != "-";
    if let Some(path) = args.paths.iter().find(is_missing) {
        return Err(Failure::new(format!("`{}` does not exist", path.display()))
            .help("give files or folders that exist")
            .into());
    }
    let guide = load_guide(args.guide.as_deref())?;
    let formats = output::parse_of(&args.format, &FORMATS)?;
    choices::guidelines_exist(&args.guideline, guide)?;
    let config = crate::commands::assess::read_config(args.config.as_deref(), &args.paths, guide)?;
    let frameworks = if args.framework.is_empty() {
        Vec::new()
    } else {
        choices::frameworks(&args.framework, &config, guide)?
    };
    let as_of = choices::day(args.as_of.as_deref())?.to_string();
    let mut estate = EstateArgs {
        paths: args.paths.clone(),
        values: args.values.clone(),
        parameters: args.parameters.clone(),
        module_cache: args.module_cache.clone(),
        whole: args.whole,
        renderings: sources::Renderings::kept(),
        registries: args.registries.clone(),
        ..EstateArgs::default()
    };
    // Also where a fix is tried in its file alone.
    estate.whole = choices::whole(&estate, args.config.as_deref(), &config)?;
    crate::commands::audit::used::learn(
        &args.audit,
        &estate,
        args.config.as_deref(),
        args.kubernetes.as_deref(),
        guide,
    )?;
    let mut given = answers(args, guide)?;
    // What registries say of an image no edit changes, and with a digest it has another name.
    let images = model::kinds::Kind::Kubernetes {
        group: "seawall.dev".into(),
        kind: "Image".into(),
    };
    // Every other guideline is asked, also when some are to be fixed only: no other verdict may become worse.
    let base = Question {
        guide,
        estate: &estate,
        config: args.config.as_deref(),
        kubernetes: args.kubernetes.as_deref(),
        as_of: &as_of,
        selects: &|guideline| !guideline.is_about(&images, false),
        overlay: Overlay::default(),
        new_files: Overlay::default(),
        remedies: None,
    };
    let wanted: BTreeSet<&str> = guide
        .guidelines
        .iter()
        .filter(|guideline| {
            (args.guideline.is_empty() || args.guideline.iter().any(|id| **id == *guideline.id.0))
                && (frameworks.is_empty()
                    || frameworks
                        .iter()
                        .any(|framework| guideline.controls(framework).next().is_some()))
        })
        .map(|guideline| &*guideline.id.0)
        .collect();
    let mut asked = Vec::new();
    let Start {
        before,
        mut was,
        sorted,
    } = loop {
        let start = start(&with(&base, &given), &wanted)?;
        if start.before.resources == 0 && start.before.unread().next().is_none() {
            return nothing(args);
        }
        // With an answer all begins anew: what is cured by it may be the answer to something else.
        if !args.interactive || !ask_first(guide, &start.sorted, &mut given, &mut asked)? {
            break start;
        }
    };
    let question = with(&base, &given);
    let fix::Sorted {
        cures,
        rendered,
        mut left,
        waiting,
    } = sorted;
    let tools = estate.options(guide, before.setting.kubernetes_minor).tools;
    let hidden = Hidden::of(&before.estate);
    let unread: Vec<DocumentEntry> = before.unread().cloned().collect();
    was.unread(unread.iter());
    // What the texts would be is read and judged beside it: two estates are too many.
    drop(before);
    let fix::Found {
        mut cures,
        mut proved,
        left: of_rendered,
        held_back,
    } = fix::Rendered {
        tools: &tools,
        given: &args.paths,
    }
    .proved(
        &fix::Asked {
            question: &question,
            was: &was,
            keeps: &|cure| !args.write || args.risky || cure.safety == Safety::Safe,
        },
        cures,
        &rendered,
    )?;
    left.extend(of_rendered);
    if args.interactive {
        cures = ask(&question, &hidden, cures, &proved)?;
        proved = fix::prove(&question, &was, &cures)?;
        left.extend(proved.apart(&mut cures));
    }
    let writes = args.write || args.interactive;
    if writes {
        proved.texts.write().map_err(|(path, error)| {
            Failure::new(format!("cannot write `{path}`: {error}"))
                .help("files before it in the order of their names are written; run it again once this one can be")
        })?;
    }
    let shown = Shown {
        guide,
        hidden: &hidden,
        cures: &cures,
        proved: &proved,
        left: &left,
        waiting: &waiting,
        written: writes,
        held_back,
    };
    for wanted in &formats {
        let text = match wanted.format.as_str() {
            "json" => fix::json(&shown)?,
            _ => fix::text(&shown, output::terminal(wanted.file.is_some())),
        };
        match &wanted.file {
            Some(file) => std::fs::write(file, text)
                .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?,
            None => anstream::stdout().lock().write_all(text.as_bytes())?,
        }
    }
    tell_unread(&unread)?;
    Ok(if unread.is_empty() {
        u8::from(!writes && !proved.held.is_empty())
    } else {
        4
    })
}

/// What was said before anything is fixed.
struct Start {
    before: Answer,
    was: fix::Said,
    sorted: fix::Sorted,
}

fn start(question: &Question<'_>, wanted: &BTreeSet<&str>) -> anyhow::Result<Start> {
    let mut sorting = fix::Sorting::default();
    let mut was = fix::Said::default();
    let before = question.ask(|finding| {
        was.add(&finding);
        if wanted.contains(&*finding.guideline.0) {
            sorting.add(&finding);
        }
    })?;
    Ok(Start {
        before,
        was,
        sorted: sorting.end(),
    })
}

/// A question whose fixes know answers.
fn with<'a>(base: &Question<'a>, given: &'a Given) -> Question<'a> {
    Question {
        overlay: Overlay::default(),
        new_files: Overlay::default(),
        remedies: Some(given),
        ..*base
    }
}

/// The answers on the command line.
fn answers(args: &Args, guide: &Guide) -> anyhow::Result<Given> {
    let mut given = Given::default();
    for answer in &args.answer {
        given.type_in(guide, answer).map_err(|why| {
            Failure::new(why).help(
                "`seawall fix PATH` says which answers its fixes wait for, and how they are given",
            )
        })?;
    }
    Ok(given)
}

/// Asks for the answers that fixes wait for, before anything is shown.
fn ask_first(
    guide: &Guide,
    sorted: &fix::Sorted,
    given: &mut Given,
    asked: &mut Vec<Wanted>,
) -> anyhow::Result<bool> {
    let mut input = io::stdin().lock();
    let mut out = anstream::stdout().lock();
    let waiting = &sorted.waiting;
    Ok(fix::ask(
        guide, waiting, given, asked, &mut input, &mut out,
    )?)
}

fn nothing(args: &Args) -> anyhow::Result<u8> {
    let paths: Vec<String> = args
        .paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    output::say(
        "error",
        &format!(
            "nothing to fix: no Kubernetes object or Azure resource in {}",
            paths.join(", ")
        ),
    )?;
    output::say(
        "  help",
        "give a folder or a file with manifests or templates",
    )?;
    Ok(3)
}

/// What was not read was not fixed either.
fn tell_unread(unread: &[DocumentEntry]) -> io::Result<()> {
    for entry in unread.iter().take(5) {
        let reason = entry.reason.as_deref().unwrap_or("no reason is known");
        let why = if entry.status == Status::Unreadable {
            "cannot be read"
        } else {
            "is not read"
        };
        output::say(
            "warning",
            &report::clean(&format!("{}:{} {why}: {reason}", entry.path, entry.line)),
        )?;
    }
    let more = unread.len().saturating_sub(5);
    if more > 0 {
        output::say(
            "warning",
            &format!("and {more} more: `seawall assess` lists them"),
        )?;
    }
    Ok(())
}

/// Asks for each cure that holds, with its own diff.
fn ask(
    question: &Question<'_>,
    hidden: &Hidden,
    cures: Vec<Cure>,
    proved: &Proved,
) -> anyhow::Result<Vec<Cure>> {
    let stdin = io::stdin();
    let mut taken = Vec::new();
    let mut all = false;
    let total = proved.held.len();
    let mut lines = stdin.lock().lines();
    for (at, number) in proved.held.iter().enumerate() {
        let Some(cure) = cures.get(*number) else {
            continue;
        };
        if all {
            taken.push(cure.clone());
            continue;
        }
        let one = [cure.clone()];
        let alone = fix::alone(question, &one);
        let shown = Shown {
            guide: question.guide,
            hidden,
            cures: &one,
            proved: &alone,
            left: &[],
            waiting: &[],
            written: false,
            held_back: 0,
        };
        let page = fix::parts(&shown, output::terminal(false));
        let mut out = anstream::stdout().lock();
        write!(out, "{page}")?;
        let answer = loop {
            write!(
                out,
                "({} of {total}) write this? [y]es, [n]o, [a]ll that follow, [q]uit: ",
                at + 1
            )?;
            out.flush()?;
            let Some(line) = lines.next() else {
                writeln!(out)?;
                break 'q';
            };
            match line?.trim().chars().next().map(|c| c.to_ascii_lowercase()) {
                Some(word @ ('y' | 'n' | 'a' | 'q')) => break word,
                _ => writeln!(
                    out,
                    "y writes it, n leaves it, a takes it and all that follow, q leaves it and all that follow"
                )?,
            }
        };
        if !stdin.is_terminal() {
            writeln!(out)?;
        }
        match answer {
            'y' => taken.push(cure.clone()),
            'a' => {
                all = true;
                taken.push(cure.clone());
            }
            'q' => break,
            _ => {}
        }
    }
    Ok(taken)
}
