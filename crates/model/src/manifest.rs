//! From a document's text to resources, without any I/O: what `kubectl` would send, and what
//! an ARM template would create.
//!
//! Every document ends in the ledger, with the reason when it could not be judged.

use std::sync::Arc;

use cel::Symbols;
use yaml::{Limits, json};

use crate::azure;
use crate::azure::deployment::Language;
use crate::certificates;
use crate::coverage::{DocumentEntry, Status};
use crate::doc::{Dialect, Doc, DocBuilder, NodeId};
use crate::kinds::{self, Kind};
use crate::managed::Managed;
use crate::resource::{Origin, Resource, ResourceName};
use crate::value::Ref;
use crate::waiver::{self, InlineWaiver};

/// How documents are read.
pub struct Reader<'a> {
    /// Names of fields that programs mention.
    pub symbols: &'a Symbols,
    /// Whether a kind is judged or read by any guideline; others enter the ledger unread.
    pub wants: &'a (dyn Fn(&Kind) -> bool + Sync),
    /// How objects that AKS manages are recognised.
    pub managed: &'a Managed,
    /// What Azure fills in.
    pub defaults: &'a crate::azure::Defaults,
    /// Bounds against hostile input.
    pub limits: Limits,
    /// Which Kubernetes version's types objects are held against.
    pub schema: Option<&'a crate::schema::Schema>,
}

/// What became of one document.
#[derive(Debug, Default)]
pub struct Reading {
    /// At least one, unless the document is empty.
    pub entries: Vec<DocumentEntry>,
    /// What is to be judged.
    pub resources: Vec<Resource>,
    /// Waivers written in comments.
    pub waivers: Vec<InlineWaiver>,
    /// Nothing but comments and white space.
    pub empty: bool,
    /// The document of a template, which may make no resource.
    pub doc: Option<Arc<Doc>>,
}

/// The form of a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// YAML, one document.
    Yaml,
    /// JSON, one value.
    Json,
}

impl Reader<'_> {
    /// Reads one document.
    #[must_use]
    pub fn read(&self, text: &str, form: Form, first_line: u32, origin: &Origin) -> Reading {
        if form == Form::Yaml
            && let Some(header) = Header::peek(text)
            && !header.is_list()
        {
            let kind = header.kind();
            if !(self.wants)(&kind) {
                return unread(&header, &kind, first_line, origin);
            }
        }
        match form {
            Form::Yaml => self.read_yaml(text, first_line, origin),
            Form::Json => self.read_json(text, first_line, origin),
        }
    }

    /// Reads a document that was rendered from a template; `lines` leads each of its lines to
    /// one of the template.
    #[must_use]
    pub fn read_rendered(
        &self,
        text: &str,
        form: Form,
        first_line: u32,
        origin: &Origin,
        lines: Box<[u32]>,
    ) -> Reading {
        let mut reading = self.read(text, form, first_line, origin);
        let lead = |line: u32| {
            lines
                .get(line.saturating_sub(first_line) as usize)
                .copied()
                .unwrap_or(1)
        };
        for entry in &mut reading.entries {
            entry.line = lead(entry.line);
        }
        let lines: Arc<[u32]> = lines.clone().into();
        // A rendered document holds one object, so nothing else shares it yet.
        for resource in &mut reading.resources {
            if let Some(doc) = Arc::get_mut(&mut resource.doc) {
                doc.lead(&lines);
            }
        }
        reading
    }

    fn read_yaml(&self, text: &str, first_line: u32, origin: &Origin) -> Reading {
        let mut builder = DocBuilder::new(self.symbols, Dialect::Plain, text.into(), first_line);
        match yaml::parse(text, &self.limits, &mut builder) {
            Ok(Some(root)) => {
                if let Some(line) = yaml::looks_like_template(text) {
                    return template(line, first_line, origin);
                }
                self.objects(builder.finish(root), origin)
            }
            Ok(None) => Reading {
                empty: true,
                ..Reading::default()
            },
            Err(error) => {
                if let Some(line) = yaml::looks_like_template(text) {
                    return template(line, first_line, origin);
                }
                let line = first_line + error.line.saturating_sub(1);
                let reason = format!("line {line}, column {}: {}", error.column, error.message);
                failed(
                    Status::Unreadable,
                    line,
                    origin,
                    &reason,
                    error.help.as_deref(),
                )
            }
        }
    }

    fn read_json(&self, text: &str, first_line: u32, origin: &Origin) -> Reading {
        if crate::arm::is_template(text) {
            return self.template(text, Language::Arm, origin);
        }
        let mut builder = DocBuilder::new(self.symbols, Dialect::Plain, text.into(), first_line);
        match json::parse(
            text,
            json::Options { lenient: false },
            &self.limits,
            &mut builder,
        ) {
            Ok(root) => self.objects(builder.finish(root), origin),
            Err(error) => {
                // `kubectl` tries YAML next; when that fails too, the first error says more.
                let mut second =
                    DocBuilder::new(self.symbols, Dialect::Plain, text.into(), first_line);
                if let Ok(Some(root)) = yaml::parse(text, &self.limits, &mut second) {
                    return self.objects(second.finish(root), origin);
                }
                // Editors and compilers keep their settings as JSON with comments; that is not a
                // manifest that went wrong.
                let mut third =
                    DocBuilder::new(self.symbols, Dialect::Plain, text.into(), first_line);
                let lenient = json::Options { lenient: true };
                if let Ok(root) = json::parse(text, lenient, &self.limits, &mut third) {
                    let doc = third.finish(root);
                    let root = doc.root();
                    if root.get("apiVersion").is_none() && root.get("kind").is_none() {
                        return self.objects(doc, origin);
                    }
                }
                let line = first_line + error.line.saturating_sub(1);
                let reason = format!("line {line}, column {}: {}", error.column, error.message);
                failed(
                    Status::Unreadable,
                    line,
                    origin,
                    &reason,
                    error.help.as_deref(),
                )
            }
        }
    }

    /// A template that reads nothing but itself.
    fn template(&self, text: &str, language: Language, origin: &Origin) -> Reading {
        azure::deployment::read(
            self,
            &azure::deployment::Request {
                text,
                language,
                parameters: &[],
                files: &bicep::source::NoFiles,
                origin,
            },
        )
    }

    fn objects(&self, doc: Doc, origin: &Origin) -> Reading {
        let first_line = doc.first_line;
        let root = doc.root();
        if !root.is_map() {
            return failed(
                Status::NotRelevant,
                first_line,
                origin,
                "not a Kubernetes object",
                None,
            );
        }
        let schema = root
            .get("$schema")
            .and_then(Ref::as_str)
            .unwrap_or_default();
        if root.get("kind").is_none() && root.get("apiVersion").is_none() {
            let reason = if schema.contains("deploymentParameters") {
                "a parameter file"
            } else {
                "not a Kubernetes object"
            };
            return failed(Status::NotRelevant, first_line, origin, reason, None);
        }
        let mut found = Vec::new();
        let mut reading = Reading::default();
        collect(root, None, 0, &mut found, &mut reading, origin);
        // What Secrets hold is struck out before anything can look at it.
        let secrets: Vec<_> = found
            .iter()
            .filter(|object| object.is_secret())
            .flat_map(|object| {
                // `kubectl apply` keeps a copy of the whole object in an annotation.
                let applied = "kubectl.kubernetes.io/last-applied-configuration";
                [
                    object.object.get("data"),
                    object.object.get("stringData"),
                    object.object.path(&["metadata", "annotations", applied]),
                ]
                .into_iter()
                .flatten()
            })
            .map(|values| values.id())
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|object| {
                let certificates = object
                    .is_secret()
                    .then(|| certificates::of_object(&object.kind, object.object, origin.live))
                    .flatten();
                (
                    object.object.id(),
                    object.kind.clone(),
                    object.api_version.to_owned(),
                    certificates.map(Vec::into_boxed_slice),
                )
            })
            .collect();
        let mut doc = doc;
        for (id, kind, api_version, _) in &found {
            self.give_header(&mut doc, *id, kind, api_version);
        }
        for values in secrets {
            doc.redact(values.0);
        }
        let doc = Arc::new(doc);
        for (id, kind, api_version, certificates) in found {
            let resources = reading.resources.len();
            self.object(&doc, doc.node(id), kind, &api_version, origin, &mut reading);
            if let Some(resource) = reading.resources.get_mut(resources) {
                resource.certificates = certificates;
            }
        }
        reading.waivers = waiver::inline(&doc);
        reading
    }

    /// An item of a typed list says nothing of its kind; guidelines ask for it all the same.
    fn give_header(&self, doc: &mut Doc, id: NodeId, kind: &Kind, api_version: &str) {
        let missing: Vec<_> = [("apiVersion", api_version), ("kind", kind.name())]
            .into_iter()
            .filter(|(key, _)| doc.node(id).get(key).is_none())
            .map(|(key, value)| (self.symbols.get(key), key, value))
            .collect();
        doc.give(id.0, &missing);
    }

    fn object(
        &self,
        doc: &Arc<Doc>,
        object: Ref<'_>,
        kind: Kind,
        api_version: &str,
        origin: &Origin,
        reading: &mut Reading,
    ) {
        let metadata = object.get("metadata");
        let text = |key: &str| {
            metadata
                .and_then(|metadata| metadata.get(key))
                .and_then(Ref::as_str)
        };
        let name = text("name").map_or_else(
            || {
                text("generateName")
                    .map(|prefix| format!("{prefix}*"))
                    .unwrap_or_default()
            },
            str::to_owned,
        );
        let namespace = text("namespace").filter(|namespace| !namespace.is_empty());
        let place = object.get("kind").unwrap_or(object).span().start;
        let line = if object == doc.root() {
            doc.first_line
        } else {
            doc.line_column(place).0
        };
        let mut entry = DocumentEntry {
            live: origin.live,
            path: origin.path.clone(),
            index: origin.index,
            line,
            status: Status::Assessed,
            kind: Some(kind.name().into()),
            namespace: namespace.map(Into::into),
            name: Some(name.as_str().into()),
            reason: None,
            help: None,
        };
        let Kind::Kubernetes { group, kind: short } = &kind else {
            return;
        };
        if !(self.wants)(&kind) {
            (entry.status, entry.reason) = unwanted(group, short);
            reading.entries.push(entry);
            return;
        }
        if let Some((problem, at)) = self.problem(&kind, api_version, object) {
            let (line, column) = doc.line_column(at.span().start);
            entry.status = Status::Unreadable;
            entry.line = line;
            entry.reason = Some(format!("line {line}, column {column}: {problem}").into());
            entry.help =
                Some("the API server refuses such an object; correct it and assess again".into());
            reading.entries.push(entry);
            return;
        }
        let cluster_scoped = kinds::is_cluster_scoped(short);
        let resource_name = ResourceName {
            api_version: api_version.into(),
            namespace: namespace.filter(|_| !cluster_scoped).map(Into::into),
            name: name.into(),
            kind,
        };
        let provider_managed = self.managed.holds(&resource_name, object);
        let resource = Resource {
            name: resource_name,
            doc: Arc::clone(doc),
            root: object.id(),
            origin: origin.clone(),
            provider_managed,
            implied: false,
            refers: None,
            certificates: None,
            azure: None,
        };
        if let Some(why) = crate::ownership::over(&resource) {
            entry.status = Status::NotRelevant;
            entry.reason = Some(why.into());
        } else {
            reading.resources.push(resource);
        }
        reading.entries.push(entry);
    }

    /// What the API server would refuse in an object that is judged.
    fn problem<'d>(
        &self,
        kind: &Kind,
        api_version: &str,
        object: Ref<'d>,
    ) -> Option<(String, Ref<'d>)> {
        let Kind::Kubernetes { group, kind: short } = kind else {
            return None;
        };
        if let Some(metadata) = object.get("metadata")
            && !metadata.is_map()
        {
            return Some(("`metadata` must be a map".to_owned(), metadata));
        }
        if let Some(schema) = self.schema
            && let Some(problem) = schema.problem(api_version, short, object)
        {
            return Some(problem);
        }
        let route = kinds::pod_route(group, short)?;
        let spec = object.path(route).and_then(|holder| holder.get("spec"));
        let written = if route.is_empty() {
            "spec".to_owned()
        } else {
            format!("{}.spec", route.join("."))
        };
        match spec {
            Some(spec) if spec.is_map() => {
                let containers = spec
                    .get("containers")
                    .filter(|containers| containers.items().len() > 0);
                if containers.is_none() {
                    Some((format!("`{written}.containers` is missing or empty"), spec))
                } else {
                    None
                }
            }
            Some(spec) => Some((format!("`{written}` must be a map"), spec)),
            None => Some((
                format!("`{written}` is missing"),
                object.get("kind").unwrap_or(object),
            )),
        }
    }
}

struct Found<'d> {
    object: Ref<'d>,
    kind: Kind,
    api_version: &'d str,
}

impl Found<'_> {
    fn is_secret(&self) -> bool {
        self.kind.is("Secret")
    }
}

/// The objects of a document: itself, or the items of a list of whatever depth.
fn collect<'d>(
    object: Ref<'d>,
    of_list: Option<(&'d str, &'d str)>,
    depth: usize,
    found: &mut Vec<Found<'d>>,
    reading: &mut Reading,
    origin: &Origin,
) {
    let text = |key: &str| object.get(key).and_then(Ref::as_str);
    // The items of a typed list (PodList) leave out what the list says.
    let api_version = text("apiVersion").or(of_list.map(|(version, _)| version));
    let kind = text("kind").or(of_list.map(|(_, kind)| kind));
    let (Some(api_version), Some(kind)) = (api_version, kind) else {
        let (line, column) = object.doc.line_column(object.span().start);
        // Release notes say a `kind`, the index of a chart repository an `apiVersion`: other
        // programs use the words too, but not with what objects are made of.
        let holds_nothing = ["metadata", "spec", "items", "data", "rules"]
            .iter()
            .all(|key| object.get(key).is_none());
        let named = kind.is_some_and(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()));
        let holds_nothing = holds_nothing && !named && object.entries().len() > 1;
        if of_list.is_none() && object == object.doc.root() && holds_nothing {
            reading.entries.extend(
                failed(
                    Status::NotRelevant,
                    line,
                    origin,
                    "not a Kubernetes object",
                    None,
                )
                .entries,
            );
            return;
        }
        let missing = if api_version.is_none() {
            "apiVersion"
        } else {
            "kind"
        };
        let reason = if object.get(missing).is_some() {
            format!("line {line}, column {column}: `{missing}` must be a string")
        } else {
            format!("line {line}, column {column}: `{missing}` is missing")
        };
        let help = Some("every Kubernetes object says its `apiVersion` and `kind`");
        reading
            .entries
            .extend(failed(Status::Unreadable, line, origin, &reason, help).entries);
        return;
    };
    let (group, _) = kinds::split_api_version(api_version);
    let items = object.get("items");
    let of_builtin = |short: &str| short.is_empty() || kinds::is_builtin(group, short);
    let listed = |items: Option<Ref<'_>>, short: &str| match items {
        Some(items) => items.is_list() || of_builtin(short),
        // `items: null` is no entry at all.
        None => of_builtin(short),
    };
    if let Some(short) = kind
        .strip_suffix("List")
        .filter(|short| listed(items, short))
    {
        let (line, column) = object.doc.line_column(object.span().start);
        let mut entry = |status, reason: &str| {
            let mut read = failed(status, line, origin, reason, None);
            for entry in &mut read.entries {
                entry.kind = Some(kind.into());
            }
            reading.entries.extend(read.entries);
        };
        match items {
            Some(items) if !items.is_list() => {
                let reason = format!("line {line}, column {column}: `items` must be a list");
                entry(Status::Unreadable, &reason);
            }
            _ if depth > 8 => entry(
                Status::Unreadable,
                &format!("line {line}: lists are nested too deeply"),
            ),
            Some(items) if items.items().len() > 0 => {
                let typed = (!short.is_empty()).then_some((api_version, short));
                for item in items.items() {
                    collect(item, typed, depth + 1, found, reading, origin);
                }
            }
            _ => entry(Status::NotRelevant, "an empty list"),
        }
        return;
    }
    found.push(Found {
        object,
        kind: Kind::Kubernetes {
            group: group.into(),
            kind: kind.into(),
        },
        api_version,
    });
}

/// What becomes of a document that no guideline is about, and why.
#[must_use]
pub fn unwanted(group: &str, kind: &str) -> (Status, Option<Box<str>>) {
    if kinds::is_builtin(group, kind) {
        (
            Status::NotRelevant,
            Some("no selected guideline is about this kind".into()),
        )
    } else {
        (
            Status::UnknownKind,
            Some("not a kind that seawall knows".into()),
        )
    }
}

/// A document that could not be judged, or need not be: its entry in the ledger.
#[must_use]
pub fn failed(
    status: Status,
    line: u32,
    origin: &Origin,
    reason: &str,
    help: Option<&str>,
) -> Reading {
    Reading {
        entries: vec![DocumentEntry {
            live: origin.live,
            path: origin.path.clone(),
            index: origin.index,
            line,
            status,
            kind: None,
            namespace: None,
            name: None,
            reason: Some(reason.into()),
            help: help.map(Into::into),
        }],
        ..Reading::default()
    }
}

fn template(line: u32, first_line: u32, origin: &Origin) -> Reading {
    let line = first_line + line.saturating_sub(1);
    failed(
        Status::Unresolved,
        line,
        origin,
        &format!("line {line}: an unrendered template (`{{{{ … }}}}`)"),
        Some(
            "give the chart's folder (the one with Chart.yaml), or the rendered output: `helm template . | seawall assess -`",
        ),
    )
}

fn unread(header: &Header<'_>, kind: &Kind, first_line: u32, origin: &Origin) -> Reading {
    let (group, _) = kinds::split_api_version(header.api_version);
    let (status, reason) = unwanted(group, kind.name());
    Reading {
        entries: vec![DocumentEntry {
            live: origin.live,
            path: origin.path.clone(),
            index: origin.index,
            line: first_line,
            status,
            kind: Some(header.kind.into()),
            namespace: header.namespace.map(Into::into),
            name: header.name.map(Into::into),
            reason,
            help: None,
        }],
        ..Reading::default()
    }
}

/// What a document's unindented lines say, when they are so plain that nothing else can
/// change it: used to enter kinds that nobody judges into the ledger without reading them.
struct Header<'t> {
    api_version: &'t str,
    kind: &'t str,
    namespace: Option<&'t str>,
    name: Option<&'t str>,
}

impl<'t> Header<'t> {
    fn peek(text: &'t str) -> Option<Self> {
        let mut header = Header {
            api_version: "",
            kind: "",
            namespace: None,
            name: None,
        };
        let mut in_metadata = false;
        for line in text.lines() {
            let first = line.bytes().next().unwrap_or(b'#');
            match first {
                b'#' => {}
                b' ' => {
                    if in_metadata {
                        header.metadata_line(line);
                    }
                }
                b'-' if line == "---"
                    || line.starts_with("--- #")
                    || line.starts_with("- ")
                    || line == "-" => {}
                b'\r' if line.len() == 1 => {}
                _ if first.is_ascii_alphabetic() => {
                    in_metadata = false;
                    let (key, value) = line.split_once(':')?;
                    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                        return None;
                    }
                    if !value.is_empty() && !value.starts_with([' ', '\r']) {
                        return None;
                    }
                    match key {
                        "kind" if header.kind.is_empty() => header.kind = plain(value)?,
                        "apiVersion" if header.api_version.is_empty() => {
                            header.api_version = plain(value)?
                        }
                        "kind" | "apiVersion" => return None,
                        "metadata" => in_metadata = value.trim().is_empty(),
                        _ => {}
                    }
                }
                _ => return None,
            }
        }
        (!header.kind.is_empty() && !header.api_version.is_empty()).then_some(header)
    }

    fn metadata_line(&mut self, line: &'t str) {
        let entry = line.strip_prefix("  ").unwrap_or(line);
        if let Some(value) = entry.strip_prefix("name:") {
            self.name = plain(value);
        } else if let Some(value) = entry.strip_prefix("namespace:") {
            self.namespace = plain(value);
        }
    }

    fn is_list(&self) -> bool {
        self.kind.ends_with("List")
    }

    fn kind(&self) -> Kind {
        let (group, _) = kinds::split_api_version(self.api_version);
        Kind::Kubernetes {
            group: group.into(),
            kind: self.kind.into(),
        }
    }
}

/// A plain scalar without anything that YAML could read differently.
fn plain(value: &str) -> Option<&str> {
    let value = value.split(" #").next().unwrap_or(value).trim();
    let simple = !value.is_empty()
        && value
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'-'));
    simple.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{Form, Header, Reader};
    use crate::coverage::Status;
    use crate::managed::Managed;
    use crate::resource::Origin;

    fn statuses(text: &str, form: Form) -> Vec<(Status, String)> {
        let symbols = cel::Symbols::default();
        let reader = Reader {
            symbols: &symbols,
            wants: &|_| true,
            managed: &Managed::default(),
            defaults: &crate::azure::Defaults::default(),
            limits: yaml::Limits::default(),
            schema: None,
        };
        let origin = Origin {
            path: "x".into(),
            index: 0,
            rendered_by: None,
            live: false,
        };
        let entries = reader.read(text, form, 1, &origin).entries;
        entries
            .into_iter()
            .map(|entry| (entry.status, entry.reason.unwrap_or_default().into()))
            .collect()
    }

    #[test]
    fn files_of_other_programs_are_no_broken_manifests() {
        let status = |text, form| statuses(text, form).pop().map(|(status, _)| status);
        let settings = "{\n  // tabs\n  \"tabs\": true\n}\n";
        assert_eq!(status(settings, Form::Json), Some(Status::NotRelevant));
        let broken = "{\"apiVersion\": \"v1\", // no\n \"kind\": \"Pod\"}";
        assert_eq!(status(broken, Form::Json), Some(Status::Unreadable));
        let index = "apiVersion: v1\nentries: {}\n";
        assert_eq!(status(index, Form::Yaml), Some(Status::NotRelevant));
        let note = "kind: bug-fix\narea: traffic\n";
        assert_eq!(status(note, Form::Yaml), Some(Status::NotRelevant));
        for manifest in [
            "kind: Pod\nx: 1\n",
            "apiVersion: v1\nmetadata: {name: x}\n",
            "kind: pod\nmetadata: {name: x}\n",
            "apiVersion: v1\n",
        ] {
            assert_eq!(
                status(manifest, Form::Yaml),
                Some(Status::Unreadable),
                "{manifest}"
            );
        }
    }

    #[test]
    fn peeks_only_where_nothing_can_hide() {
        let plain =
            Header::peek("apiVersion: a/v1\nkind: Foo # x\nmetadata:\n  name: n\nspec:\n  x: 1\n")
                .unwrap();
        assert_eq!(
            (plain.kind, plain.api_version, plain.name),
            ("Foo", "a/v1", Some("n"))
        );
        for sly in [
            "apiVersion: a/v1\nkind: Foo\nkind: Pod\n",
            "apiVersion: a/v1\nkind: Foo\n\"kind\": Pod\n",
            "{apiVersion: v1, kind: Pod}\n",
            "apiVersion: a/v1\nkind: Foo\n<<: *x\n",
            "apiVersion: a/v1\nkind: &k Pod\n",
            "apiVersion: a/v1\nkind: Foo\n? kind\n: Pod\n",
            "apiVersion: a/v1\nkind: Foo\nkind : Pod\n",
            "a: 'x\nkind: Foo'\nkind: Pod\napiVersion: v1\n",
        ] {
            assert!(Header::peek(sly).is_none(), "{sly}");
        }
    }
}
