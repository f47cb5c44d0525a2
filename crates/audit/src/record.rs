//! From a record as it was kept to the audit event in it.
//!
//! | where | shape |
//! |---|---|
//! | the API server's own file | an event, or an `EventList` |
//! | AKS's diagnostic settings, in a storage account | an envelope: the event is the text of `properties.log` |
//! | the same through an Event Hub | `{"records":[envelope, …]}` |
//! | Log Analytics, own tables (`AKSAudit`, `AKSAuditAdmin`) | a row with a column for each field |
//! | Log Analytics, `AzureDiagnostics` | a row with the event as the text of `log_s` |
//! | a container's log | the event as the text of `log`, or behind what the runtime writes before each line (`cri`) |
//! | the query API of Log Analytics | rows in `tables` (`table`) |
//! | the activity log, however it was asked for | an operation of Azure (`activity`) |
//!
//! Rows are written down again as the event that they were made from, so that there is one reader. Records of
//! other categories carry klog's text; they are counted, no more.

use std::borrow::Cow;

use crate::activity;
use crate::event::{self, BEGIN, Event, Field, Json, Text, text_of};
use crate::scan::{End, Raw, Scan};

/// What a record was wrapped in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `kube-audit`, `guard` …; nothing for the API server's own files
    pub category: Text<'a>,
    /// The Azure resource that it is about, in the case in which it was written.
    pub resource: Text<'a>,
    /// When it was collected.
    pub time: Text<'a>,
}

/// What a record holds.
#[derive(Debug)]
pub(crate) enum Found<'r> {
    Event(&'r Event<'r>),
    /// An operation of Azure Resource Manager (the activity log).
    Activity(Json<'r>),
    /// Text of another category: its name, and the text where there is one.
    Other(Cow<'r, str>, &'r [u8]),
    Unreadable,
}

/// Buffers that are used again for each record.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    event: Vec<u8>,
    row: Vec<u8>,
}

/// Hands on what a record holds, more than one for lists.
pub(crate) fn read(
    record: &[u8],
    buffers: &mut Buffers,
    each: &mut dyn FnMut(&Envelope<'_>, Found<'_>),
) {
    // The API server's own, by far the most common shape.
    if record.starts_with(BEGIN.0) {
        given(record, &Envelope::default(), each);
        return;
    }
    one(record, buffers, each, 0);
}

/// Lists within lists of records are no shape that anybody writes.
const DEPTH: usize = 2;

fn one(
    record: &[u8],
    buffers: &mut Buffers,
    each: &mut dyn FnMut(&Envelope<'_>, Found<'_>),
    depth: usize,
) {
    if depth > DEPTH {
        each(&Envelope::default(), Found::Unreadable);
        return;
    }
    let mut shape = Shape::default();
    buffers.event.clear();
    shape.text = std::str::from_utf8(record).ok();
    let mut scan = Scan::new(record);
    shape.end = Some(scan.entries(|key, scan| shape.set(key, scan, &mut buffers.event)));
    if let Some(list) = shape.list {
        let mut any = false;
        Scan::new(list).items(|scan| {
            any = true;
            let value = scan.value();
            if let Raw::Tree { text, .. } = value {
                one(text, buffers, each, depth + 1);
            }
            value.end()
        });
        if !any && shape.end != Some(End::Whole) {
            each(&shape.envelope, Found::Unreadable);
        }
        return;
    }
    let envelope = &shape.envelope;
    if let Some(event) = &shape.event {
        each(envelope, Found::Event(event));
    } else if shape.is_event {
        given(record, envelope, each);
    } else if shape.has_text {
        let text = buffers.event.trim_ascii_start();
        if text.first() == Some(&b'{') {
            match Event::read(text) {
                Some(event) => each(envelope, Found::Event(&event)),
                None => each(envelope, other(envelope, text)),
            }
        } else {
            each(envelope, other(envelope, text));
        }
    } else if shape.is_row {
        row(record, &mut buffers.row);
        given(&buffers.row, envelope, each);
    } else if shape.is_operation {
        let whole = shape.end == Some(End::Whole);
        let made = whole.then(|| activity::diagnostic(record)).flatten();
        let json = Json::new(made.as_deref().unwrap_or(record), whole);
        each(envelope, Found::Activity(json));
    } else if shape.end == Some(End::Whole) {
        each(envelope, other(envelope, b""));
    } else {
        each(envelope, Found::Unreadable);
    }
}

fn given(text: &[u8], envelope: &Envelope<'_>, each: &mut dyn FnMut(&Envelope<'_>, Found<'_>)) {
    match Event::read(text) {
        Some(event) => each(envelope, Found::Event(&event)),
        None => each(envelope, Found::Unreadable),
    }
}

fn other<'r>(envelope: &'r Envelope<'_>, text: &'r [u8]) -> Found<'r> {
    let category = envelope.category.as_str();
    let category = if category.is_empty() {
        "other"
    } else {
        category
    };
    Found::Other(Cow::Borrowed(category), text)
}

/// What the keys of a record say of its shape.
#[derive(Default)]
struct Shape<'a> {
    envelope: Envelope<'a>,
    /// The record, where it is UTF-8.
    text: Option<&'a str>,
    /// The event that stood in a string, read where it stands.
    event: Option<Event<'a>>,
    list: Option<&'a [u8]>,
    /// The event stood in a string; it was copied without escapes.
    has_text: bool,
    is_event: bool,
    is_row: bool,
    is_operation: bool,
    end: Option<End>,
}

impl<'a> Shape<'a> {
    fn set(&mut self, key: &[u8], scan: &mut Scan<'a>, event: &mut Vec<u8>) -> End {
        match key {
            b"properties" if scan.peek() == Some(b'{') => {
                return scan.entries(|key, scan| match key {
                    b"log" => self.string(scan, event),
                    _ => scan.value().end(),
                });
            }
            b"log_s" | b"log" => return self.string(scan, event),
            _ => {}
        }
        let value = scan.value();
        match key {
            b"records" | b"items" | b"Items" | b"value" => {
                if let Raw::Tree { text, .. } = value
                    && text.first() == Some(&b'[')
                {
                    self.list = Some(text);
                }
            }
            b"auditID" | b"requestURI" | b"stage" => self.is_event = true,
            b"AuditId" | b"RequestUri" => self.is_row = true,
            b"operationName" | b"OperationNameValue" => self.is_operation = true,
            b"category" | b"Category" if matches!(value, Raw::Text { .. }) => {
                self.envelope.category = text_of(value);
            }
            b"resourceId" | b"_ResourceId" | b"ResourceId" => {
                self.envelope.resource = text_of(value);
            }
            // Table AKSControlPlane has the text of each component in `Message`.
            b"Type" => {
                if let Field::Known(table) = text_of(value)
                    && table == "AKSAuditAdmin"
                {
                    self.envelope.category = Field::Known("kube-audit-admin".into());
                }
            }
            b"time" | b"TimeGenerated" | b"eventTimestamp" => self.envelope.time = text_of(value),
            _ => {}
        }
        value.end()
    }

    fn string(&mut self, scan: &mut Scan<'a>, event: &mut Vec<u8>) -> End {
        if scan.peek() != Some(b'"') {
            return scan.value().end();
        }
        let text = self.text.and_then(|text| {
            let at = text.len() - scan.rest().len();
            text.get(at..)
        });
        if let Some(text) = text
            && text
                .as_bytes()
                .get(1..)
                .is_some_and(|text| text.starts_with(BEGIN.1))
            && let Some((event, length)) = event::quoted(text)
        {
            self.event = Some(event);
            scan.skip(length);
            return End::Whole;
        }
        self.has_text = true;
        event.clear();
        scan.unescaped(event)
    }
}

/// The columns of AKSAudit and AKSAuditAdmin, and the fields of the event that they hold, in the order in which
/// the API server writes these (learn.microsoft.com/azure/azure-monitor/reference/tables/aksaudit). There is none for
/// whom a request impersonates, and times are named `…Time`; the other names are taken where somebody's own table has
/// them.
const COLUMNS: [(&[u8], &str); 18] = [
    (b"Level", "level"),
    (b"AuditId", "auditID"),
    (b"Stage", "stage"),
    (b"RequestUri", "requestURI"),
    (b"Verb", "verb"),
    (b"User", "user"),
    (b"ImpersonatedUser", "impersonatedUser"),
    (b"SourceIps", "sourceIPs"),
    (b"UserAgent", "userAgent"),
    (b"ObjectRef", "objectRef"),
    (b"ResponseStatus", "responseStatus"),
    (b"RequestObject", "requestObject"),
    (b"ResponseObject", "responseObject"),
    (b"RequestReceivedTime", "requestReceivedTimestamp"),
    (b"RequestReceivedTimestamp", "requestReceivedTimestamp"),
    (b"StageReceivedTime", "stageTimestamp"),
    (b"StageTimestamp", "stageTimestamp"),
    (b"Annotations", "annotations"),
];

/// Writes down the event that a row was made from.
fn row(record: &[u8], out: &mut Vec<u8>) {
    let mut found: [Option<Raw<'_>>; COLUMNS.len()] = [None; COLUMNS.len()];
    let end = Scan::new(record).entries(|key, scan| {
        let value = scan.value();
        let column = COLUMNS.iter().position(|(name, _)| *name == key);
        if let Some(cell) = column.and_then(|at| found.get_mut(at)) {
            *cell = Some(value);
        }
        value.end()
    });
    let cells = COLUMNS
        .iter()
        .zip(found)
        .filter_map(|((_, field), value)| Some((*field, value?)));
    write(cells, end == End::Whole, out);
}

/// An event from its fields. Objects may be written as strings that hold JSON.
pub(crate) fn write<'a>(
    cells: impl Iterator<Item = (&'static str, Raw<'a>)>,
    whole: bool,
    out: &mut Vec<u8>,
) {
    out.clear();
    // Not the beginning of what the API server writes: columns come in any order, so of a row that is cut
    // nothing follows about what did not come.
    out.extend_from_slice(b"{\"apiVersion\":\"audit.k8s.io/v1\"");
    for (field, value) in cells {
        let (text, quoted, ends) = match value {
            Raw::Text { body, whole, .. } => (body, true, whole),
            Raw::Tree { text, whole } | Raw::Plain { text, whole } => (text, false, whole),
            Raw::Missing | Raw::Wrong => continue,
        };
        if quoted && text.is_empty() {
            continue;
        }
        out.extend_from_slice(b",\"");
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\":");
        let holds_json = quoted && holds_tree(field) && matches!(text.first(), Some(b'{' | b'['));
        if holds_json {
            let mut json = Vec::with_capacity(text.len());
            crate::scan::unescape(text, &mut json);
            let mut scan = Scan::new(&json);
            // What is cut within would take what follows into itself; a string is an object that nobody has.
            if scan.value().end() == End::Whole && scan.peek().is_none() {
                out.extend_from_slice(&json);
            } else {
                out.extend_from_slice(b"\"cut\"");
            }
        } else if quoted {
            out.push(b'"');
            out.extend_from_slice(text);
            if ends {
                out.push(b'"');
            }
        } else {
            out.extend_from_slice(text);
        }
        if !ends {
            return;
        }
    }
    if whole {
        out.push(b'}');
    }
}

fn holds_tree(field: &str) -> bool {
    matches!(
        field,
        "user"
            | "impersonatedUser"
            | "sourceIPs"
            | "objectRef"
            | "responseStatus"
            | "requestObject"
            | "responseObject"
            | "annotations"
    )
}

/// Where the text of an envelope's field is known.
pub(crate) fn said<'a>(field: &'a Text<'_>) -> Option<&'a str> {
    field.known().map(Cow::as_ref)
}

impl Envelope<'_> {
    /// Whether reads (`get`, `list`) are left out of the log that the record is of; `None` where nobody says.
    #[must_use]
    pub fn without_reads(&self) -> Option<bool> {
        match &self.category {
            Field::Known(category) => Some(category.eq_ignore_ascii_case("kube-audit-admin")),
            _ => None,
        }
    }
}
