//! A resource written down as JSON, so that a snapshot of it is judged as the resource was: with what its
//! source leaves open, what Azure fills in, and what it comes to for the values of open parameters.
//!
//! What must not be kept is struck on the way ([`crate::secrets::scrub`]): what Secrets hold altogether, of
//! other credentials what they say. What is left out: the texts of the files (their lines are noted), and
//! the container that all of this is kept in (`sources::snapshot`).
//!
//! What JSON has no word for is a map with the key [`MARK`]:
//!
//! | written | means |
//! |---|---|
//! | `{"$seawall": "open", "text": T}` | the source leaves the value open; the expression `T` decides |
//! | `{"$seawall": "open-text", "text": T}` | the same of a string; open parts stand in braces |
//! | `{"$seawall": "redacted"}` | a secret that was dropped |
//! | `{"$seawall": "undocumented"}` | the API fills it in, and nobody documents what with |
//! | `{"$seawall": "default", "value": V}` | `V`, which nobody wrote; what it holds says so itself |

use std::fmt::Write as _;
use std::sync::Arc;

use cel::{Node as _, Symbols, View};
use yaml::{Limits, Span, json};

use crate::azure::{Azure, Case};
use crate::certificates::Certificate;
use crate::coverage::{DocumentEntry, Status};
use crate::doc::{Dialect, Doc, DocBuilder, Kind as Node};
use crate::kinds::Kind;
use crate::manifest::{Reader, Reading};
use crate::resource::{Origin, Resource, ResourceName};
use crate::secrets::{self, scrub};
use crate::value::Ref;
use crate::waiver::InlineWaiver;

mod build;

/// The key of what JSON has no word for.
pub const MARK: &str = "$seawall";

/// Where `kubectl apply` keeps a copy of the object.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A value longer than this is not kept: aliases can make gigabytes of a few lines.
const LONGEST: usize = 16 << 20;

/// Levels that are written; readers of documents allow fewer.
const DEEPEST: usize = 250;

/// A resource as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is called.
    pub name: ResourceName,
    /// The file it was read from.
    pub path: Arc<str>,
    /// Number of the document within the file.
    pub index: u32,
    /// Where the ledger has it; a part of another resource has no line there.
    pub entry: Option<(Arc<str>, u32)>,
    /// Whether it is an address rather than a file.
    pub live: bool,
    /// The chart or kustomization that was rendered.
    pub rendered_by: Option<Arc<str>>,
    /// Its whole id, for Azure resources.
    pub azure: Option<Box<str>>,
    /// The object.
    pub json: String,
    /// The line of the file for each line of the object, written with a line for each value.
    pub lines: Vec<u32>,
    /// The files that its values stand in, where it is not `path` alone: from which of those lines on.
    pub files: Vec<(u32, Arc<str>)>,
    /// How many of the last lines are calls of the modules that lead to it, outermost first.
    pub through: u32,
    /// What it comes to for values of parameters that are open.
    pub cases: Vec<KeptCase>,
    /// The certificates of a Secret.
    pub certificates: Option<Box<[Certificate]>>,
    /// Waivers in the comments of its document, once for each document.
    pub waivers: Vec<InlineWaiver>,
}

/// A [`Case`] as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCase {
    /// The parameter.
    pub parameter: Box<str>,
    /// Its value; `None` for any but those of the other cases.
    pub value: Option<Box<str>>,
    /// The object; `None` when it is not made in this case.
    pub json: Option<String>,
}

/// Writes down what was read: the resources, and the lines of the ledger that have none.
#[must_use]
pub fn keep(reading: Reading) -> (Vec<Kept>, Vec<DocumentEntry>) {
    let mut kept = Vec::new();
    let mut others = Vec::new();
    let mut assessed: Vec<DocumentEntry> = Vec::new();
    for entry in reading.entries {
        if entry.status == Status::Assessed {
            assessed.push(entry);
        } else {
            others.push(entry);
        }
    }
    let mut assessed = assessed.into_iter().peekable();
    let mut waivers = reading.waivers;
    for resource in &reading.resources {
        let entry = assessed.next_if(|entry| {
            entry.name.as_deref() == Some(&*resource.name.name)
                && entry.kind.as_deref() == Some(resource.name.kind.name())
        });
        let place = entry.as_ref().map(|entry| (entry.path.clone(), entry.line));
        match keep_one(resource, place) {
            Some(mut one) => {
                one.waivers = std::mem::take(&mut waivers)
                    .into_iter()
                    .map(|mut waiver| {
                        waiver.source = scrub::text(&waiver.source).into();
                        waiver
                    })
                    .collect();
                kept.push(one);
            }
            None => others.extend(entry.map(|mut entry| {
                entry.status = Status::Unresolved;
                entry.reason = Some("it is too large for a snapshot".into());
                entry
            })),
        }
    }
    others.extend(assessed);
    (kept, others)
}

/// `None` when it is too large.
fn keep_one(resource: &Resource, entry: Option<(Arc<str>, u32)>) -> Option<Kept> {
    let kind = &resource.name.kind;
    let cases = resource.azure.iter().flat_map(|azure| &azure.cases);
    let cases: Option<Vec<KeptCase>> = cases
        .map(|case| {
            let json = match case.root {
                Some(root) => Some(written(case.doc.node(root), kind, true)?.out),
                None => None,
            };
            Some(KeptCase {
                parameter: case.parameter.clone(),
                value: case.value.clone(),
                json,
            })
        })
        .collect();
    let mut written = written(resource.object(), kind, true)?;
    let through: &[Span] = resource
        .azure
        .as_ref()
        .map_or(&[], |azure| azure.through.as_slice());
    for call in through {
        written.place(&resource.doc, call.start);
    }
    let mut files: Vec<(u32, Arc<str>)> = Vec::new();
    for (line, file) in &written.files {
        let file = file.as_ref().unwrap_or(&resource.origin.path);
        if files.last().is_none_or(|(_, last)| last != file) {
            files.push((*line, Arc::clone(file)));
        }
    }
    if files.iter().all(|(_, file)| *file == resource.origin.path) {
        files.clear();
    }
    Some(Kept {
        name: resource.name.clone(),
        path: Arc::clone(&resource.origin.path),
        index: resource.origin.index,
        entry,
        live: resource.origin.live,
        rendered_by: resource.origin.rendered_by.clone(),
        azure: resource.azure.as_ref().map(|azure| azure.id.clone()),
        json: written.out,
        lines: written.lines,
        files,
        through: through.len() as u32,
        cases: cases?,
        certificates: resource.certificates.clone(),
        waivers: Vec::new(),
    })
}

/// An object as an API gave it, without what must not be kept; `None` when it is no JSON or too large.
#[must_use]
pub fn scrubbed(text: &str, azure: bool) -> Option<String> {
    let symbols = Symbols::default();
    let dialect = if azure {
        Dialect::Azure
    } else {
        Dialect::Plain
    };
    let mut builder = DocBuilder::new(&symbols, dialect, text.into(), 1);
    // As what is live is read.
    let options = json::Options { lenient: azure };
    let root = json::parse(text, options, &Limits::default(), &mut builder).ok()?;
    let doc = builder.finish(root);
    let root = doc.root();
    let text = |key: &str| root.get(key).and_then(Ref::as_str).unwrap_or_default();
    let kind = if azure {
        Kind::Azure(text("type").into())
    } else {
        let (group, _) = crate::kinds::split_api_version(text("apiVersion"));
        Kind::Kubernetes {
            group: group.into(),
            kind: text("kind").into(),
        }
    };
    written(root, &kind, false).map(|written| written.out)
}

/// How many lines an object has that is written with a line for each value: one begins after each opening bracket and
/// each comma.
#[must_use]
pub fn lines_of(json: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let mut lines = 1;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' | b',' if !quoted => lines += 1,
            _ => {}
        }
    }
    lines
}

/// The resource that was kept, and its line in the ledger.
#[must_use]
pub fn read(kept: &Kept, reader: &Reader<'_>) -> Reading {
    let mut reading = Reading {
        waivers: kept.waivers.clone(),
        ..Reading::default()
    };
    let entry = |status, reason: Option<Box<str>>| {
        let (path, line) = kept.entry.as_ref()?;
        Some(DocumentEntry {
            path: Arc::clone(path),
            live: kept.live,
            index: kept.index,
            line: *line,
            status,
            kind: Some(kept.name.kind.name().into()),
            namespace: kept.name.namespace.clone(),
            name: Some(kept.name.name.clone()),
            reason,
            help: None,
        })
    };
    if let Kind::Kubernetes { group, kind } = &kept.name.kind
        && !(reader.wants)(&kept.name.kind)
    {
        let (status, reason) = crate::manifest::unwanted(group, kind);
        reading.entries.extend(entry(status, reason));
        return reading;
    }
    match resource(kept, reader) {
        Ok(resource) => {
            reading.entries.extend(entry(Status::Assessed, None));
            reading.resources.push(resource);
        }
        Err(reason) => reading
            .entries
            .extend(entry(Status::Unreadable, Some(reason.into()))),
    }
    reading
}

fn resource(kept: &Kept, reader: &Reader<'_>) -> Result<Resource, String> {
    let azure = kept.azure.is_some() || kept.name.kind == crate::azure::template::kind();
    let document = |text: &str, places| {
        build::read(text, azure, reader, places)
            .map(|(doc, calls)| (Arc::new(doc), calls))
            .map_err(|error| error.message)
    };
    let places = build::Places {
        lines: &kept.lines,
        files: &kept.files,
        more: kept.through,
    };
    let (doc, through) = document(&kept.json, places)?;
    let mut cases = Vec::with_capacity(kept.cases.len());
    for case in &kept.cases {
        let own = match &case.json {
            Some(text) => Some(document(text, build::Places::default())?.0),
            None => None,
        };
        let root = own.as_ref().map(|doc| doc.root().id());
        cases.push(Case {
            parameter: case.parameter.clone(),
            value: case.value.clone(),
            doc: own.unwrap_or_else(|| Arc::new(Doc::empty())),
            root,
        });
    }
    let root = doc.root().id();
    let provider_managed = !azure && reader.managed.holds(&kept.name, doc.root());
    Ok(Resource {
        name: kept.name.clone(),
        doc,
        root,
        origin: Origin {
            path: Arc::clone(&kept.path),
            index: kept.index,
            rendered_by: kept.rendered_by.clone(),
            live: kept.live,
        },
        provider_managed,
        implied: false,
        refers: None,
        certificates: kept.certificates.clone(),
        azure: kept.azure.as_ref().map(|id| {
            Box::new(Azure {
                id: id.clone(),
                through,
                cases,
            })
        }),
    })
}

/// The object as compact JSON. With `marks` what JSON has no word for is marked; an API's answer
/// holds nothing of the kind.
fn written<'w>(object: Ref<'_>, kind: &'w Kind, marks: bool) -> Option<Writer<'w>> {
    let mut writer = Writer {
        out: String::with_capacity(1024),
        lines: Vec::new(),
        files: Vec::new(),
        marks,
        azure: match kind {
            Kind::Azure(kind) => Some(kind),
            Kind::Kubernetes { .. } => None,
        },
        secret: kind.is("Secret"),
    };
    if marks {
        writer.begin(object);
    }
    writer.value(object, How::default(), 0);
    (writer.out.len() <= LONGEST).then_some(writer)
}

struct Writer<'w> {
    out: String,
    /// The line of the file for each line that [`build::read`] makes of it: one after each opening
    /// bracket and each comma.
    lines: Vec<u32>,
    /// The file, where lines of another one begin.
    files: Vec<(u32, Option<Arc<str>>)>,
    marks: bool,
    /// The type, of an Azure resource.
    azure: Option<&'w str>,
    /// The object is a Secret.
    secret: bool,
}

/// What is known of a value from where it stands.
#[derive(Debug, Clone, Copy, Default)]
struct How {
    /// its name says that it is a credential
    named: bool,
    /// a Secret holds it
    held: bool,
    /// it holds the annotations of a Secret
    noted: bool,
    /// it is a copy of an object, as JSON
    applied: bool,
    /// it holds nothing that is secret
    public: bool,
}

impl Writer<'_> {
    /// A line begins, with a value on it.
    fn begin(&mut self, value: Ref<'_>) {
        if !self.marks {
            return;
        }
        if value.is_filled_in() {
            self.again();
            return;
        }
        // What holds others stands where its key does.
        let span = match value.view() {
            View::List(_) | View::Map(_) => value.key_span().unwrap_or_else(|| value.span()),
            _ => value.span(),
        };
        self.place(value.doc, span.start);
    }

    /// A line begins that stands at a place of a document.
    fn place(&mut self, doc: &Doc, offset: u32) {
        let file = doc.path_at(offset);
        if self
            .files
            .last()
            .is_none_or(|(_, last)| last.as_ref() != file)
        {
            self.files.push((self.lines.len() as u32, file.cloned()));
        }
        self.lines.push(doc.line_column(offset).0);
    }

    /// A line begins that stands where the last one does.
    fn again(&mut self) {
        if self.marks {
            self.lines.push(self.lines.last().copied().unwrap_or(1));
        }
    }

    fn value(&mut self, value: Ref<'_>, how: How, depth: usize) {
        if self.out.len() > LONGEST {
            return;
        }
        if depth > DEEPEST {
            self.out.push_str("null");
            return;
        }
        if self.marks && value.is_filled_in() && depth > 0 && is_plain(value) {
            self.again();
            self.again();
            self.out.push_str("{\"$seawall\":\"default\",\"value\":");
            self.plain(value, how, depth);
            self.out.push('}');
            return;
        }
        self.plain(value, how, depth);
    }

    fn plain(&mut self, value: Ref<'_>, how: How, depth: usize) {
        match value.view() {
            View::Null => self.out.push_str("null"),
            View::Bool(bit) => self.out.push_str(if bit { "true" } else { "false" }),
            View::Int(number) => self.number(number.unsigned_abs(), &number, how),
            View::Uint(number) => self.number(number, &number, how),
            View::Double(_) if how.named || how.held => self.out.push_str("0.0"),
            View::Double(number) if number.is_finite() => {
                let _ = write!(self.out, "{number:?}");
            }
            View::Double(_) => self.out.push_str("null"),
            View::Str(text) => self.string(text, how),
            View::List(_) => self.list(value, how, depth),
            View::Map(_) => self.map(value, how, depth),
            View::Unknown(_) => self.unknown(value),
        }
    }

    fn number(&mut self, size: u64, shown: &dyn std::fmt::Display, how: How) {
        if how.held || (how.named && size > 99_999) {
            self.out.push('0');
        } else {
            let _ = write!(self.out, "{shown}");
        }
    }

    fn string(&mut self, text: &str, how: How) {
        if how.held {
            self.out.push_str("\"\"");
        } else if how.applied {
            // What is no JSON is not kept at all.
            let copy = scrubbed(text, false).unwrap_or_default();
            quote(&mut self.out, &copy);
        } else if how.public {
            quote(&mut self.out, text);
        } else if how.named {
            quote(&mut self.out, &scrub::whole(text));
        } else {
            quote(&mut self.out, &scrub::text(text));
        }
    }

    fn list(&mut self, value: Ref<'_>, how: How, depth: usize) {
        self.out.push('[');
        let mut after = secrets::After::default();
        for (index, item) in value.items().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.begin(item);
            let text = item.as_str().unwrap_or_default();
            let own = How {
                named: how.named || after.holds(text),
                ..how
            };
            self.value(item, own, depth + 1);
            after = secrets::After::of(text);
        }
        if value.items().len() == 0 {
            self.again();
        }
        self.out.push(']');
    }

    fn map(&mut self, value: Ref<'_>, how: How, depth: usize) {
        let by_name = value
            .get("name")
            .and_then(Ref::as_str)
            .is_some_and(secrets::is_secret_name);
        self.out.push('{');
        let mut any = false;
        for (key, _, entry) in value.entries() {
            // What the server notes of who set what repeats values of a Secret in its keys.
            if self.secret && key == "managedFields" {
                continue;
            }
            if any {
                self.out.push(',');
            }
            any = true;
            self.begin(entry);
            quote(&mut self.out, key);
            self.out.push(':');
            let own = How {
                named: (by_name && key == "value")
                    || secrets::is_secret_name(key)
                    || self
                        .azure
                        .is_some_and(|kind| secrets::is_secret_property(kind, key)),
                // That the copy is there is judged.
                held: how.held
                    || (how.noted && !secrets::is_public_annotation(key))
                    || (self.secret
                        && (key == APPLIED
                            || (depth == 0
                                && matches!(key, "data" | "stringData" | "binaryData")))),
                noted: self.secret && depth == 1 && key == "annotations",
                applied: key == APPLIED,
                // Certificates are public.
                public: key == "caBundle",
            };
            self.value(entry, own, depth + 1);
        }
        if !any {
            self.again();
        }
        self.out.push('}');
    }

    fn unknown(&mut self, value: Ref<'_>) {
        let kind = value.doc.at(value.id().0).kind;
        if !self.marks {
            self.out.push_str("null");
            return;
        }
        let word = match kind {
            Node::Open => "open",
            Node::OpenText => "open-text",
            Node::Undocumented => "undocumented",
            _ => "redacted",
        };
        self.again();
        let _ = write!(self.out, "{{\"{MARK}\":\"{word}\"");
        if let Some(text) = value.open_expression() {
            self.again();
            self.out.push_str(",\"text\":");
            quote(&mut self.out, &scrub::text(text));
        }
        self.out.push('}');
    }
}

/// Whether it is a value that JSON has a word for.
fn is_plain(value: Ref<'_>) -> bool {
    !matches!(value.view(), View::Unknown(_))
}

/// A string as JSON writes it.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A place that nobody wrote.
const NOWHERE: Span = Span { start: 0, end: 0 };

#[cfg(test)]
mod tests;
