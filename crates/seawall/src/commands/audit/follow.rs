//! `seawall audit detect --follow`: alerts as they come, each once.
//!
//! What is to be told is in the checkpoint before anybody is told of it, with how long the files of alerts were then. So
//! after a stop at any moment it is known what was told: what stands in the files behind that, each with its id. What
//! went to standard output may be told again.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use ::guide::Guide;
use audit::Losses;
use audit::detect::{Alert, Baseline, Detector, News, Outcome, Told, Verdict};
use audit::follow::{Files, Follow, Growing, Pipe};
use jiff::Timestamp;
use model::Severity;
use report::clean;
use serde_json::{Value, json};
use server::audit::{Checkpoints, Clock, Written, ended, is_url, open, pace};

use super::detect;
use super::logs::{LogArgs, micros, sign_in};
use crate::failure::Failure;
use crate::output::{self, Wanted};

/// The version of a line of alerts.
const SCHEMA: &str = "seawall.alert-line/v1";
/// Between two looks at files.
const FILES: Duration = Duration::from_secs(1);
/// How often it is noted how far it came; less often where that takes long.
const NOTED: Duration = Duration::from_secs(2);
/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(50);

/// How logs are followed.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct FollowArgs {
    /// Go on while logs grow, and tell each alert as it comes, until interrupted (SIGINT, SIGTERM)
    #[arg(long)]
    pub(crate) follow: bool,
    /// File, or https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME, that says how far it came: the next run goes on
    /// there
    #[arg(long, value_name = "FILE|URL", requires = "follow")]
    checkpoint: Option<String>,
    /// Seconds between two looks [default: 1, for storage 15, for an Event Hub 2]
    #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = clap::value_parser!(u32).range(1..))]
    every: Option<u32>,
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) logs: &'a LogArgs,
    pub(super) follow: &'a FollowArgs,
    pub(super) wanted: &'a [Wanted],
    pub(super) floor: Option<Severity>,
}

/// Follows until it is interrupted, or everything has ended.
pub(super) fn run(
    guide: &Guide,
    detector: &Detector<'_>,
    baseline: Option<Baseline>,
    asked: &Asked<'_>,
) -> anyhow::Result<(Outcome, Losses)> {
    let stop = ended().map_err(|error| Failure::new(format!("cannot hear signals: {error}")))?;
    let mut sources = asked.sources()?;
    let every = match asked.follow.every {
        Some(seconds) => Duration::from_secs(seconds.into()),
        None => asked.pace(),
    };
    let span = sources::blob::Span {
        since: asked.logs.since,
        until: asked.logs.until,
    };
    let told = Told::new(baseline);
    let mut follow = Follow::new(detector.start(), told, micros(span));
    let mut note = Note::new(asked)?;
    let more = note.load(&mut follow, &mut sources)?;
    let mut outputs = Outputs::open(guide, asked.wanted, &more)?;
    let pending = more.get("pending").and_then(Value::as_array);
    for news in pending.into_iter().flatten().filter_map(News::read) {
        outputs.tell(&news)?;
    }
    outputs.flush()?;
    let mut worst: Vec<Alert> = Vec::new();
    let mut troubles = Troubles::default();
    let mut begun = false;
    loop {
        let (mut more, mut over, mut read) = (false, true, false);
        for (index, growing) in sources.iter_mut().enumerate() {
            let now = Timestamp::now().as_microsecond();
            let looked = match follow.look(index, growing.as_mut(), now) {
                Ok(looked) => looked,
                Err(why) if !begun => return Err(Failure::new(why).into()),
                Err(why) => {
                    troubles.note(index, Some(why))?;
                    over = false;
                    continue;
                }
            };
            troubles.note(
                index,
                (!looked.troubles.is_empty()).then(|| looked.troubles.join("; ")),
            )?;
            for what in &looked.gone {
                output::say("warning", what)?;
            }
            more |= looked.more;
            read |= looked.read;
            over &= looked.over;
            tell(
                &looked.news,
                &follow,
                &mut note,
                &mut outputs,
                &mut worst,
                asked,
            )?;
        }
        begun = true;
        let last = stop.load(Ordering::Relaxed) || over;
        if last && note.is_none() {
            let news = follow.close(Timestamp::now().as_microsecond());
            tell(&news, &follow, &mut note, &mut outputs, &mut worst, asked)?;
        }
        if read || last {
            note.store(&follow, &[], &mut outputs, last)?;
        }
        if last {
            break;
        }
        let rested = Instant::now();
        while !more && rested.elapsed() < every && !stop.load(Ordering::Relaxed) {
            thread::sleep(TICK.min(every));
        }
        if more {
            continue;
        }
    }
    let outcome = Outcome {
        alerts: worst,
        tally: follow.tally(),
        seen: follow.told().seen().clone(),
    };
    Ok((outcome, follow.losses().clone()))
}

fn tell(
    news: &[News],
    follow: &Follow<'_, '_>,
    note: &mut Note,
    outputs: &mut Outputs<'_>,
    worst: &mut Vec<Alert>,
    asked: &Asked<'_>,
) -> anyhow::Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    note.store(follow, news, outputs, true)?;
    for one in news {
        outputs.tell(one)?;
        // For the exit code it is enough to know one of each kind.
        let counts = asked.floor.is_some_and(|floor| one.alert.severity >= floor);
        let known = |own: &Alert| own.verdict == one.alert.verdict;
        if counts && !worst.iter().any(known) {
            worst.push(one.alert.clone());
        }
    }
    outputs.flush()
}

impl Asked<'_> {
    /// The slowest of the sources.
    fn pace(&self) -> Duration {
        let urls = self.logs.sources.iter().filter_map(|path| path.to_str());
        let far = urls.filter(|text| is_url(text)).map(pace);
        far.max().unwrap_or(FILES)
    }

    /// What grows, one for each source that was named.
    fn sources(&self) -> anyhow::Result<Vec<Box<dyn Growing>>> {
        let mut all: Vec<Box<dyn Growing>> = Vec::new();
        for path in &self.logs.sources {
            match path.to_str() {
                Some("-") if self.follow.checkpoint.is_some() => {
                    return Err(Failure::new(
                        "standard input cannot be read again from where it was",
                    )
                    .help("leave out `--checkpoint`, or write it to a file and follow that")
                    .into());
                }
                Some("-") => all.push(Box::new(Pipe::stdin())),
                Some(url) if is_url(url) => {
                    let clock: Clock = std::sync::Arc::new(Timestamp::now);
                    let far = open(url, &self.logs.access()?, self.logs.since, &clock);
                    all.push(far.map_err(|why| {
                        Failure::new(format!("cannot read `{url}`: {why}")).help(
                            "it takes https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER, or \
                             eventhub://NAMESPACE.servicebus.windows.net/HUB",
                        )
                    })?);
                }
                _ => {
                    fs::metadata(path).map_err(|error| {
                        Failure::new(format!("cannot read `{}`: {error}", path.display())).help(
                            "give files or folders with audit logs, or `-` for standard input",
                        )
                    })?;
                    all.push(Box::new(Files::new(vec![path.clone()])));
                }
            }
        }
        Ok(all)
    }
}

/// Where it is noted how far it came.
struct Note {
    place: Option<(String, Checkpoints)>,
    at: Instant,
    took: Duration,
}

impl Note {
    fn new(asked: &Asked<'_>) -> anyhow::Result<Self> {
        let place = asked.follow.checkpoint.as_ref().map(|place| {
            let sign = || sign_in().map_err(|error| error.to_string());
            let checkpoints = Checkpoints::new(place, sign).map_err(|why| {
                Failure::new(format!("`--checkpoint` cannot be `{place}`: {why}"))
            })?;
            Ok::<_, Failure>((place.clone(), checkpoints))
        });
        Ok(Self {
            place: place.transpose()?,
            at: Instant::now(),
            took: Duration::ZERO,
        })
    }

    const fn is_none(&self) -> bool {
        self.place.is_none()
    }

    /// Goes on where the last run stopped; what was kept beside that.
    fn load(
        &mut self,
        follow: &mut Follow<'_, '_>,
        sources: &mut [Box<dyn Growing>],
    ) -> anyhow::Result<Value> {
        let Some((place, checkpoints)) = &mut self.place else {
            return Ok(Value::Null);
        };
        let failed = |why| {
            Failure::new(format!("cannot go on from `{place}`: {why}"))
                .help("delete it to begin anew, or name another with `--checkpoint`")
        };
        match checkpoints.load().map_err(failed)? {
            Some(checkpoint) => Ok(follow.resume(&checkpoint, sources).map_err(failed)?),
            None => Ok(Value::Null),
        }
    }

    /// Notes it, at once or when it is time; `pending` is told next.
    fn store(
        &mut self,
        follow: &Follow<'_, '_>,
        pending: &[News],
        outputs: &mut Outputs<'_>,
        now: bool,
    ) -> anyhow::Result<()> {
        let Some((place, checkpoints)) = &mut self.place else {
            return Ok(());
        };
        // One that is long is written more seldom, so that most of the time it is read.
        if !now && self.at.elapsed() < NOTED.max(self.took * 20) {
            return Ok(());
        }
        let begun = Instant::now();
        let pending: Vec<Value> = pending.iter().map(News::kept).collect();
        let more = json!({ "pending": pending, "outputs": outputs.lengths()? });
        let checkpoint = follow.checkpoint(Timestamp::now().as_microsecond(), more);
        let written = checkpoints.store(&checkpoint).map_err(|why| {
            Failure::new(format!("cannot note in `{place}` how far it came: {why}"))
        })?;
        if written == Written::Another {
            return Err(
                Failure::new(format!("somebody else goes on from `{place}`"))
                    .help("give each run a checkpoint of its own")
                    .into(),
            );
        }
        (self.at, self.took) = (Instant::now(), begun.elapsed());
        Ok(())
    }
}

/// Who is told.
struct Outputs<'g> {
    guide: &'g Guide,
    all: Vec<Output>,
}

struct Output {
    json: bool,
    colour: bool,
    out: Box<dyn Write>,
    /// A file, and ids that stand in it behind what the checkpoint knows.
    file: Option<(String, File, BTreeSet<String>)>,
}

impl<'g> Outputs<'g> {
    fn open(guide: &'g Guide, wanted: &[Wanted], more: &Value) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for one in wanted {
            let json = one.format == "json";
            let colour = output::terminal(one.file.is_some()).colour;
            let Some(name) = &one.file else {
                let out = Box::new(anstream::AutoStream::auto(io::stdout()));
                all.push(Output {
                    json,
                    colour,
                    out,
                    file: None,
                });
                continue;
            };
            let known = more
                .get("outputs")
                .and_then(|all| all.get(name))
                .and_then(Value::as_u64);
            let failed = |error: io::Error| Failure::new(format!("cannot write `{name}`: {error}"));
            let (file, told) = opened(name, known).map_err(failed)?;
            let out = Box::new(io::BufWriter::new(file.try_clone().map_err(failed)?));
            all.push(Output {
                json,
                colour,
                out,
                file: Some((name.clone(), file, told)),
            });
        }
        Ok(Self { guide, all })
    }

    fn tell(&mut self, news: &News) -> anyhow::Result<()> {
        for output in &mut self.all {
            if let Some((_, _, told)) = &mut output.file
                && told.remove(&*news.id)
            {
                continue;
            }
            let line = if output.json {
                let mut value = detect::one(self.guide, &news.alert);
                if let Some(value) = value.as_object_mut() {
                    value.insert("schema".to_owned(), SCHEMA.into());
                    value.insert("id".to_owned(), (*news.id).into());
                    value.insert("namespace".to_owned(), (*news.alert.event.namespace).into());
                }
                format!("{value}\n")
            } else {
                said(news, output.colour)
            };
            output.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        for output in &mut self.all {
            output.out.flush()?;
        }
        Ok(())
    }

    /// How long files are.
    fn lengths(&mut self) -> anyhow::Result<Value> {
        self.flush()?;
        let mut lengths = serde_json::Map::new();
        for output in &self.all {
            if let Some((name, file, _)) = &output.file {
                lengths.insert(name.clone(), file.metadata()?.len().into());
            }
        }
        Ok(Value::Object(lengths))
    }
}

/// A file of alerts, and the ids behind so many bytes of it; a line that was not finished is cut off. Where nothing is known
/// of it, it is made anew.
fn opened(name: &str, known: Option<u64>) -> io::Result<(File, BTreeSet<String>)> {
    let mut told = BTreeSet::new();
    let Some(known) = known else {
        return Ok((File::create(name)?, told));
    };
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(name)?;
    file.seek(SeekFrom::Start(known.min(file.metadata()?.len())))?;
    let mut reader = BufReader::new(&file);
    let (mut end, mut line) = (known, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            break;
        }
        if line.last() != Some(&b'\n') {
            file.set_len(end)?;
            break;
        }
        end += read;
        let text = String::from_utf8_lossy(&line);
        let id = serde_json::from_str::<Value>(&text).ok();
        let id = id
            .as_ref()
            .and_then(|value| value.get("id"))
            .and_then(Value::as_str);
        // In a line for people it stands at the end.
        let id = id.or_else(|| Some(text.trim_end().rsplit_once(" #")?.1));
        told.extend(id.map(str::to_owned));
    }
    Ok((file, told))
}

/// One line for people.
fn said(news: &News, colour: bool) -> String {
    let News { id, alert } = news;
    let at = match alert.event.at {
        0 => "at no known time   ".to_owned(),
        at => audit::time::shown(at),
    };
    let head = format!("{:8}", alert.severity.word());
    let head = detect::page::paint(colour, alert.severity, &head);
    let doubt = match alert.verdict {
        Verdict::Match => "",
        Verdict::Unknown => "perhaps (the record was cut): ",
    };
    let times = if alert.times > 1 {
        format!(" ({} or more)", alert.times)
    } else {
        String::new()
    };
    let message = clean(&alert.event.message);
    format!(
        "{at}  {head}  {}  {doubt}{message}{times} #{id}\n",
        alert.detection
    )
}

/// What went wrong, told once, and told when it is over.
#[derive(Default)]
struct Troubles(std::collections::BTreeMap<usize, String>);

impl Troubles {
    fn note(&mut self, source: usize, why: Option<String>) -> anyhow::Result<()> {
        match why {
            Some(why) if self.0.get(&source) != Some(&why) => {
                output::say("warning", &format!("{why}; it is tried again"))?;
                self.0.insert(source, why);
            }
            None if self.0.remove(&source).is_some() => output::say("note", "that is over")?,
            _ => {}
        }
        Ok(())
    }
}
