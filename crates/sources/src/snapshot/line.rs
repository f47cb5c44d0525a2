//! The lines of a snapshot, and the events that they are.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use model::certificates::Certificate;
use model::coverage::{DocumentEntry, Status};
use model::kept::{self, Kept, KeptCase};
use model::kinds::Kind;
use model::resource::ResourceName;
use model::waiver::InlineWaiver;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{About, Configuration, SCHEMA};
use crate::live::{Event, Object, Of, Unread};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    tool: Tool<'a>,
    taken_at: Cow<'a, str>,
    sources: Vec<String>,
    given: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<Configuration>,
    /// The Kubernetes version of the cluster: `1.34`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kubernetes: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Tool<'a> {
    name: Cow<'a, str>,
    version: Cow<'a, str>,
}

impl<'a> Header<'a> {
    pub(super) fn of(about: &'a About) -> Self {
        Self {
            schema: SCHEMA.into(),
            tool: Tool {
                name: "seawall".into(),
                version: about.version.as_str().into(),
            },
            taken_at: about.taken_at.as_str().into(),
            sources: about.sources.clone(),
            given: about.given.clone(),
            config: about.config.clone(),
            kubernetes: about.kubernetes_minor.map(|minor| format!("1.{minor}")),
        }
    }

    pub(super) fn about(self) -> About {
        About {
            version: self.tool.version.into_owned(),
            taken_at: self.taken_at.into_owned(),
            sources: self.sources,
            given: self.given,
            config: self.config,
            kubernetes_minor: self
                .kubernetes
                .and_then(|version| version.strip_prefix("1.")?.parse().ok()),
        }
    }
}

/// What the first line says of its version, whatever else a later version says there.
pub(super) fn schema(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(value.get("schema")?.as_str()?.to_owned())
}

/// Any other line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line<'a> {
    #[serde(borrow)]
    Object(ObjectLine<'a>),
    #[serde(borrow)]
    Resource(Box<ResourceLine<'a>>),
    Entry(EntryLine),
    Complete(Complete),
    Gap(Gap),
    Other(Other),
    End(End),
}

#[derive(Serialize, Deserialize)]
pub(super) struct ObjectLine<'a> {
    of: Api,
    address: Box<str>,
    #[serde(borrow)]
    value: Json<'a>,
}

/// JSON that is handed on as it stands: owned where it was made, borrowed where it was read.
enum Json<'a> {
    Made(Box<RawValue>),
    Read(&'a RawValue),
}

impl Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Made(raw) => raw.serialize(serializer),
            Self::Read(raw) => raw.serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(Json::Read)
    }
}

impl Json<'_> {
    fn text(&self) -> String {
        match self {
            Self::Made(raw) => raw.get().to_owned(),
            Self::Read(raw) => raw.get().to_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Api {
    Kubernetes,
    Azure,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceLine<'a> {
    path: Box<str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    index: u32,
    /// The line that the ledger has; absent for a part of another resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Where that line is, when not in `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    live: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rendered_by: Option<Box<str>>,
    /// API group; absent for Azure's types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Box<str>>,
    kind: Box<str>,
    api_version: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Box<str>>,
    name: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Box<str>>,
    #[serde(borrow)]
    value: Json<'a>,
    /// The line of each value, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<(u32, Box<str>)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    through: u32,
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    cases: Vec<CaseLine<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificates: Option<Vec<CertificateLine>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waivers: Vec<Waiver>,
}

/// A certificate that a Secret holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateLine {
    of: Box<str>,
    subject: Box<str>,
    not_after: i64,
    key: Box<str>,
}

/// A waiver in a comment.
#[derive(Serialize, Deserialize)]
struct Waiver {
    guideline: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Box<str>>,
    reason: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Box<str>>,
    line: u32,
    covers: (u32, u32),
    text: Box<str>,
}

#[derive(Serialize, Deserialize)]
struct CaseLine<'a> {
    parameter: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<Box<str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    value: Option<Json<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryLine {
    path: Box<str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    index: u32,
    line: u32,
    status: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    live: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Complete {
    kind: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    within: Box<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Gap {
    kind: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    within: Box<str>,
    address: Box<str>,
    why: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    by_choice: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Other {
    api_version: Box<str>,
    kind: Box<str>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
pub(super) struct End {
    pub(super) events: u64,
    pub(super) sha256: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(bit: &bool) -> bool {
    !*bit
}

impl From<&Unread> for Line<'_> {
    fn from(gap: &Unread) -> Self {
        Self::Gap(Gap {
            kind: gap.kind.clone(),
            within: gap.within.clone(),
            address: (&*gap.address).into(),
            why: gap.why.clone(),
            help: gap.help.clone(),
            by_choice: gap.by_choice,
        })
    }
}

/// The line of an event, without credentials; `None` for what is not kept. Where the object itself
/// cannot be kept, the gap that it leaves.
pub(super) fn write(event: &Event) -> io::Result<Option<Result<String, Unread>>> {
    let line = match event {
        Event::Doing(_) => return Ok(None),
        Event::Object(object) => {
            let azure = object.of == Of::Azure;
            let Some(json) = kept::scrubbed(&object.json, azure) else {
                return Ok(Some(Err(lost(object))));
            };
            Line::Object(ObjectLine {
                of: if azure { Api::Azure } else { Api::Kubernetes },
                address: (&*object.address).into(),
                value: Json::Made(RawValue::from_string(json)?),
            })
        }
        Event::Kept(kept) => Line::Resource(Box::new(ResourceLine::of(kept)?)),
        Event::Entry(entry) => Line::Entry(EntryLine::of(entry)),
        Event::Complete { kind, within } => Line::Complete(Complete {
            kind: kind.clone(),
            within: within.clone(),
        }),
        Event::Gap(gap) => Line::from(gap),
        Event::Other { api_version, kind } => Line::Other(Other {
            api_version: api_version.clone(),
            kind: kind.clone(),
        }),
    };
    Ok(Some(Ok(serde_json::to_string(&line)?)))
}

/// An object that is no JSON, or too large.
fn lost(object: &Object) -> Unread {
    Unread {
        kind: model::completeness::EVERY_KIND.into(),
        within: Box::default(),
        address: object.address.clone(),
        why: format!("{} could not be understood", object.address).into(),
        help: None,
        by_choice: false,
    }
}

impl ResourceLine<'_> {
    fn of(kept: &Kept) -> io::Result<Self> {
        let (group, kind) = match &kept.name.kind {
            Kind::Kubernetes { group, kind } => (Some(group.to_string().into()), kind.to_string()),
            Kind::Azure(kind) => (None, kind.to_string()),
        };
        let raw = |json: &String| RawValue::from_string(json.clone()).map(Json::Made);
        let mut cases = Vec::with_capacity(kept.cases.len());
        for case in &kept.cases {
            cases.push(CaseLine {
                parameter: case.parameter.clone(),
                is: case.value.clone(),
                value: case.json.as_ref().map(raw).transpose()?,
            });
        }
        Ok(Self {
            path: (&*kept.path).into(),
            index: kept.index,
            line: kept.entry.as_ref().map(|(_, line)| *line),
            file: kept
                .entry
                .as_ref()
                .filter(|(file, _)| *file != kept.path)
                .map(|(file, _)| (&**file).into()),
            live: kept.live,
            rendered_by: kept.rendered_by.as_deref().map(Into::into),
            group,
            kind: kind.into(),
            api_version: kept.name.api_version.clone(),
            namespace: kept.name.namespace.clone(),
            name: kept.name.name.clone(),
            id: kept.azure.clone(),
            value: raw(&kept.json)?,
            lines: kept.lines.clone(),
            files: kept
                .files
                .iter()
                .map(|(line, file)| (*line, (&**file).into()))
                .collect(),
            through: kept.through,
            cases,
            certificates: kept.certificates.as_ref().map(|certificates| {
                certificates
                    .iter()
                    .map(|certificate| CertificateLine {
                        of: certificate.of.clone(),
                        subject: certificate.subject.clone(),
                        not_after: certificate.not_after,
                        key: certificate.key.clone(),
                    })
                    .collect()
            }),
            waivers: kept.waivers.iter().map(Waiver::of).collect(),
        })
    }

    fn kept(self) -> Kept {
        let kind = match self.group {
            Some(group) => Kind::Kubernetes {
                group: (&*group).into(),
                kind: (&*self.kind).into(),
            },
            None => Kind::Azure((&*self.kind).into()),
        };
        let path: Arc<str> = self.path.into();
        let file: Option<Arc<str>> = self.file.map(Into::into);
        Kept {
            name: ResourceName {
                kind,
                api_version: self.api_version,
                namespace: self.namespace,
                name: self.name,
            },
            entry: self
                .line
                .map(|line| (file.unwrap_or_else(|| Arc::clone(&path)), line)),
            path,
            index: self.index,
            live: self.live,
            rendered_by: self.rendered_by.map(Into::into),
            azure: self.id,
            json: self.value.text(),
            lines: self.lines,
            files: self
                .files
                .into_iter()
                .map(|(line, file)| (line, file.into()))
                .collect(),
            through: self.through,
            certificates: self.certificates.map(|certificates| {
                certificates
                    .into_iter()
                    .map(|line| Certificate {
                        of: line.of,
                        subject: line.subject,
                        not_after: line.not_after,
                        key: line.key,
                    })
                    .collect()
            }),
            waivers: self.waivers.into_iter().map(Waiver::waiver).collect(),
            cases: self
                .cases
                .into_iter()
                .map(|case| KeptCase {
                    parameter: case.parameter,
                    value: case.is,
                    json: case.value.as_ref().map(Json::text),
                })
                .collect(),
        }
    }
}

impl Waiver {
    fn of(waiver: &InlineWaiver) -> Self {
        Self {
            guideline: waiver.guideline.clone(),
            until: waiver.until.clone(),
            reason: waiver.reason.clone(),
            path: waiver.path.as_deref().map(Into::into),
            line: waiver.line,
            covers: waiver.covers,
            text: waiver.source.clone(),
        }
    }

    fn waiver(self) -> InlineWaiver {
        InlineWaiver {
            guideline: self.guideline,
            until: self.until,
            reason: self.reason,
            path: self.path.map(Into::into),
            source: self.text,
            line: self.line,
            covers: self.covers,
        }
    }
}

impl EntryLine {
    fn of(entry: &DocumentEntry) -> Self {
        Self {
            path: (&*entry.path).into(),
            index: entry.index,
            line: entry.line,
            status: entry.status.word().into(),
            kind: entry.kind.clone(),
            namespace: entry.namespace.clone(),
            name: entry.name.clone(),
            reason: entry.reason.clone(),
            help: entry.help.clone(),
            live: entry.live,
        }
    }

    fn entry(self) -> Result<DocumentEntry, String> {
        let status = Status::parse(&self.status)
            .ok_or_else(|| "a document's status is none that is known".to_owned())?;
        Ok(DocumentEntry {
            path: self.path.into(),
            live: self.live,
            index: self.index,
            line: self.line,
            status,
            kind: self.kind,
            namespace: self.namespace,
            name: self.name,
            reason: self.reason,
            help: self.help,
        })
    }
}

impl Line<'_> {
    /// The event that the line is.
    pub(super) fn event(self) -> Result<Event, String> {
        Ok(match self {
            Self::Object(object) => Event::Object(Object {
                of: match object.of {
                    Api::Kubernetes => Of::Kubernetes,
                    Api::Azure => Of::Azure,
                },
                address: object.address.into(),
                json: object.value.text(),
            }),
            Self::Resource(resource) => Event::Kept(Box::new(resource.kept())),
            Self::Entry(entry) => Event::Entry(Box::new(entry.entry()?)),
            Self::Complete(complete) => Event::Complete {
                kind: complete.kind,
                within: complete.within,
            },
            Self::Gap(gap) => Event::Gap(Unread {
                kind: gap.kind,
                within: gap.within,
                address: gap.address.into(),
                why: gap.why,
                help: gap.help,
                by_choice: gap.by_choice,
            }),
            Self::Other(other) => Event::Other {
                api_version: other.api_version,
                kind: other.kind,
            },
            Self::End(_) => return Err("an end in the middle".to_owned()),
        })
    }
}
