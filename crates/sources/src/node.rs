//! A node's root folder as a source: what the probes of `node` say, as an object of kind `Node.seawall.dev` whose values
//! stand in the node's files.
//!
//! It is told as a snapshot keeps a resource of files ([`model::kept`]): values by lines of files, no texts of them. A
//! cluster keeps the same as an object ([`object`]), so that what a pod on each node reads is judged with the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::coverage::{DocumentEntry, Status};
use model::kept::{self, Kept, MARK};
use model::kinds::Kind;
use model::manifest::{Reader, Reading as Judged};
use model::resource::ResourceName;
use model::secrets::scrub;
use node::{Data, Family, Place, Reading, Value};

use crate::live::{Event, LiveError, Object, Of, Source};

/// The group of the kind.
const GROUP: &str = "seawall.dev";

/// Levels that are written.
const DEEPEST: usize = 32;

/// A node's root folder.
pub struct NodeRoot {
    path: PathBuf,
    name: Option<String>,
    called: String,
}

impl NodeRoot {
    /// A root, and what the node is called where its files do not say it.
    #[must_use]
    pub fn new(path: PathBuf, name: Option<String>) -> Self {
        Self {
            called: crate::stream::shown(&path),
            path,
            name,
        }
    }
}

impl Source for NodeRoot {
    fn name(&self) -> String {
        format!("node {}", self.called)
    }

    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let shown = crate::stream::shown(&self.path);
        tell(Event::Doing(format!("reading the node in {shown}")))?;
        let reading = probe(&self.path, self.name.as_deref())?;
        self.called.clone_from(&reading.name);
        let entry = |path: &str, reason: String, help: Option<&str>| {
            Event::Entry(Box::new(DocumentEntry {
                path: path.into(),
                live: false,
                index: 0,
                line: 1,
                status: Status::Unreadable,
                kind: Some("Node".into()),
                namespace: None,
                name: Some(reading.name.as_str().into()),
                reason: Some(reason.into()),
                help: help.map(Into::into),
            }))
        };
        if reading.family == Family::Windows {
            let reason = "it is the root of a Windows node, which is not read";
            let help = "what can be set of Windows pools is judged in templates and with `--azure`";
            return tell(entry(&shown, reason.to_owned(), Some(help)));
        }
        tell(Event::Kept(Box::new(kept(&reading, &shown))))?;
        // Who gives some nodes gives all that were looked at.
        tell(Event::Complete {
            kind: "Node.seawall.dev".into(),
            within: Box::default(),
        })?;
        for unread in &reading.unread {
            let help = unread
                .why
                .contains("permission")
                .then_some("run it as root");
            tell(entry(&unread.path, unread.why.clone(), help))?;
        }
        Ok(())
    }
}

/// Reads a root as of now.
fn probe(path: &Path, name: Option<&str>) -> Result<Reading, LiveError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    node::probe(path, name, now).map_err(|error| LiveError {
        message: error.to_string(),
        help: Some(
            "give the root of a node: `/` on the node itself, or where it is mounted".to_owned(),
        ),
    })
}

/// Where a cluster keeps what was read of its nodes.
pub const OBJECTS: &str = "/apis/seawall.dev/v1/nodereadings";

/// What a cluster keeps of a node.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeObject {
    api_version: String,
    kind: String,
    metadata: Metadata,
    reading: Written,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Metadata {
    name: String,
}

/// The reading: an object as JSON, and for each of its lines the file and line of the node.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Written {
    json: String,
    lines: Vec<u32>,
    files: Vec<From>,
    #[serde(default)]
    unread: Vec<Why>,
}

/// From a line on values stand in a file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct From {
    line: u32,
    file: String,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Why {
    path: String,
    why: String,
}

/// A node as the object that its cluster keeps ([`OBJECTS`]): its name, and JSON.
///
/// # Errors
/// When the root cannot be read, or is that of a Windows node.
pub fn object(path: &Path, name: Option<&str>) -> Result<(String, String), LiveError> {
    let reading = probe(path, name)?;
    if reading.family == Family::Windows {
        return Err(LiveError {
            message: format!(
                "`{}` is the root of a Windows node, which is not read",
                path.display()
            ),
            help: None,
        });
    }
    if !node::is_name(&reading.name) {
        return Err(LiveError {
            message: format!("`{}` is no name of a node", reading.name),
            help: Some("`--node-name` says what the cluster calls it".to_owned()),
        });
    }
    let kept = kept(&reading, "/");
    let files = kept.files.iter().map(|(line, file)| From {
        line: *line,
        file: file.to_string(),
    });
    let unread = reading.unread.iter().map(|one| Why {
        path: one.path.clone(),
        why: one.why.clone(),
    });
    let object = NodeObject {
        api_version: format!("{GROUP}/v1"),
        kind: "Node".to_owned(),
        metadata: Metadata {
            name: reading.name.clone(),
        },
        reading: Written {
            json: kept.json,
            lines: kept.lines,
            files: files.collect(),
            unread: unread.collect(),
        },
    };
    let json = serde_json::to_string(&object).map_err(|error| LiveError {
        message: format!("the reading cannot be written: {error}"),
        help: None,
    })?;
    Ok((reading.name, json))
}

/// What an object of a cluster says of a node; `None` when it is none that [`object`] wrote. It is a stranger's text: of
/// another node than the one it is called after it says nothing.
#[must_use]
pub fn of_object(object: &Object) -> Option<(Kept, Vec<DocumentEntry>)> {
    if object.of != Of::Kubernetes || !object.json.contains("\"reading\"") {
        return None;
    }
    let read: NodeObject = serde_json::from_str(&object.json).ok()?;
    if read.kind != "Node" || read.api_version != format!("{GROUP}/v1") {
        return None;
    }
    #[derive(serde::Deserialize)]
    struct Named {
        kind: String,
        metadata: Metadata,
    }
    let named: Named = serde_json::from_str(&read.reading.json).ok()?;
    if named.kind != "Node" || named.metadata.name != read.metadata.name {
        return None;
    }
    let name: Box<str> = read.metadata.name.into();
    let unread = read
        .reading
        .unread
        .into_iter()
        .take(1000)
        .map(|one| DocumentEntry {
            path: one.path.into(),
            live: false,
            index: 0,
            line: 1,
            status: Status::Unreadable,
            kind: Some("Node".into()),
            namespace: None,
            name: Some(name.clone()),
            reason: Some(one.why.into()),
            help: None,
        });
    let unread = unread.collect();
    let files = read.reading.files.into_iter();
    let files = files
        .map(|from| (from.line, Arc::from(from.file)))
        .collect();
    let mut kept = nothing(&name, Arc::clone(&object.address));
    kept.json = read.reading.json;
    kept.lines = read.reading.lines;
    kept.files = files;
    Some((kept, unread))
}

/// The same as a resource.
pub(crate) fn read_object(object: &Object, reader: &Reader<'_>) -> Option<Judged> {
    let (kept, unread) = of_object(object)?;
    let mut reading = kept::read(&kept, reader);
    reading.entries.extend(unread);
    Some(reading)
}

fn nothing(name: &str, path: Arc<str>) -> Kept {
    Kept {
        name: ResourceName {
            kind: Kind::Kubernetes {
                group: GROUP.into(),
                kind: "Node".into(),
            },
            api_version: format!("{GROUP}/v1").into(),
            namespace: None,
            name: name.into(),
        },
        path: Arc::clone(&path),
        index: 0,
        entry: Some((path, 1)),
        live: false,
        rendered_by: None,
        azure: None,
        json: String::new(),
        lines: Vec::new(),
        files: Vec::new(),
        through: 0,
        cases: Vec::new(),
        certificates: None,
        waivers: Vec::new(),
    }
}

fn kept(reading: &Reading, shown: &str) -> Kept {
    let mut writer = Writer::default();
    writer.begin(&reading.document.place);
    writer.value(&reading.document, 0);
    let mut kept = nothing(&reading.name, shown.into());
    kept.json = writer.out;
    kept.lines = writer.lines;
    kept.files = writer.files;
    kept
}

/// Writes JSON, and for each of its lines (one begins after each opening bracket and each comma) the place.
#[derive(Default)]
struct Writer {
    out: String,
    lines: Vec<u32>,
    files: Vec<(u32, Arc<str>)>,
}

impl Writer {
    fn begin(&mut self, place: &Place) {
        if self
            .files
            .last()
            .is_none_or(|(_, file)| *file != place.file)
        {
            self.files
                .push((self.lines.len() as u32, Arc::clone(&place.file)));
        }
        self.lines.push(place.line);
    }

    /// A line begins that stands where the last one does.
    fn again(&mut self) {
        self.lines.push(self.lines.last().copied().unwrap_or(1));
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match &value.data {
            _ if depth > DEEPEST => self.out.push_str("null"),
            Data::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Data::Int(number) => self.out.push_str(&number.to_string()),
            // A flag may hold a credential.
            Data::Text(text) => self.quote(&scrub::text(text)),
            Data::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.begin(&item.place);
                    self.value(item, depth + 1);
                }
                if items.is_empty() {
                    self.again();
                }
                self.out.push(']');
            }
            Data::Map(entries) => {
                self.out.push('{');
                for (index, (key, entry)) in entries.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.begin(&entry.place);
                    self.quote(key);
                    self.out.push(':');
                    self.value(entry, depth + 1);
                }
                if entries.is_empty() {
                    self.again();
                }
                self.out.push('}');
            }
            Data::Unknown(why) => {
                self.again();
                self.again();
                self.out.push_str("{\"");
                self.out.push_str(MARK);
                self.out.push_str("\":\"open\",\"text\":");
                self.quote(why);
                self.out.push('}');
            }
        }
    }

    fn quote(&mut self, text: &str) {
        self.out
            .push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_place() {
        let place = |line| Place::new("/a", line);
        let document = Value::map(
            [
                (
                    "a",
                    Some(Value::new(
                        vec![Value::new("x,{", &place(3)), Value::new(true, &place(4))],
                        &place(2),
                    )),
                ),
                (
                    "b",
                    Some(Value::unknown(
                        "what, {nobody} [knows]",
                        &Place::new("/b", 7),
                    )),
                ),
                (
                    "c",
                    Some(Value::map(
                        [("d", Some(Value::new(Vec::new(), &place(9))))],
                        &place(8),
                    )),
                ),
            ],
            &place(1),
        );
        let mut writer = Writer::default();
        writer.begin(&document.place);
        writer.value(&document, 0);
        assert_eq!(
            writer.out,
            r#"{"a":["x,{",true],"b":{"$seawall":"open","text":"what, {nobody} [knows]"},"c":{"d":[]}}"#
        );
        assert_eq!(writer.lines, [1, 2, 3, 4, 7, 7, 7, 8, 9, 9]);
        let files: Vec<(u32, &str)> = writer
            .files
            .iter()
            .map(|(at, file)| (*at, &**file))
            .collect();
        assert_eq!(files, [(0, "/a"), (4, "/b"), (7, "/a")]);
    }

    #[test]
    fn an_object_says_nothing_of_another_node() {
        let object = |name: &str, inner: &str| Object {
            of: Of::Kubernetes,
            address: format!("{OBJECTS}/{name}").into(),
            json: format!(
                r#"{{"apiVersion":"seawall.dev/v1","kind":"Node","metadata":{{"name":"{name}","uid":"1"}},"reading":{{"json":"{{\"kind\":\"Node\",\"metadata\":{{\"name\":\"{inner}\"}}}}","lines":[1,1,1,1],"files":[{{"line":0,"file":"/etc/x"}}],"unread":[{{"path":"/etc/y","why":"permission denied"}}]}}}}"#
            ),
        };
        let (kept, unread) = of_object(&object("a", "a")).unwrap();
        assert_eq!(&*kept.name.name, "a");
        assert_eq!(kept.files, [(0, Arc::from("/etc/x"))]);
        assert_eq!(unread.len(), 1);
        assert!(of_object(&object("a", "b")).is_none());
        let mut other = object("a", "a");
        other.json = other.json.replace("seawall.dev/v1", "example.com/v1");
        assert!(of_object(&other).is_none());
    }
}
