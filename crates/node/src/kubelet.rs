//! The settings that the kubelet has: what it was started with counts more than its configuration files, and these more
//! than defaults.
//!
//! What it was started with is read from its process where one runs (`/proc/PID/cmdline`), else from its unit with all
//! drop-ins and environment files; where both are known and differ, the process is right and the difference is told.
//! Never guessed: which file is the configuration is what `--config` says.

mod config;
mod flags;
mod settings;
mod unit;

pub(crate) use unit::FOLDERS as UNIT_FOLDERS;

use crate::root::{Root, Unread};
use crate::value::{Data, Place, Value};

use config::Tree;
use flags::Flag;
use settings::{Given, SETTINGS};
use unit::Word;

/// The unit.
const UNIT: &str = "kubelet.service";

/// What is known of the kubelet.
#[derive(Debug)]
pub struct Kubelet {
    /// The settings, by name; see [`settings`].
    pub value: Value,
    /// `--kubeconfig`.
    pub kubeconfig: Option<String>,
    /// `--bootstrap-kubeconfig`.
    pub bootstrap: Option<String>,
    /// Configuration files, in the order in which they are read.
    pub config_files: Vec<String>,
    /// Unit, drop-ins.
    pub unit_files: Vec<String>,
    /// The folder of static pods.
    pub static_pods: Option<String>,
    /// The authority that clients' certificates are checked against.
    pub client_ca: Option<String>,
    /// `--hostname-override`.
    pub name: Option<String>,
}

/// Reads the kubelet's settings; `None` where there is no kubelet.
#[must_use]
pub fn read(root: &Root) -> Option<Kubelet> {
    let unit = unit::read(root, UNIT);
    let process = process(root);
    if unit.is_none() && process.is_none() {
        return None;
    }
    let mut unknown = Vec::new();
    let mut unit_files = Vec::new();
    let mut place = Place::new("/", 1);
    let mut of_unit = None;
    if let Some(unit) = unit {
        unknown.extend(unit.unread.iter().map(Unread::noun));
        if let Some(first) = unit.command.first() {
            place = first.place.clone();
        } else if let Some(file) = unit.files.first() {
            place = Place::new(file, 1);
        }
        match started(&unit.command) {
            Ok(flags) => of_unit = Some(flags),
            Err(why) => unknown.push(why),
        }
        unit_files = unit.files;
    }
    let differs = match (&process, &of_unit) {
        (Some(process), Some(flags)) if unknown.is_empty() => {
            different(&process.flags, flags, &process.place)
        }
        _ => Vec::new(),
    };
    // What runs is what holds; where it is what the files say, these tell the line.
    let flags = match (process.as_ref(), of_unit) {
        (Some(_), Some(flags)) if unknown.is_empty() && differs.is_empty() => flags,
        (Some(process), _) => {
            unknown.clear();
            place = process.place.clone();
            process.flags.clone()
        }
        (None, flags) => flags.unwrap_or_default(),
    };
    let flags_unknown = unknown.first().cloned();
    let running = process.is_some();
    let known = Known {
        flags,
        flags_unknown,
        place,
    };
    Some(kubelet(root, known, unit_files, running, differs))
}

/// What the kubelet was started with.
struct Known {
    flags: Vec<Flag>,
    flags_unknown: Option<String>,
    place: Place,
}

fn kubelet(
    root: &Root,
    known: Known,
    unit_files: Vec<String>,
    running: bool,
    differs: Vec<Value>,
) -> Kubelet {
    let Known {
        flags,
        flags_unknown,
        place,
    } = known;
    let named = |name: &str| {
        let flag = flags::last(&flags, name)?;
        (!flag.value.is_empty()).then(|| flag.value.clone())
    };
    let kubeconfig = named("kubeconfig");
    let bootstrap = named("bootstrap-kubeconfig");
    // Whatever else they are called, they hold credentials.
    for path in [&kubeconfig, &bootstrap].into_iter().flatten() {
        root.guard(path);
    }
    let configuration = configuration(root, named("config"), named("config-dir"));
    let given = Given {
        flags: &flags,
        config: configuration.tree.as_ref(),
        config_unknown: configuration.unknown.as_deref(),
        flags_unknown: flags_unknown.as_deref(),
        place: &place,
    };
    let mut entries: Vec<(&str, Option<Value>)> = SETTINGS
        .iter()
        .map(|setting| (setting.name, setting.value(&given)))
        .collect();
    let files = configuration.files.iter().map(|file| {
        let place = Place::new(file, 1);
        Value::new(file.as_str(), &place)
    });
    entries.push((
        "configFiles",
        Some(Value::new(files.collect::<Vec<_>>(), &place)),
    ));
    entries.push(("running", Some(Value::new(running, &place))));
    entries.push(("differs", Some(Value::new(differs, &place))));
    let value = Value::map(entries, &place);
    let text = |name: &str| value.at(&[name]).and_then(Value::text).map(str::to_owned);
    Kubelet {
        static_pods: text("staticPodPath"),
        client_ca: text("clientCAFile"),
        name: text("hostnameOverride"),
        kubeconfig,
        bootstrap,
        config_files: configuration.files,
        unit_files,
        value,
    }
}

/// The flags of a command line, if it starts a kubelet.
fn started(command: &[Word]) -> Result<Vec<Flag>, String> {
    let Some((program, rest)) = command.split_first() else {
        return Err(format!("{UNIT}, which starts nothing"));
    };
    let name = program.text.rsplit('/').next().unwrap_or_default();
    if name == "kubelet" || name == "hyperkube" {
        return Ok(flags::parse(rest));
    }
    Err(format!("{UNIT}, which starts `{name}` and no kubelet"))
}

/// The configuration files that are named, merged.
#[derive(Default)]
struct Configuration {
    tree: Option<Tree>,
    files: Vec<String>,
    unknown: Option<String>,
}

fn configuration(root: &Root, file: Option<String>, folder: Option<String>) -> Configuration {
    let mut made = Configuration::default();
    if file.is_none() && folder.is_none() {
        return made;
    }
    let mut tree = Tree::Map(Vec::new(), Place::new("/", 1));
    let mut read = |path: String, made: &mut Configuration| {
        let text = match root.read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => {
                let why = format!("{path}, which --config names and which is not there");
                made.unknown.get_or_insert(why);
                return;
            }
            Err(unread) => {
                made.unknown.get_or_insert(unread.noun());
                return;
            }
        };
        made.files.push(path.clone());
        match config::read(&path, &text) {
            Ok(patch @ Tree::Map(..)) => {
                let own = std::mem::replace(&mut tree, Tree::Null);
                tree = own.merge(patch);
            }
            Ok(_) => {
                made.unknown
                    .get_or_insert(format!("{path} (no configuration)"));
            }
            Err(why) => {
                made.unknown.get_or_insert(format!("{path} ({why})"));
            }
        }
    };
    if let Some(file) = file {
        read(file, &mut made);
    }
    if let Some(folder) = folder {
        match drop_ins(root, &folder) {
            Ok(files) => {
                for file in files {
                    read(file, &mut made);
                }
            }
            Err(unread) => {
                made.unknown.get_or_insert(unread.noun());
            }
        }
    }
    made.tree = Some(tree);
    made
}

/// Files ending in `.conf`, folders within included, in the order of `filepath.WalkDir`.
fn drop_ins(root: &Root, folder: &str) -> Result<Vec<String>, Unread> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.trim_end_matches('/').to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        if depth > 0 && path.ends_with(".conf") && root.stat(&path)?.is_some_and(|stat| stat.file) {
            found.push(path);
            continue;
        }
        // Deeper than this nobody puts them, and links may run in circles.
        if depth > 4 {
            continue;
        }
        let names = match root.stat(&path)? {
            Some(stat) if stat.folder => root.list(&path)?.unwrap_or_default(),
            _ => continue,
        };
        waiting.extend(
            names
                .iter()
                .rev()
                .map(|name| (format!("{path}/{name}"), depth + 1)),
        );
    }
    Ok(found)
}

/// A running kubelet.
struct Process {
    flags: Vec<Flag>,
    place: Place,
}

/// The process called `kubelet` with the lowest number.
fn process(root: &Root) -> Option<Process> {
    let names = root.list("/proc").ok().flatten()?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    for number in numbers {
        let name = root.read_quietly(&format!("/proc/{number}/comm"));
        if !name.is_ok_and(|name| name.is_some_and(|name| name.trim_end() == "kubelet")) {
            continue;
        }
        let path = format!("/proc/{number}/cmdline");
        let place = Place::new(&path, 1);
        let text = root.read(&path).ok().flatten()?;
        let mut words: Vec<Word> = text
            .split('\0')
            .map(|text| Word {
                text: text.to_owned(),
                place: place.clone(),
            })
            .collect();
        // Each word has an end, the last one too.
        words.pop();
        let flags = flags::parse(words.get(1..).unwrap_or_default());
        return Some(Process { flags, place });
    }
    None
}

/// Flags that the process has and the files do not give it, and the other way round. Labels of the node are its own
/// business: the kubelet is told new ones without being started again.
fn different(running: &[Flag], files: &[Flag], place: &Place) -> Vec<Value> {
    let mut names: Vec<&str> = running
        .iter()
        .chain(files)
        .map(|flag| flag.name.as_str())
        .filter(|name| *name != "node-labels")
        .collect();
    names.sort_unstable();
    names.dedup();
    let text = |flags: &[Flag], name: &str| -> Option<String> {
        let all = flags.iter().filter(|flag| flag.name == name);
        let all: Vec<&str> = all.map(|flag| flag.value.as_str()).collect();
        (!all.is_empty()).then(|| all.join(","))
    };
    names
        .into_iter()
        .filter_map(|name| {
            let (now, next) = (text(running, name), text(files, name));
            if now == next {
                return None;
            }
            let place = files
                .iter()
                .rev()
                .find(|flag| flag.name == name)
                .map_or(place, |flag| &flag.place);
            let text =
                |text: Option<String>| Value::new(Data::Text(text.unwrap_or_default()), place);
            Some(Value::map(
                [
                    ("flag", Some(Value::new(name, place))),
                    ("running", Some(text(now))),
                    ("files", Some(text(next))),
                ],
                place,
            ))
        })
        .collect()
}
