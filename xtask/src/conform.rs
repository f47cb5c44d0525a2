//! Holds the Bicep compiler against what the official compiler made of the same files: pairs of
//! `main.bicep` and `main.json` in a folder. Published modules are taken from the tags of the
//! folder's git repository.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{fs, panic};

use anyhow::{Context as _, Result, bail};
use bicep::deployment::ProblemKind;
use bicep::disk::{Disk, Reference};
use bicep::source::{Files, Found, Source, Sources};
use bumpalo::Bump;
use serde_json::Value;

use crate::places::Places;
use crate::run;

mod evaluate;

/// How many of a hundred pairs whose modules are all found must be equal.
const WANTED: usize = 95;

const HELP: &str = "\
cargo xtask conform bicep --pairs DIR [--types DIR] [--only TEXT] [--verbose]
cargo xtask conform bicep --baselines DIR [--types DIR] [--verbose]
cargo xtask conform bicep --json DIR

  --pairs DIR   compile every main.bicep below DIR that has a main.json beside it
  --types DIR   a checkout of bicep-types-az, for the types of resources' properties
  --only TEXT   only paths that contain TEXT
  --baselines DIR
                the same, of the official compiler's own tests: they need mocks
                and experiments, so that they are only counted
  --json DIR    only parse and evaluate every main.json below DIR: time and memory
  --verbose     say of each unequal pair where it first differs
";

/// What is asked for.
#[derive(Debug, Default)]
struct Ask {
    pairs: Option<PathBuf>,
    json: Option<PathBuf>,
    types: Option<PathBuf>,
    only: Option<String>,
    verbose: bool,
    /// Pairs that are not all meant to be compiled by everyone: only counted.
    only_report: bool,
}

pub(crate) fn conform(places: &Places, arguments: &[String]) -> Result<()> {
    let ask = ask(arguments)?;
    if let Some(folder) = &ask.json {
        return measure(folder, places);
    }
    let Some(folder) = &ask.pairs else {
        bail!("a folder with pairs is needed\nhelp: {HELP}");
    };
    let mut pairs = Vec::new();
    find(folder, &mut pairs)?;
    if let Some(only) = &ask.only {
        pairs.retain(|pair| pair.to_string_lossy().contains(only.as_str()));
    }
    let files = Pairs::new(folder, ask.types.as_deref(), places);
    let mut counts = Counts::default();
    let start = Instant::now();
    for pair in &pairs {
        let outcome = one(pair, &files)?;
        counts.add(
            pair.strip_prefix(folder).unwrap_or(pair),
            outcome,
            ask.verbose,
        );
    }
    counts.print(pairs.len(), start.elapsed().as_secs_f64());
    if ask.only_report {
        return Ok(());
    }
    if counts.same < counts.equal {
        bail!("some that are equal come to something else");
    }
    if counts.equal * 100 < counts.resolved * WANTED {
        bail!(
            "{} of {} are equal, fewer than {WANTED} of a hundred",
            counts.equal,
            counts.resolved
        );
    }
    Ok(())
}

fn ask(arguments: &[String]) -> Result<Ask> {
    let mut ask = Ask::default();
    let mut arguments = arguments.iter();
    if arguments.next().map(String::as_str) != Some("bicep") {
        bail!("say what is to conform\nhelp: {HELP}");
    }
    while let Some(flag) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .cloned()
                .with_context(|| format!("`{flag}` needs a value"))
        };
        match flag.as_str() {
            "--pairs" => ask.pairs = Some(value()?.into()),
            "--baselines" => {
                ask.pairs = Some(value()?.into());
                ask.only_report = true;
            }
            "--json" => ask.json = Some(value()?.into()),
            "--types" => ask.types = Some(value()?.into()),
            "--only" => ask.only = Some(value()?),
            "--verbose" => ask.verbose = true,
            other => bail!("`{other}` is not known\nhelp: {HELP}"),
        }
    }
    Ok(ask)
}

fn find(folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for path in crate::places::entries(folder)? {
        if path.is_dir() && !path.is_symlink() && path.file_name().is_some_and(|n| n != ".git") {
            find(&path, out)?;
        } else if ["main.bicep", "parameters.bicepparam"]
            .iter()
            .any(|name| path.ends_with(name))
            && path.with_extension("json").exists()
        {
            out.push(path);
        }
    }
    Ok(())
}

/// What became of a pair.
enum Outcome {
    /// Where and how they differ, and whether they come to the same.
    Compared(Option<String>, Option<String>),
    Unresolved(Vec<String>),
    /// The text was not understood.
    Unread(String),
    Panicked,
}

#[derive(Debug, Default)]
struct Counts {
    unread: usize,
    resolved: usize,
    equal: usize,
    /// How many come to the same resources and outputs.
    same: usize,
    missing: BTreeSet<String>,
    differences: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, pair: &Path, outcome: Outcome, verbose: bool) {
        let say = |text: String| {
            if verbose {
                run::print(&format!("{}: {text}\n", pair.display()));
            }
        };
        match outcome {
            Outcome::Compared(difference, evaluated) => {
                self.resolved += 1;
                match difference {
                    None => self.equal += 1,
                    Some(difference) => {
                        say(difference.clone());
                        *self.differences.entry(class(&difference)).or_default() += 1;
                    }
                }
                match evaluated {
                    None => self.same += 1,
                    Some(difference) => say(format!("comes to something else: {difference}")),
                }
            }
            Outcome::Unresolved(missing) => {
                say(format!("not found: {}", missing.join("; ")));
                self.missing.extend(missing);
            }
            Outcome::Unread(why) => {
                say(format!("not understood: {why}"));
                self.unread += 1;
            }
            Outcome::Panicked => {
                say("panicked".to_owned());
                self.unread += 1;
            }
        }
    }

    fn print(&self, pairs: usize, seconds: f64) {
        let mut text = format!(
            "{pairs} pairs in {seconds:.1} s: {} understood, {} with all modules found, {} equal, {} come to the same\n",
            pairs - self.unread,
            self.resolved,
            self.equal,
            self.same
        );
        let mut differences: Vec<_> = self.differences.iter().collect();
        differences.sort_by_key(|(class, count)| (std::cmp::Reverse(**count), class.to_owned()));
        for (class, count) in differences.into_iter().take(30) {
            text.push_str(&format!("{count:5}  {class}\n"));
        }
        run::print(&text);
    }
}

/// Differences of one kind: without numbers and names.
fn class(difference: &str) -> String {
    let path = difference.split(": ").next().unwrap_or_default();
    let mut segments: Vec<&str> = path.split('/').collect();
    if segments.len() > 3 {
        let last = segments.len() - 2;
        segments = [
            segments.get(1).copied(),
            Some("…"),
            segments.get(last).copied(),
            segments.last().copied(),
        ]
        .into_iter()
        .flatten()
        .collect();
    }
    segments.join("/")
}

fn one(pair: &Path, files: &Pairs) -> Result<Outcome> {
    let text = fs::read_to_string(pair).with_context(|| format!("`{}`", pair.display()))?;
    let wanted = fs::read_to_string(pair.with_extension("json"))?;
    let mut wanted: Value = serde_json::from_str(wanted.trim_start_matches('\u{feff}'))
        .with_context(|| format!("`{}`", pair.display()))?;
    let made = panic::catch_unwind(panic::AssertUnwindSafe(|| compiled(pair, &text, files)));
    let Ok(made) = made else {
        return Ok(Outcome::Panicked);
    };
    let of = |kind: ProblemKind| {
        made.problems
            .iter()
            .filter(move |problem| problem.kind == kind)
            .map(|problem| problem.message.clone())
    };
    if let Some(problem) = of(ProblemKind::Syntax).next() {
        return Ok(Outcome::Unread(problem));
    }
    let missing: Vec<_> = of(ProblemKind::Unresolved).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Unresolved(missing));
    }
    let wanted_lines = evaluated(&pair.with_extension("json"), files)?;
    let evaluated = made
        .lines
        .iter()
        .zip(&wanted_lines)
        .find(|(made, wanted)| made != wanted)
        .map(|(made, wanted)| differing(made, wanted))
        .or_else(|| {
            (made.lines.len() != wanted_lines.len())
                .then(|| format!("{} lines, wanted {}", made.lines.len(), wanted_lines.len()))
        });
    let mut made: Value =
        serde_json::from_str(&made.printed).context("what was printed is no JSON")?;
    strip(&mut made);
    strip(&mut wanted);
    let difference = difference("", &made, &wanted);
    // A parameters file is no template: nothing else comes of it.
    let evaluated = if pair.ends_with("parameters.bicepparam") {
        difference.clone()
    } else {
        evaluated
    };
    Ok(Outcome::Compared(difference, evaluated))
}

/// Two lines from shortly before where they differ.
fn differing(made: &str, wanted: &str) -> String {
    let at = made
        .char_indices()
        .zip(wanted.char_indices())
        .find(|(made, wanted)| made != wanted)
        .map_or(0, |((at, _), _)| at);
    let from = (0..=at.saturating_sub(80))
        .rev()
        .find(|at| made.is_char_boundary(*at))
        .unwrap_or_default();
    let part = |line: &str| -> String {
        line.get(from..)
            .unwrap_or_default()
            .chars()
            .take(300)
            .collect()
    };
    format!("{} | wanted {}", part(made), part(wanted))
}

/// What a Bicep file was compiled to.
struct Made {
    printed: String,
    problems: Vec<bicep::deployment::Problem>,
    lines: Vec<String>,
}

/// What a parameters file comes to.
fn parameters(pair: &Path, text: &str, files: &Pairs) -> Made {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: bump.alloc_str(&pair.to_string_lossy()),
        text: bump.alloc_str(text.trim_start_matches('\u{feff}')),
        published: false,
    });
    let made = bicep::compile::compile_parameters(&bump, &mut sources, files, file);
    Made {
        printed: bicep::emit::emit(&made.root),
        problems: made.problems,
        lines: Vec::new(),
    }
}

fn compiled(pair: &Path, text: &str, files: &Pairs) -> Made {
    if pair.extension().is_some_and(|name| name == "bicepparam") {
        return parameters(pair, text, files);
    }
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: bump.alloc_str(&pair.to_string_lossy()),
        text: bump.alloc_str(text.trim_start_matches('\u{feff}')),
        published: false,
    });
    let (node, problems) = bicep::compile::compile(&bump, &mut sources, files, file);
    let printed = bicep::emit::emit(&node);
    Made {
        printed,
        problems,
        lines: evaluate::lines(&bump, &mut sources, files, bump.alloc(node)),
    }
}

/// What a JSON file comes to.
fn evaluated(path: &Path, files: &Pairs) -> Result<Vec<String>> {
    if path.ends_with("parameters.json") {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    let bump = Bump::new();
    let mut sources = Sources::default();
    let text: &str = bump.alloc_str(text.trim_start_matches('\u{feff}'));
    let file = sources.add(Source {
        name: bump.alloc_str(&path.to_string_lossy()),
        text,
        published: false,
    });
    let root = bump.alloc(bicep::json::parse(&bump, text, file).root);
    Ok(evaluate::lines(&bump, &mut sources, files, root))
}

/// Parses and evaluates every template below a folder.
fn measure(folder: &Path, places: &Places) -> Result<()> {
    let mut pairs = Vec::new();
    find(folder, &mut pairs)?;
    let files = Pairs::new(folder, None, places);
    let start = Instant::now();
    let (mut bytes, mut lines) = (0, 0);
    for pair in &pairs {
        let json = pair.with_extension("json");
        bytes += fs::metadata(&json)?.len();
        lines += evaluated(&json, &files)?.len();
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("unknown")
        .trim();
    run::print(&format!(
        "{} templates of {} MB, {lines} resources and outputs, in {:.2} s; peak memory {peak}\n",
        pairs.len(),
        bytes / 1_000_000,
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Which compiler made it, and its hash, do not count. Nor does the order of `dependsOn`: the
/// official compiler itself orders the items of one loop by chance.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("_generator");
            if let Some(Value::Array(items)) = map.get_mut("dependsOn") {
                items.sort_by_key(ToString::to_string);
            }
            for value in map.values_mut() {
                strip(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.contains("46d3xbcp") => unversion(text),
        _ => {}
    }
}

/// Azure's modules name the deployment that counts their use after their version. A template in
/// the repository has a mark there that publishing replaces, so tags and what was published from
/// them differ in it.
fn unversion(text: &mut String) {
    const BEFORE: &str = "replace('";
    if let Some(start) = text.find(BEFORE).map(|at| at + BEFORE.len())
        && let Some(end) = text.get(start..).and_then(|rest| rest.find('\''))
    {
        text.replace_range(start..start + end, "");
    }
}

/// The first place where two values differ.
fn difference(path: &str, made: &Value, wanted: &Value) -> Option<String> {
    match (made, wanted) {
        (Value::Object(made), Value::Object(wanted)) => {
            for (key, value) in wanted {
                let Some(own) = made.get(key) else {
                    return Some(format!("{path}/{key}: missing, wanted {}", short(value)));
                };
                if let Some(found) = difference(&format!("{path}/{key}"), own, value) {
                    return Some(found);
                }
            }
            made.iter()
                .find(|(key, _)| !wanted.contains_key(*key))
                .map(|(key, value)| format!("{path}/{key}: not wanted, made {}", short(value)))
        }
        (Value::Array(made), Value::Array(wanted)) => {
            if made.len() != wanted.len() {
                return Some(format!(
                    "{path}: {} items, wanted {}: {} | {}",
                    made.len(),
                    wanted.len(),
                    short(&Value::Array(made.clone())),
                    short(&Value::Array(wanted.clone()))
                ));
            }
            made.iter()
                .zip(wanted)
                .enumerate()
                .find_map(|(at, (made, wanted))| difference(&format!("{path}/{at}"), made, wanted))
        }
        (Value::Number(made), Value::Number(wanted)) => {
            (made.as_f64() != wanted.as_f64()).then(|| format!("{path}: {made}, wanted {wanted}"))
        }
        _ => {
            (made != wanted).then(|| format!("{path}: {} | wanted {}", short(made), short(wanted)))
        }
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(600).collect()
}

/// The files of a folder of pairs, and modules from the tags of its repository.
struct Pairs {
    disk: Disk,
    root: PathBuf,
    /// Whether the folder is a repository with tags.
    is_repository: bool,
    modules: RefCell<HashMap<String, Option<Vec<u8>>>>,
    cache: PathBuf,
}

impl Pairs {
    fn new(root: &Path, types: Option<&Path>, places: &Places) -> Self {
        Self {
            disk: match types {
                Some(types) => Disk::new(Vec::new()).with_types(types),
                None => Disk::new(Vec::new()),
            },
            root: root.to_owned(),
            is_repository: root.join(".git").exists(),
            modules: RefCell::default(),
            cache: places.cache.join("modules"),
        }
    }

    /// The template that a tag of the repository holds.
    fn tagged(&self, path: &str, version: &str) -> Option<Vec<u8>> {
        let path = path.strip_prefix("bicep/").unwrap_or(path);
        let tag = format!("{path}/{version}");
        if let Some(known) = self.modules.borrow().get(&tag) {
            return known.clone();
        }
        let kept = self.cache.join(tag.replace('/', "$"));
        let found = fs::read(&kept).ok().or_else(|| {
            let found = [path.to_owned(), format!("modules/{path}")]
                .iter()
                .find_map(|path| {
                    let out = Command::new("git")
                        .arg("-C")
                        .arg(&self.root)
                        .args(["show", &format!("refs/tags/{tag}:{path}/main.json")])
                        .output()
                        .ok()?;
                    out.status.success().then_some(out.stdout)
                })?;
            if fs::create_dir_all(&self.cache).is_ok() {
                let _ = fs::write(&kept, &found);
            }
            Some(found)
        });
        self.modules.borrow_mut().insert(tag, found.clone());
        found
    }
}

impl Files for Pairs {
    fn file(&self, from: &str, path: &str) -> Result<Found, String> {
        self.disk.file(from, path)
    }

    fn module(&self, from: &str, reference: &str) -> Result<Found, String> {
        let found = self.disk.reference(from, reference)?;
        if let Reference::Registry { path, version, .. } = &found
            && self.is_repository
            && let Some(bytes) = self.tagged(path, version)
        {
            return Ok(Found {
                name: found.name(),
                bytes,
                published: true,
            });
        }
        self.disk.module(from, reference)
    }

    fn list(&self, from: &str, folder: &str) -> Result<Vec<String>, String> {
        self.disk.list(from, folder)
    }

    fn property_type(&self, resource: &str, pointer: &[&str]) -> Option<String> {
        self.disk.property_type(resource, pointer)
    }

    fn resource_type(&self, resource: &str) -> Option<String> {
        self.disk.resource_type(resource)
    }
}
