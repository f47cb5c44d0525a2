//! `who-can` asked about Azure: an action (`Microsoft.ContainerService/managedClusters/runCommand/action`), or
//! who can take over a cluster.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use analysis::ask::{Ground, PrincipalKind, Why};
use analysis::roles::critical::CRITICAL;
use analysis::roles::{Ask, Grant, Holders, Roles, Who};
use model::{Estate, ResourceRef};
use report::rights::data::SCHEMA;
use report::rights::text::{Layout, indented};
use serde_json::{Value, json};

use super::{Args, Format};
use crate::commands::rights::Rights;
use crate::failure::Failure;
use crate::output;

/// Whether a word is an action of Azure and no verb: a provider, a type, what is done.
fn is_action(word: &str) -> bool {
    word.split_once('/')
        .is_some_and(|(provider, rest)| provider.contains('.') && rest.contains('/'))
}

/// The roles of an estate, and what people call things in it.
struct Azure<'e> {
    roles: &'e Roles,
    estate: &'e Estate,
    layout: Layout,
}

const NOBODY: &str = "nobody, by what was given";
const OTHERS: &str = "Role assignments that were not given may allow it to others.";

/// What is answered about one resource.
struct Answered {
    id: Box<str>,
    holders: Arc<Holders>,
}

/// Somebody who can take over a cluster, and by which actions.
struct TakeOver {
    grant: Grant,
    by: Vec<&'static str>,
}

impl Azure<'_> {
    /// Who may do an action, at the resources that it can be done to, or at one.
    fn ask(&self, action: &str, scope: Option<&str>) -> Vec<Answered> {
        let data = self.roles.is_data_action(action).unwrap_or(false);
        let targets = match scope {
            Some(scope) => vec![scope.into()],
            None => self.roles.targets(self.estate, action),
        };
        targets
            .into_iter()
            .map(|id: Box<str>| Answered {
                holders: self.roles.holders(&Ask {
                    action,
                    data,
                    resource: &id,
                    attributes: &[],
                }),
                id,
            })
            .collect()
    }

    /// The answer as text.
    fn text(&self, action: &str, answers: &[Answered]) -> String {
        let mut out = String::new();
        self.line(&mut out, action, 0);
        let known = CRITICAL
            .iter()
            .find(|critical| critical.action.eq_ignore_ascii_case(action));
        if let Some(critical) = known {
            let sentence = format!("Whoever holds it {}.", critical.gives);
            indented(&mut out, &sentence, 0, 0, self.layout);
        }
        if answers.is_empty() {
            let nothing = "Nothing that was given assigns a role where this can be done.";
            out.push('\n');
            self.line(&mut out, nothing, 0);
        }
        for one in answers {
            out.push('\n');
            self.line(&mut out, &level(&one.id), 0);
            let (certain, doubtful): (Vec<&Grant>, Vec<&Grant>) = one
                .holders
                .grants
                .iter()
                .partition(|grant| grant.doubts.is_empty());
            if certain.is_empty() {
                self.line(&mut out, NOBODY, 2);
            }
            for grant in certain {
                self.grant(&mut out, grant);
            }
            self.unknown(&mut out, &doubtful, &one.holders.unknown);
        }
        if answers
            .iter()
            .any(|one| one.holders.ground == Ground::ByWhatWasGiven)
        {
            out.push('\n');
            self.line(&mut out, OTHERS, 0);
        }
        out
    }

    fn line(&self, out: &mut String, text: &str, indent: usize) {
        indented(out, text, indent, indent + 2, self.layout);
    }

    fn grant(&self, out: &mut String, grant: &Grant) {
        self.line(out, &self.holder(grant), 2);
        self.line(out, &self.by(grant), 4);
        if let Some(condition) = &grant.condition {
            self.line(out, &format!("only if {condition}"), 4);
        }
    }

    fn unknown(&self, out: &mut String, doubtful: &[&Grant], unknown: &[Why]) {
        if doubtful.is_empty() && unknown.is_empty() {
            return;
        }
        self.line(out, "not known:", 2);
        for grant in doubtful {
            self.line(out, &self.holder(grant), 4);
            self.line(out, &self.by(grant), 6);
            for doubt in &grant.doubts {
                self.line(out, doubt, 6);
            }
        }
        for why in unknown {
            self.line(out, &why.text, 4);
        }
    }

    /// The answer as JSON.
    fn json(&self, action: &str, answers: &[Answered]) -> Value {
        json!({
            "schema": SCHEMA,
            "action": action,
            "dataAction": self.roles.is_data_action(action).unwrap_or(false),
            "resources": answers.iter().map(|one| json!({
                "id": one.id,
                "holders": one.holders.grants.iter().map(|grant| self.grant_json(grant)).collect::<Vec<_>>(),
                "unknown": texts(&one.holders.unknown),
                "complete": one.holders.ground == Ground::Complete,
            })).collect::<Vec<_>>(),
        })
    }

    /// Who can take over the clusters, as text.
    fn takeovers_text(&self) -> String {
        let mut out = String::new();
        for cluster in self.roles.clusters() {
            if !out.is_empty() {
                out.push('\n');
            }
            let title = format!("Who can take over {} through Azure", shown(&cluster.id));
            self.line(&mut out, &title, 0);
            out.push('\n');
            let (found, unknown) = self.takeovers(cluster);
            let (certain, doubtful): (Vec<TakeOver>, Vec<TakeOver>) = found
                .into_iter()
                .partition(|one| one.grant.doubts.is_empty());
            if certain.is_empty() {
                self.line(&mut out, NOBODY, 2);
            }
            for one in &certain {
                self.grant(&mut out, &one.grant);
                for gives in &one.by {
                    self.line(&mut out, &format!("- {gives}"), 4);
                }
            }
            let doubtful: Vec<&Grant> = doubtful.iter().map(|one| &one.grant).collect();
            self.unknown(&mut out, &doubtful, &unknown);
            if self.ground(&cluster.id) == Ground::ByWhatWasGiven {
                out.push('\n');
                self.line(&mut out, OTHERS, 2);
            }
        }
        if out.is_empty() {
            self.line(&mut out, "No AKS cluster was given.", 0);
        }
        out
    }

    /// Who can take over the clusters, as JSON.
    fn takeovers_json(&self) -> Value {
        let clusters = self.roles.clusters().iter().map(|cluster| {
            let (found, unknown) = self.takeovers(cluster);
            let principals = found.iter().map(|one| {
                let mut value = self.grant_json(&one.grant);
                if let Some(entries) = value.as_object_mut() {
                    entries.insert("by".to_owned(), json!(one.by));
                }
                value
            });
            json!({
                "id": cluster.id,
                "principals": principals.collect::<Vec<_>>(),
                "unknown": texts(&unknown),
                "complete": self.ground(&cluster.id) == Ground::Complete,
            })
        });
        json!({ "schema": SCHEMA, "clusters": clusters.collect::<Vec<_>>() })
    }

    /// Whether all assignments that count at a resource are known.
    fn ground(&self, id: &str) -> Ground {
        let ask = Ask {
            action: "Microsoft.ContainerService/managedClusters/write",
            resource: id,
            ..Ask::default()
        };
        self.roles.holders(&ask).ground
    }

    /// One entry for everything that an assignment gives to somebody.
    fn takeovers(
        &self,
        cluster: &analysis::roles::kubernetes::Cluster,
    ) -> (Vec<TakeOver>, Vec<Why>) {
        let (found, unknown) = self.roles.takeovers(cluster);
        let mut all: Vec<TakeOver> = Vec::new();
        for (critical, grant) in found {
            let same = all.iter_mut().find(|one| {
                one.grant.who == grant.who
                    && one.grant.assignment == grant.assignment
                    && one.grant.through == grant.through
                    && one.grant.doubts == grant.doubts
                    && one.grant.condition == grant.condition
            });
            match same {
                Some(one) => one.by.push(critical.gives),
                None => all.push(TakeOver {
                    grant,
                    by: vec![critical.gives],
                }),
            }
        }
        // What is more certain by the same assignment says enough.
        let same = |one: &Grant, other: &Grant| {
            one.who == other.who
                && one.assignment == other.assignment
                && one.through == other.through
        };
        let grants: Vec<Grant> = all.iter().map(|one| one.grant.clone()).collect();
        all.retain(|one| {
            !grants.iter().any(|other| {
                same(&one.grant, other)
                    && (other.doubts.len(), other.condition.is_some())
                        < (one.grant.doubts.len(), one.grant.condition.is_some())
                    && other
                        .doubts
                        .iter()
                        .all(|doubt| one.grant.doubts.contains(doubt))
            })
        });
        (all, unknown)
    }

    /// `group platform-admins (through everybody)`
    fn holder(&self, grant: &Grant) -> String {
        let kind = match grant.kind {
            PrincipalKind::User => "user ",
            PrincipalKind::Group => "group ",
            PrincipalKind::ForeignGroup => "foreign group ",
            PrincipalKind::Device => "device ",
            PrincipalKind::ServicePrincipal | PrincipalKind::NotSaid => "",
        };
        let name = self.roles.name(&grant.who);
        let mut out = match &grant.who {
            Who::Open(_) if kind.is_empty() => format!("principal given by `{name}`"),
            Who::Open(_) => format!("{kind}given by `{name}`"),
            _ => format!("{kind}{name}"),
        };
        if !grant.through.is_empty() {
            let groups: Vec<String> = grant
                .through
                .iter()
                .map(|group| self.roles.name(&Who::Id(group.clone())))
                .collect();
            let _ = write!(out, " (through {})", groups.join(", "));
        }
        out
    }

    /// `Contributor at resource group shop (main.bicep:12)`
    fn by(&self, grant: &Grant) -> String {
        let place = self
            .place(grant.assignment)
            .map(|(path, line)| format!(" ({path}:{line})"))
            .unwrap_or_default();
        format!("{} at {}{place}", grant.role, level(&grant.scope))
    }

    fn place(&self, number: ResourceRef) -> Option<(String, u32)> {
        let resource = self.estate.get(number)?;
        if resource.origin.live {
            return None;
        }
        let span = resource.object().written_holder().span();
        let path = resource
            .doc
            .path_at(span.start)
            .unwrap_or(&resource.origin.path);
        Some((path.to_string(), resource.doc.line_column(span.start).0))
    }

    fn grant_json(&self, grant: &Grant) -> Value {
        let place = self.place(grant.assignment);
        let subject = self.roles.subject(grant);
        let assignment = self.estate.get(grant.assignment);
        json!({
            "principal": {
                "kind": subject.kind(),
                "id": subject.name(),
                "name": self.roles.name(&grant.who),
            },
            "through": grant.through,
            "role": grant.role,
            "rule": grant.route,
            "scope": grant.scope,
            "inherited": grant.inherited,
            "condition": grant.condition,
            "doubts": grant.doubts,
            "assignment": {
                "id": assignment.and_then(|resource| Some(&*resource.azure.as_ref()?.id)),
                "path": place.as_ref().map(|(path, _)| path),
                "line": place.as_ref().map(|(_, line)| line),
            },
        })
    }
}

fn texts(unknown: &[Why]) -> Vec<&str> {
    unknown.iter().map(|why| &*why.text).collect()
}

/// What kind of scope it is.
fn level(scope: &str) -> String {
    if scope == "/" {
        return "the root of the tenant".to_owned();
    }
    let parts = model::azure::segments(scope);
    match parts.as_slice() {
        [_, "subscriptions", id] => format!("subscription {}", cut(id)),
        [_, "subscriptions", _, group, name] if group.eq_ignore_ascii_case("resourceGroups") => {
            format!("resource group {}", cut(name))
        }
        [_, _, provider, kind, name]
            if provider.eq_ignore_ascii_case("Microsoft.Management")
                && kind.eq_ignore_ascii_case("managementGroups") =>
        {
            format!("management group {}", cut(name))
        }
        _ => shown(scope),
    }
}

/// `managedClusters/aks`
fn shown(id: &str) -> String {
    let parts = model::azure::segments(id);
    match parts.as_slice() {
        [.., kind, name] if model::azure::type_of_id(id).is_some() => {
            format!("{kind}/{}", cut(name))
        }
        _ => cut(id),
    }
}

/// A name as people read it: what is open in it is cut.
fn cut(name: &str) -> String {
    model::azure::shown(name)
}

/// What is asked about Azure.
pub(super) enum About {
    /// Who may do an action.
    Action(String),
    /// Who can take over the clusters.
    Takeover,
}

/// Takes the question from the arguments, where it is one about Azure.
pub(super) fn question(args: &mut Args) -> anyhow::Result<Option<About>> {
    if args.takeover {
        return Ok(Some(About::Takeover));
    }
    let paths = &mut args.rights.estate.paths;
    let word = paths
        .first()
        .map(|first| first.to_string_lossy().into_owned());
    match word.filter(|word| is_action(word) && !Path::new(word).exists()) {
        Some(action) => {
            paths.remove(0);
            Ok(Some(About::Action(action)))
        }
        None if args.scope.is_some() => Err(Failure::new("`--scope` goes with an action of Azure")
            .help("for instance `seawall who-can Microsoft.ContainerService/managedClusters/write --scope ID .`")
            .into()),
        None => Ok(None),
    }
}

/// Answers it.
pub(super) fn run(
    args: &Args,
    about: &About,
    format: Format,
    file: Option<String>,
) -> anyhow::Result<u8> {
    if !matches!(format, Format::Text | Format::Json) {
        return Err(Failure::new("an answer about Azure is text or JSON")
            .help("take `--format text` or `--format json`")
            .into());
    }
    let rights = Rights::read(&args.rights)?;
    if rights.roles.assignments().is_empty() && rights.roles.clusters().is_empty() {
        writeln!(
            anstream::stderr().lock(),
            "error: nothing to answer from: no role assignment and no AKS cluster in what was given\n  \
             help: give templates that assign roles, or `--azure`"
        )?;
        return Ok(3);
    }
    let azure = Azure {
        roles: &rights.roles,
        estate: &rights.estate,
        layout: Layout {
            width: if file.is_some() { 80 } else { output::width() },
            built_in: false,
        },
    };
    let text = match (about, format) {
        (About::Takeover, Format::Json) => super::pretty(&azure.takeovers_json()),
        (About::Takeover, _) => azure.takeovers_text(),
        (About::Action(action), format) => {
            let answers = azure.ask(action, args.scope.as_deref());
            match format {
                Format::Json => super::pretty(&azure.json(action, &answers)),
                _ => azure.text(action, &answers),
            }
        }
    };
    match file {
        Some(file) => std::fs::write(&file, text)
            .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?,
        None => anstream::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(rights.exit_code())
}
