//! Logs that grow, are rotated, compressed and interrupted: what is told is what one reading of everything finds, each once.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use audit::detect::{Alert, Detector, News, Told};
use audit::follow::{Files, Follow, Growing};
use audit::{Options, Source, Span};
use flate2::Compression;
use flate2::write::GzEncoder;
use guide::{Guide, setting};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Numbers that look like chance and are always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}

struct Said<'s> {
    id: String,
    second: i64,
    verb: &'s str,
    user: &'s str,
    agent: String,
    object: Value,
    uri: String,
    code: u16,
}

fn line(said: &Said<'_>) -> String {
    let at = jiff::Timestamp::from_second(1_796_000_000 + said.second).unwrap();
    let Said {
        id,
        verb,
        user,
        agent,
        object,
        uri,
        code,
        ..
    } = said;
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}","user":{{"username":"{user}","groups":["system:authenticated"]}},"sourceIPs":["203.0.113.7"],"userAgent":"{agent}","objectRef":{object},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"{at:.6}","stageTimestamp":"{at:.6}","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
    )
}

/// Ten days: commands in pods, Secrets read one by one and many at once, agents that are new.
fn log(chance: &mut Chance) -> Vec<String> {
    let mut lines = Vec::new();
    let mut second = 0;
    for number in 0..900 {
        second += 300 + chance.below(1200) as i64;
        let id = format!("id-{number}");
        let name = format!("n{}", chance.below(40));
        let agent = format!(
            "tool{}/v1",
            // The last ones come when the log is old enough to say so.
            chance.below(3 + number / 100)
        );
        let pods = |sub: &str| json!({"resource": "pods", "subresource": sub, "namespace": "shop", "name": name, "apiVersion": "v1"});
        let one = |second, verb, object, uri: String, code, id| {
            line(&Said {
                id,
                second,
                verb,
                user: "system:serviceaccount:shop:web",
                agent: agent.clone(),
                object,
                uri,
                code,
            })
        };
        match chance.below(12) {
            0 => lines.push(one(
                second,
                "get",
                pods("exec"),
                format!("/api/v1/namespaces/shop/pods/{name}/exec?command=id"),
                101,
                id,
            )),
            1 => {
                for more in 0..12 {
                    let object = json!({"resource": "secrets", "namespace": "shop", "name": format!("s{more}"), "apiVersion": "v1"});
                    let uri = format!("/api/v1/namespaces/shop/secrets/s{more}");
                    lines.push(one(second + more, "get", object, uri, 200, format!("{id}-{more}")));
                }
            }
            _ => lines.push(one(
                second,
                "get",
                json!({"resource": "configmaps", "namespace": "shop", "name": name, "apiVersion": "v1"}),
                format!("/api/v1/namespaces/shop/configmaps/{name}"),
                200,
                id,
            )),
        }
    }
    lines
}

/// What an alert is about.
fn about(alert: &Alert) -> String {
    format!(
        "{} {:?} {} {}",
        alert.detection, alert.verdict, alert.event.at, alert.event.audit_id
    )
}

fn guide() -> (Guide, guide::Setting) {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty());
    let setting = setting::setting(&guide, None, None).unwrap();
    (guide, setting)
}

/// All alerts of one reading.
fn all(detector: &Detector<'_>, text: &str) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("all.log");
    fs::write(&path, text).unwrap();
    let (state, _) = audit::read(&[Source::File(path)], Options::default(), || {
        detector.start()
    })
    .unwrap();
    let mut all: Vec<String> = state.finish(None).alerts.iter().map(about).collect();
    all.sort();
    all
}

struct Writer {
    folder: PathBuf,
    rotated: usize,
}

impl Writer {
    fn path(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.path())
            .unwrap();
        file.write_all(bytes).unwrap();
    }

    /// As lumberjack does, which the API server rotates with: renamed, and perhaps compressed later.
    fn rotate(&mut self) {
        self.rotated += 1;
        fs::rename(self.path(), self.old(self.rotated)).unwrap();
        File::create(self.path()).unwrap();
    }

    fn old(&self, number: usize) -> PathBuf {
        self.folder.join(format!("audit-2026-11-{number:03}.log"))
    }

    fn compress(&self, number: usize) {
        let plain = fs::read(self.old(number)).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&plain).unwrap();
        let name = format!("{}.gz", self.old(number).display());
        fs::write(name, packed.finish().unwrap()).unwrap();
        fs::remove_file(self.old(number)).unwrap();
    }
}

/// Whoever follows, is interrupted, and goes on.
struct Run<'d, 'g> {
    detector: &'d Detector<'g>,
    root: PathBuf,
    follow: Follow<'d, 'g>,
    sources: Vec<Box<dyn Growing>>,
    checkpoint: Option<Value>,
    told: Vec<News>,
    now: i64,
}

impl<'d, 'g> Run<'d, 'g> {
    fn new(detector: &'d Detector<'g>, root: &Path) -> Self {
        Self {
            detector,
            root: root.to_path_buf(),
            follow: Follow::new(detector.start(), Told::new(None), Span::default()),
            sources: vec![Box::new(Files::new(vec![root.to_path_buf()]))],
            checkpoint: None,
            told: Vec::new(),
            now: jiff::Timestamp::now().as_microsecond(),
        }
    }

    /// Looks; what is told is in the checkpoint before. Or it is interrupted before that.
    fn look(&mut self, interrupted: bool) {
        self.now += 1;
        // Events of these logs lie in the future of the machine.
        let now = self.now + 1_000_000_000_000_000;
        let looked = self.follow.look(0, self.sources[0].as_mut(), now).unwrap();
        assert_eq!(looked.troubles, Vec::<String>::new());
        if interrupted {
            self.follow = Follow::new(self.detector.start(), Told::new(None), Span::default());
            self.sources = vec![Box::new(Files::new(vec![self.root.clone()]))];
            if let Some(checkpoint) = &self.checkpoint {
                self.follow.resume(checkpoint, &mut self.sources).unwrap();
            }
            return;
        }
        let text = self.follow.checkpoint(self.now, Value::Null).to_string();
        self.checkpoint = Some(serde_json::from_str(&text).unwrap());
        self.told.extend(looked.news);
    }

    fn check(&self, expected: &[String]) {
        let ids: BTreeSet<&str> = self.told.iter().map(|news| &*news.id).collect();
        assert_eq!(ids.len(), self.told.len(), "something was told twice");
        let mut told: Vec<String> = self.told.iter().map(|news| about(&news.alert)).collect();
        told.sort();
        let missing: Vec<&String> = expected.iter().filter(|one| !told.contains(one)).collect();
        let beside: Vec<&String> = told.iter().filter(|one| !expected.contains(one)).collect();
        assert!(
            missing.is_empty() && beside.is_empty(),
            "missing {missing:#?}, beside {beside:#?}"
        );
        assert_eq!(told.len(), expected.len());
    }
}

#[test]
fn a_log_that_grows_is_rotated_and_interrupted_is_told_once() {
    let (guide, setting) = guide();
    let detector = Detector::new(&guide, &setting, |_| true);
    for seed in 1..=6 {
        let mut chance = Chance(seed);
        let lines = log(&mut chance);
        let text: String = lines.iter().fold(String::new(), |mut text, line| {
            writeln!(text, "{line}").unwrap();
            text
        });
        let expected = all(&detector, &text);
        let of = |id: &str| expected.iter().filter(|one| one.starts_with(id)).count();
        assert!(
            of("exec-into-pod") > 20 && of("secrets-read-many") > 10,
            "{expected:#?}"
        );
        assert!(of("account-new-agent") > 0, "{expected:#?}");
        let folder = TempDir::new().unwrap();
        let mut writer = Writer {
            folder: folder.path().to_path_buf(),
            rotated: 0,
        };
        writer.append(b"");
        // Of a folder everything is followed, of a file what it was called before too.
        let root = if seed % 2 == 0 {
            writer.path()
        } else {
            writer.folder.clone()
        };
        let mut run = Run::new(&detector, &root);
        let (mut at, mut packed) = (0, 0);
        while at < text.len() {
            let some = (1 + chance.below(60_000)).min(text.len() - at);
            writer.append(&text.as_bytes()[at..at + some]);
            at += some;
            let interrupted = chance.below(3) == 0;
            if chance.below(4) > 0 {
                run.look(interrupted);
            }
            // At the end of a line, as who writes lines does it.
            if text[..at].ends_with('\n') || chance.below(5) == 0 {
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
                writer.append(&text.as_bytes()[at..end]);
                at = end;
                // A file alone is only found again while it is not compressed.
                if seed % 2 == 1 && packed < writer.rotated && chance.below(2) == 0 {
                    packed += 1;
                    writer.compress(packed);
                }
                // A file that is rotated twice between two looks was written to since: it is found by that.
                writer.rotate();
                run.look(chance.below(4) == 0);
            }
        }
        for _ in 0..5 {
            run.look(false);
        }
        run.check(&expected);
        assert_eq!(run.follow.losses().unreadable, 0);
    }
}

/// Two parts of nothing but ends of lines, longer together than one look reads.
#[derive(Default)]
struct Long {
    caught_up: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    resumed: std::sync::Arc<std::sync::Mutex<Vec<bool>>>,
}

impl Growing for Long {
    fn parts(&mut self) -> Result<Vec<audit::follow::Part>, String> {
        let part = |id: &str| audit::follow::Part {
            id: id.to_owned(),
            name: id.to_owned(),
            length: 12 << 20,
            grows_only: true,
            ..Default::default()
        };
        Ok(vec![part("a"), part("b")])
    }

    fn read(&mut self, _: &audit::follow::Part, from: u64, most: u64) -> Result<Vec<u8>, String> {
        let some = most.min((12 << 20) - from);
        Ok(vec![b'\n'; usize::try_from(some).unwrap()])
    }

    fn caught_up(&mut self) {
        self.caught_up
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn resume(&mut self, _: &[audit::follow::Known], _: i64, caught_up: bool) {
        self.resumed.lock().unwrap().push(caught_up);
    }
}

#[test]
fn a_backlog_is_not_done_before_it_is_read() {
    let (guide, setting) = guide();
    let detector = Detector::new(&guide, &setting, |_| true);
    let (long, next) = (Long::default(), Long::default());
    let (count, resumed) = (
        std::sync::Arc::clone(&long.caught_up),
        std::sync::Arc::clone(&next.resumed),
    );
    let new = || Follow::new(detector.start(), Told::new(None), Span::default());
    let mut follow = new();
    let mut sources: Vec<Box<dyn Growing>> = vec![Box::new(long)];
    let caught_up = || count.load(std::sync::atomic::Ordering::Relaxed);
    let mut others: Vec<Box<dyn Growing>> = vec![Box::new(next)];
    for (now, (more, done)) in [(1, (true, 0)), (2, (false, 1))] {
        let looked = follow.look(0, sources[0].as_mut(), now).unwrap();
        assert_eq!((looked.more, caught_up()), (more, done));
        let checkpoint = follow.checkpoint(now, Value::Null);
        new().resume(&checkpoint, &mut others).unwrap();
    }
    assert_eq!(follow.behind(), 0);
    // Whoever goes on knows whether there is a backlog.
    assert_eq!(*resumed.lock().unwrap(), [false, true]);
}

#[test]
fn a_file_that_is_written_anew_is_read_anew() {
    let (guide, setting) = guide();
    let detector = Detector::new(&guide, &setting, |_| true);
    let mut chance = Chance(7);
    let lines = log(&mut chance);
    let (one, two) = lines.split_at(lines.len() / 2);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.log");
    let mut run = Run::new(&detector, &path);
    fs::write(&path, one.join("\n") + "\n").unwrap();
    run.look(false);
    let first = run.follow.losses().events;
    assert_eq!(first, one.len() as u64);
    // The same file, other content, longer than before.
    fs::write(&path, two.join("\n") + "\n" + &two.join("\n") + "\n").unwrap();
    run.look(false);
    assert_eq!(
        run.follow.losses().events,
        (one.len() + 2 * two.len()) as u64
    );
    run.check(&all(&detector, &(lines.join("\n") + "\n")));
    // Cut, and a line without an end, which is not taken before it has one.
    fs::write(&path, &lines[0]).unwrap();
    run.look(false);
    let before = run.follow.losses().events;
    fs::write(&path, lines[0].clone() + "\n").unwrap();
    run.look(false);
    assert_eq!(run.follow.losses().events, before + 1);
}
