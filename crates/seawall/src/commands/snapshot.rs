//! `seawall snapshot`: keeps an estate in one file, to be judged later, elsewhere, or beside another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::guide::{Guide, setting};
use model::coverage::DocumentEntry;
use model::kept;
use model::manifest::Reader;
use model::secrets::scrub;
use sources::Given;
use sources::live::{Event, Images, LiveError, Of, images, principals_of, read_object};
use sources::snapshot::{About, Writer};

use crate::choices;
use crate::commands::assess::config_text;
use crate::commands::estate::{EstateArgs, Ledger, Opened, Stopped};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// Keeps an estate in one file, without its secrets.
///
/// Reads a running cluster, Azure, files, or all of them, and writes what was read to one compressed file
/// that `--snapshot` gives to every other command and `seawall diff` compares. Values of Secrets are not in
/// it; of what else looks like a credential only its form is kept.
///
/// Exit code: 0 everything was read; 2 wrong use; 3 nothing to keep; 4 something could not be read (the
/// snapshot says what).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall snapshot --cluster -o monday.snapshot
  seawall snapshot --cluster infra -o all.snapshot   the cluster and the templates in `infra`
  seawall assess --snapshot monday.snapshot
  seawall diff monday.snapshot friday.snapshot")]
pub(crate) struct Args {
    #[command(flatten)]
    estate: EstateArgs,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

/// Lines of what was not read.
const LINES: usize = 20;
/// Kinds that are named.
const KINDS: usize = 8;

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(None)?;
    let mut opened = args.estate.open()?;
    // What stands beside the code says of the files what they are.
    let config = opened.configuration(None, &args.estate.paths, guide)?;
    let beside = config_text(None, &args.estate.paths)?.or_else(|| opened.config.clone());
    let kubernetes_minor = opened.kubernetes_minor()?;
    let whole = choices::whole(&args.estate, None, &config)?;
    let files = Files {
        args,
        guide,
        whole,
        minor: config
            .kubernetes
            .or(kubernetes_minor)
            .unwrap_or_else(|| setting::newest_minor(guide)),
    };
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: taken_at(),
        sources: opened.subject(&args.estate.paths),
        given: shown(&args.estate.paths),
        kubernetes_minor,
        config: beside.map(|mut config| {
            config.text = scrubbed(&config.text);
            config
        }),
    };
    let target = Target::create(&args.out)?;
    let mut tally = Tally::default();
    let done = capture(&files, opened, &about, &target.part, &mut tally);
    let lost = match done {
        Ok(lost) => lost,
        Err(stopped) => {
            target.abandon();
            return Err(stopped.into());
        }
    };
    if tally.resources == 0 && tally.unread.is_empty() && lost.is_empty() {
        target.abandon();
        let mut stderr = anstream::stderr().lock();
        writeln!(
            stderr,
            "error: nothing to keep: no Kubernetes object or Azure resource in {}",
            about.sources.join(", ")
        )?;
        writeln!(
            stderr,
            "  help: give `--cluster`, or a folder with manifests, a chart, or templates"
        )?;
        return Ok(3);
    }
    let bytes = target.finish()?;
    tell(&args.out, &about, &tally, &lost, bytes)?;
    Ok(if tally.unread.is_empty() && lost.is_empty() {
        0
    } else {
        4
    })
}

/// A configuration without credentials. `secret:shop/db` names a Secret (a jewel) and is none.
fn scrubbed(text: &str) -> String {
    const NAMES: &str = "secret:";
    const MARK: &str = "\u{1}";
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(NAMES) {
        let (before, from) = rest.split_at(at);
        let after = from.get(NAMES.len()..).unwrap_or_default();
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-./*".contains(c)))
            .unwrap_or(after.len());
        let name = after.get(..end).unwrap_or_default();
        let alone = !before.ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        marked.push_str(before);
        let named = alone
            && name
                .split_once('/')
                .is_some_and(|(one, two)| !one.is_empty() && !two.is_empty());
        marked.push_str(if named { MARK } else { NAMES });
        rest = after;
    }
    marked.push_str(rest);
    scrub::text(&marked).replace(MARK, NAMES)
}

/// Now, to the second.
fn taken_at() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

fn shown(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

/// Writes everything that is told; gives what could not be kept.
fn capture(
    files: &Files<'_>,
    opened: Opened,
    about: &About,
    part: &Path,
    tally: &mut Tally,
) -> Result<Vec<String>, Stopped> {
    let file = File::options().write(true).truncate(true).open(part)?;
    let mut writer = Writer::new(BufWriter::new(file), about)?;
    let mut progress = Progress::new(opened.inputs.len());
    let mut named = BTreeSet::new();
    let guide = files.guide;
    let (managed, schema) = (guide.managed(), guide.schema());
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: schema.as_ref(),
    };
    let asks = files.args.estate.registries.asks();
    let pictures = Mutex::new(Images::new());
    // Which images workloads name matters only to who asks registries.
    let look = |event: &Event| {
        let reading = match event {
            Event::Object(object) if asks => read_object(object, &reader),
            Event::Kept(kept) if asks => kept::read(kept, &reader),
            _ => return,
        };
        images(&reading, &pictures);
    };
    let note = |event: &Event| match event {
        Event::Object(object) if object.of == Of::Kubernetes => principals_of(&object.json),
        Event::Kept(kept) => principals_of(&kept.json),
        _ => BTreeSet::new(),
    };
    files.tell(&opened, &mut progress, &mut |event| {
        tally.add(&event);
        named.extend(note(&event));
        look(&event);
        writer.event(&event)
    })?;
    for mut source in opened.live {
        let mut failed = None;
        source.principals(&named);
        source.images(&pictures.lock().unwrap_or_else(PoisonError::into_inner));
        let read = source.read(&mut |event| {
            if let Event::Doing(what) = &event {
                progress.tick(sources::Reached::Live(what));
            }
            tally.add(&event);
            named.extend(note(&event));
            look(&event);
            writer.event(&event).map_err(|error| {
                failed = Some(error);
                LiveError::stopped()
            })
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        read?;
        tally.sources.push(source.name());
    }
    progress.finish();
    let (out, written) = writer.finish()?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(written.lost)
}

/// What is known of the files.
struct Files<'f> {
    args: &'f Args,
    guide: &'f Guide,
    /// They are the whole estate.
    whole: bool,
    minor: u8,
}

impl Files<'_> {
    /// What they hold, as events.
    fn tell(
        &self,
        opened: &Opened,
        progress: &mut Progress,
        tell: &mut dyn FnMut(Event) -> io::Result<()>,
    ) -> Result<(), Stopped> {
        let guide = self.guide;
        let managed = guide.managed();
        let schema = guide.schema();
        // Who reads the snapshot may ask for any kind.
        let reader = Reader {
            symbols: &guide.symbols,
            wants: &|_| true,
            managed: &managed,
            defaults: &guide.defaults,
            limits: yaml::Limits::default(),
            schema: schema.as_ref(),
        };
        let given = Given {
            inputs: &opened.inputs,
            live: Vec::new(),
        };
        let mut ledger = Ledger::default();
        sources::read(
            given,
            &self.args.estate.options(guide, self.minor),
            &reader,
            |reading| kept::keep(std::mem::take(reading)),
            |_, (resources, entries)| {
                for resource in resources {
                    tell(Event::Kept(Box::new(resource)))?;
                }
                for entry in entries {
                    if ledger.add(entry.clone()) {
                        tell(Event::Entry(Box::new(entry)))?;
                    }
                }
                Ok::<(), Stopped>(())
            },
            |reached| progress.tick(reached),
        )?;
        if self.whole && !ledger.coverage.incomplete() && !opened.inputs.is_empty() {
            tell(Event::Complete {
                kind: model::completeness::EVERY_KIND.into(),
                within: Box::default(),
            })?;
        }
        Ok(())
    }
}

/// The file that will be written, and the one beside it that is written until it is whole.
struct Target {
    whole: PathBuf,
    part: PathBuf,
}

impl Target {
    fn create(whole: &Path) -> anyhow::Result<Self> {
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::new(format!("cannot write `{}`: {error}", whole.display()))
                .help("`-o` takes a file in a folder that exists")
        };
        if whole.as_os_str() == "-" {
            return Err(
                cannot(&"a snapshot is binary, and is not written to standard output").into(),
            );
        }
        let Some(name) = whole.file_name().filter(|_| !whole.is_dir()) else {
            return Err(cannot(&"it is a folder").into());
        };
        let part = whole.with_file_name(format!(
            ".{}.{}.part",
            name.to_string_lossy(),
            std::process::id()
        ));
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        options.open(&part).map_err(|error| cannot(&error))?;
        Ok(Self {
            whole: whole.to_path_buf(),
            part,
        })
    }

    fn finish(&self) -> anyhow::Result<u64> {
        let bytes = std::fs::metadata(&self.part)?.len();
        std::fs::rename(&self.part, &self.whole).map_err(|error| {
            self.abandon();
            Failure::new(format!("cannot write `{}`: {error}", self.whole.display()))
        })?;
        Ok(bytes)
    }

    /// Leaves nothing behind; what stood there stays.
    fn abandon(&self) {
        let _ = std::fs::remove_file(&self.part);
    }
}

/// A map of a whole estate is nobody else's business.
#[cfg(unix)]
fn private(options: &mut std::fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut std::fs::OpenOptions) {}

/// What was told.
#[derive(Default)]
struct Tally {
    /// what was read live, as it is called now that it was
    sources: Vec<String>,
    resources: usize,
    kinds: BTreeMap<String, usize>,
    /// what could not be read: where, why, what to do
    unread: Vec<DocumentEntry>,
    /// what was not asked for
    by_choice: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Object(object) => self.resource(&kind_of(&object.json, object.of)),
            // A template is judged, but it is no resource.
            Event::Kept(kept) if kept.name.kind == model::azure::template::kind() => {}
            Event::Kept(kept) => self.resource(kept.name.kind.name()),
            Event::Entry(entry) if entry.status.incomplete() => {
                self.unread.push((**entry).clone());
            }
            Event::Gap(gap) if gap.by_choice => {
                self.by_choice.insert(gap.why.to_string());
            }
            Event::Gap(gap) => self.unread.push(gap.entry()),
            Event::Doing(_) | Event::Entry(_) | Event::Complete { .. } | Event::Other { .. } => {}
        }
    }

    fn resource(&mut self, kind: &str) {
        self.resources += 1;
        match self.kinds.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.kinds.insert(kind.to_owned(), 1);
            }
        }
    }
}

/// The kind that an object says.
fn kind_of(json: &str, of: Of) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        kind: Option<String>,
        r#type: Option<String>,
    }
    let said: Option<Said> = serde_json::from_str(json).ok();
    said.and_then(|said| match of {
        Of::Kubernetes => said.kind,
        Of::Azure => said.r#type,
    })
    .unwrap_or_else(|| "of no kind".to_owned())
}

fn tell(
    out: &Path,
    about: &About,
    tally: &Tally,
    lost: &[String],
    bytes: u64,
) -> anyhow::Result<()> {
    let mut page = String::new();
    use std::fmt::Write as _;
    let clean = report::clean;
    let shown = out.display().to_string();
    let shown = clean(&shown);
    let sources: Vec<&str> = about
        .given
        .iter()
        .chain(&tally.sources)
        .map(String::as_str)
        .collect();
    let summary = format!(
        "{shown}: {} of {} from {}, {}",
        report::count(tally.resources, "resource"),
        report::count(tally.kinds.len(), "kind"),
        clean(&sources.join(", ")),
        size(bytes),
    );
    paragraph(&mut page, &summary, "");
    let mut kinds: Vec<(&String, &usize)> = tally.kinds.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), kind.as_str()));
    let mut words: Vec<String> = kinds
        .iter()
        .take(KINDS)
        .map(|(kind, count)| format!("{count} {}", clean(kind)))
        .collect();
    if kinds.len() > KINDS {
        words.push(format!(
            "and {}",
            report::count(kinds.len() - KINDS, "more kind")
        ));
    }
    if !words.is_empty() {
        paragraph(&mut page, &words.join(", "), "  ");
    }
    for why in &tally.by_choice {
        paragraph(&mut page, &clean(why), "  ");
    }
    let unread = tally.unread.len() + lost.len();
    if unread > 0 {
        writeln!(page, "\nNot read  {}", report::count(unread, "part"))?;
        for entry in tally.unread.iter().take(LINES) {
            let reason = entry.reason.as_deref().unwrap_or("it could not be read");
            writeln!(page, "  {}", report::ledger_place(entry))?;
            paragraph(&mut page, &clean(reason), "    ");
            if let Some(help) = &entry.help {
                paragraph(&mut page, &format!("help: {}", clean(help)), "    ");
            }
        }
        for address in lost.iter().take(LINES) {
            writeln!(page, "  {}\n    it could not be understood", clean(address))?;
        }
        if unread > LINES {
            writeln!(
                page,
                "  … and {} more; the snapshot has them all",
                unread - LINES
            )?;
        }
        writeln!(page)?;
    }
    writeln!(
        page,
        "  judge it: seawall assess --snapshot {}",
        report::shell_word(&shown)
    )?;
    anstream::stdout().lock().write_all(page.as_bytes())?;
    Ok(())
}

/// Adds a text in lines that people read; further ones are indented by two more.
fn paragraph(page: &mut String, text: &str, indent: &str) {
    let columns = output::width().saturating_sub(indent.len() + 2);
    for (at, line) in output::folded(text, columns).iter().enumerate() {
        page.push_str(indent);
        page.push_str(if at == 0 { "" } else { "  " });
        page.push_str(line);
        page.push('\n');
    }
}

/// `312 kB`
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::scrubbed;

    #[test]
    fn names_of_secrets_stay_and_credentials_go() {
        for (text, kept) in [
            (
                "jewels: [secret:shop/db, 'secret:*/tls']",
                "jewels: [secret:shop/db, 'secret:*/tls']",
            ),
            ("secret: hunter/two", "secret: xxxxxx/xxx"),
            ("client-secret:hunter/two", "client-secret:xxxxxx/xxx"),
            ("# password=hunter2", "# password=xxxxxx0"),
        ] {
            assert_eq!(scrubbed(text), kept);
        }
    }
}
