//! A node's root folder as a source: what the probes of `node` say, as an object of kind `Node.seawall.dev` whose values
//! stand in the node's files.
//!
//! It is told as a snapshot keeps a resource of files ([`model::kept`]): values by lines of files, no texts of them.

use std::path::PathBuf;
use std::sync::Arc;

use model::coverage::{DocumentEntry, Status};
use model::kept::{Kept, MARK};
use model::kinds::Kind;
use model::resource::ResourceName;
use node::{Data, Family, Place, Reading, Value};

use crate::live::{Event, LiveError, Source};

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
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.ok().and_then(|now| i64::try_from(now.as_secs()).ok());
        let reading = node::probe(&self.path, self.name.as_deref(), now).map_err(|error| LiveError {
            message: error.to_string(),
            help: Some("give the root of a node: `/` on the node itself, or where it is mounted".to_owned()),
        })?;
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
            let help = unread.why.contains("permission").then_some("run it as root");
            tell(entry(&unread.path, unread.why.clone(), help))?;
        }
        Ok(())
    }
}

fn kept(reading: &Reading, shown: &str) -> Kept {
    let mut writer = Writer::default();
    writer.begin(&reading.document.place);
    writer.value(&reading.document, 0);
    let path: Arc<str> = shown.into();
    Kept {
        name: ResourceName {
            kind: Kind::Kubernetes {
                group: GROUP.into(),
                kind: "Node".into(),
            },
            api_version: format!("{GROUP}/v1").into(),
            namespace: None,
            name: reading.name.as_str().into(),
        },
        path: Arc::clone(&path),
        index: 0,
        entry: Some((path, 1)),
        rendered_by: None,
        azure: None,
        json: writer.out,
        lines: writer.lines,
        files: writer.files,
        through: 0,
        cases: Vec::new(),
        certificates: None,
        waivers: Vec::new(),
    }
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
        if self.files.last().is_none_or(|(_, file)| *file != place.file) {
            self.files.push((self.lines.len() as u32, Arc::clone(&place.file)));
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
            Data::Text(text) => self.quote(text),
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
        self.out.push_str(&serde_json::Value::from(text).to_string());
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
                ("a", Some(Value::new(vec![Value::new("x,{", &place(3)), Value::new(true, &place(4))], &place(2)))),
                ("b", Some(Value::unknown("what, {nobody} [knows]", &Place::new("/b", 7)))),
                ("c", Some(Value::map([("d", Some(Value::new(Vec::new(), &place(9))))], &place(8)))),
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
        let files: Vec<(u32, &str)> = writer.files.iter().map(|(at, file)| (*at, &**file)).collect();
        assert_eq!(files, [(0, "/a"), (4, "/b"), (7, "/a")]);
    }
}
