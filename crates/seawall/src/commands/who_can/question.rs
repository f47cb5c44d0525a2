//! Who may do one thing.

use analysis::ask::{Attributes, Question, ResourceTarget, Target, Within};
use analysis::rbac::resources::{Named, VERBS};
use report::rights::matrix::{Column, Matrix};
use report::rights::{Answer, Asked, Row, data, text};

use super::{Asking, Format, pretty};
use crate::failure::Failure;
use crate::output;

pub(super) fn answer(asking: &Asking<'_>, verb: &str, word: &str) -> anyhow::Result<String> {
    let question = Words::new(asking, verb, word)?;
    Ok(match asking.format {
        Format::Matrix | Format::Html => asking.matrix(&matrix(asking, &question)),
        Format::Text => text::answer(&ask(asking, &question, verb), asking.layout),
        Format::Json => pretty(&data::answer(&ask(asking, &question, verb))),
        Format::Csv => {
            let answer = ask(asking, &question, verb);
            let mut out = Vec::new();
            data::write_csv(&mut out, std::iter::once((&answer.asked, &*answer.rows)))?;
            String::from_utf8(out)?
        }
    })
}

/// A question as it was written.
pub(super) struct Words {
    target: Thing,
    name: String,
    namespace: Option<String>,
    verb: String,
}

enum Thing {
    Path(String),
    Resource(Named),
}

impl Words {
    fn new(asking: &Asking<'_>, verb: &str, word: &str) -> anyhow::Result<Self> {
        let name = asking.args.name.clone().unwrap_or_default();
        let mut namespace = asking.args.within.clone();
        let target = if word.starts_with('/') {
            namespace = None;
            Thing::Path(word.to_owned())
        } else {
            let resources = &asking.rights.resources;
            let Some(named) = resources.find(word) else {
                let like = resources.like(word);
                let help = if like.is_empty() {
                    format!("write its group too: `{word}.example.com`")
                } else {
                    format!("there are {}; others need their group", like.join(", "))
                };
                return Err(
                    Failure::new(format!("`{word}` is no resource of Kubernetes' own"))
                        .help(help)
                        .into(),
                );
            };
            if named.cluster_scoped == Some(true) {
                // A namespace is asked about in itself (apiserver/pkg/endpoints/request/requestinfo.go).
                let own = &*named.resource == "namespaces" && named.group.is_empty();
                namespace = (own && !name.is_empty()).then(|| name.clone());
            }
            note(&named, verb)?;
            Thing::Resource(named)
        };
        Ok(Self {
            target,
            name,
            namespace,
            verb: verb.to_owned(),
        })
    }

    fn attributes<'a>(&'a self, verb: &'a str) -> Attributes<'a> {
        Attributes {
            verb,
            target: match &self.target {
                Thing::Path(path) => Target::Path(path),
                Thing::Resource(named) => Target::Resource(ResourceTarget {
                    group: &named.group,
                    version: "",
                    resource: &named.resource,
                    subresource: &named.subresource,
                    namespace: self.namespace.as_deref().unwrap_or_default(),
                    name: &self.name,
                }),
            },
        }
    }

    fn within(&self) -> Within<'_> {
        match (&self.target, &self.namespace) {
            (Thing::Path(_), _) => Within::Cluster,
            (_, Some(namespace)) => Within::Namespace(namespace),
            (Thing::Resource(named), None)
                if named.cluster_scoped == Some(true) && &*named.resource != "namespaces" =>
            {
                Within::Cluster
            }
            (Thing::Resource(_), None) => Within::Anywhere,
        }
    }

    fn asked(&self, verb: &str) -> Asked {
        let mut asked = Asked {
            verb: verb.to_owned(),
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            namespace: self.namespace.clone(),
            ..Asked::default()
        };
        match &self.target {
            Thing::Path(path) => asked.path = Some(path.clone()),
            Thing::Resource(named) => {
                asked.group = named.group.to_string();
                asked.resource = named.resource.to_string();
                if !named.subresource.is_empty() {
                    asked.resource.push('/');
                    asked.resource.push_str(&named.subresource);
                }
            }
        }
        asked
    }

    /// The verbs that the API serves for it.
    fn verbs(&self) -> Vec<String> {
        let mut verbs: Vec<String> = match &self.target {
            Thing::Path(_) => ["get", "post", "put", "delete"].map(str::to_owned).to_vec(),
            Thing::Resource(named) if named.verbs.is_empty() => {
                VERBS.iter().map(|verb| (*verb).to_owned()).collect()
            }
            Thing::Resource(named) => named.verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        };
        if !verbs.contains(&self.verb) && self.verb != "*" {
            verbs.push(self.verb.clone());
        }
        verbs
    }
}

/// A verb that nobody asks a server for is likely a slip, but roles may grant any.
fn note(named: &Named, verb: &str) -> anyhow::Result<()> {
    if !named.verbs.is_empty() && !named.verbs.contains(&verb) && verb != "*" {
        let text = format!(
            "the API serves no `{verb}` of {}; there are {}",
            named.resource,
            named.verbs.join(", ")
        );
        output::say("note", &text)?;
    }
    Ok(())
}

fn ask(asking: &Asking<'_>, words: &Words, verb: &str) -> Answer {
    let question = Question {
        attributes: words.attributes(verb),
        within: words.within(),
    };
    let own = asking.rights.rbac.who_can(&question);
    let azure = asking.rights.who_can_by_azure(&question);
    let rows: Vec<Row> = asking.words(|words| {
        own.holders
            .iter()
            .chain(&azure.holders)
            .map(|holder| words.row(holder))
            .collect()
    });
    let unknown = own.unknown.iter().chain(&azure.unknown);
    let unknown = unknown.map(|why| why.text.to_string());
    let others = asking.rights.others(&question.attributes);
    Answer {
        asked: words.asked(verb),
        rows,
        unknown: unknown.chain(others).collect(),
        gaps: asking.rights.gaps(question.within),
    }
}

/// Subjects against all verbs of the resource.
fn matrix(asking: &Asking<'_>, words: &Words) -> Matrix {
    let verbs = words.verbs();
    let mut rights = Vec::new();
    let mut unknown = Vec::new();
    for (column, verb) in verbs.iter().enumerate() {
        let answer = ask(asking, words, verb);
        rights.extend(answer.rows.into_iter().map(|row| (column, ' ', row)));
        unknown.extend(answer.unknown);
    }
    unknown.sort();
    unknown.dedup();
    let columns = verbs
        .iter()
        .map(|verb| Column {
            name: verb.clone(),
            below: String::new(),
        })
        .collect();
    let about = words.asked("");
    Matrix {
        title: format!("Who can do what with {}", about.shown().trim()),
        columns_are: "verb",
        unknown,
        gaps: asking.rights.gaps(words.within()),
        ..Matrix::new(columns, rights)
    }
}
