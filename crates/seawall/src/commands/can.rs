//! `seawall can`: answers SubjectAccessReviews.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use analysis::ask::{Answer, Attributes, Ground, Requester, ResourceTarget, Target};
use analysis::rbac::reason;
use rayon::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::rights::{Rights, RightsArgs};
use crate::failure::Failure;
use crate::output;

/// Answers SubjectAccessReviews as the API server would.
///
/// Reads review objects, one JSON object a line or as YAML or JSON documents, and writes each back on a line with
/// its `status` filled in. Roles and bindings come from the given paths, from a cluster, or both; Azure RBAC counts
/// where an AKS cluster is given and the review says `extra.oid`. An answer that hangs on something that was not
/// given is not allowed, and says why in `evaluationError`.
///
/// Exit code: 0 all answered; 2 wrong use; 3 nothing to answer from; 4 something given could not be read, or a
/// review is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall can --reviews reviews.jsonl --bootstrap-roles deploy
  kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o json > rbac.json
  seawall can --reviews reviews.jsonl --whole rbac.json")]
pub(crate) struct Args {
    /// The reviews; `-` for standard input
    #[arg(long, value_name = "FILE")]
    reviews: PathBuf,
    #[command(flatten)]
    rights: RightsArgs,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let stdin = Path::new("-");
    if args.reviews == stdin && args.rights.estate.paths.iter().any(|path| path == stdin) {
        return Err(
            Failure::new("standard input cannot be the reviews and the estate")
                .help("give one of them as a file")
                .into(),
        );
    }
    let text = read(&args.reviews)?;
    let reviews = parse(&text).map_err(|(line, problem)| {
        Failure::new(format!(
            "`{}` line {line}: {problem}",
            args.reviews.display()
        ))
        .help("write one JSON object a line, or YAML documents between `---`")
    })?;
    let rights = Rights::read(&args.rights)?;
    if rights.is_empty() {
        let mut stderr = anstream::stderr().lock();
        writeln!(
            stderr,
            "error: nothing to answer from: no role or binding in what was given"
        )?;
        return Ok(3);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut tally = Tally::default();
    let mut reviews = reviews.into_iter();
    loop {
        let batch: Vec<Review<'_>> = reviews.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let answered: Vec<(String, Tally)> = batch
            .into_par_iter()
            .map(|review| respond(&rights, review))
            .collect();
        for (lines, counts) in answered {
            out.write_all(lines.as_bytes())?;
            tally.open += counts.open;
            tally.by_what_was_given += counts.by_what_was_given;
            tally.wrong |= counts.wrong;
        }
    }
    out.flush()?;
    tell(&rights, &tally)?;
    Ok(if tally.wrong { 4 } else { rights.exit_code() })
}

/// How many reviews are answered before their answers are written.
const BATCH: usize = 4096;

/// What became of reviews.
#[derive(Debug, Default)]
struct Tally {
    /// nobody can say
    open: usize,
    /// not allowed by what was given
    by_what_was_given: usize,
    /// one was none
    wrong: bool,
}

/// Answers what stands on a line or in a document: a review, or a list of them.
fn respond(rights: &Rights, review: Review<'_>) -> (String, Tally) {
    let mut out = String::new();
    let mut tally = Tally::default();
    let value = match review {
        Review::Value(value) => value,
        Review::Line(number, line) => match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => {
                tally.wrong = true;
                // The error counts lines of its own.
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                let status = json!({
                    "allowed": false,
                    "evaluationError": format!("invalid: line {number}: {said}"),
                });
                let _ = writeln!(out, "{}", json!({ "status": status }));
                return (out, tally);
            }
        },
    };
    for review in items(value) {
        let _ = writeln!(out, "{}", answered(rights, review, &mut tally));
    }
    (out, tally)
}

/// A review with its status.
fn answered(rights: &Rights, mut review: Value, tally: &mut Tally) -> Value {
    let status = match check(&review) {
        Ok(()) => {
            let (requester, attributes) = (requester(&review), attributes(&review));
            let answer = rights.can(&requester, &attributes);
            tally.by_what_was_given += usize::from(answer == Answer::No(Ground::ByWhatWasGiven));
            tally.open += usize::from(matches!(answer, Answer::Unknown(_) | Answer::If { .. }));
            status(rights, &answer, &requester, &attributes)
        }
        Err(problem) => {
            tally.wrong = true;
            // What is no review may hold anything; nothing of it is repeated but what it is called.
            review = head(&review);
            json!({"allowed": false, "evaluationError": format!("invalid: {problem}")})
        }
    };
    if let Value::Object(review) = &mut review {
        review.insert("status".to_owned(), status);
    }
    review
}

/// On what the answers rest.
fn tell(rights: &Rights, tally: &Tally) -> anyhow::Result<()> {
    let (open, by_what_was_given) = (tally.open, tally.by_what_was_given);
    if open > 0 {
        let text = format!("{open} not known: `status.evaluationError` says why");
        output::say("note", &text)?;
    }
    if by_what_was_given > 0 {
        let gaps = rights.gaps(analysis::ask::Within::Anywhere);
        let text = format!(
            "{by_what_was_given} not allowed by what was given; {}",
            gaps.join("; ")
        );
        output::say("note", &text)?;
        output::say(
            "  help",
            "`--bootstrap-roles` adds the roles that every cluster has, `--whole` says that the files are \
             everything",
        )?;
    }
    Ok(())
}

/// A review as it was written.
enum Review<'t> {
    /// a line and its number
    Line(usize, &'t str),
    /// a document
    Value(Value),
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::new(format!("cannot read `{}`: {error}", path.display()))
            .help("`--reviews` takes a file with a SubjectAccessReview on each line")
    })?;
    Ok(text)
}

/// JSON lines; where the first line is none, documents.
fn parse(text: &str) -> Result<Vec<Review<'_>>, (usize, String)> {
    let is_json = |line: &str| serde_json::from_str::<IgnoredAny>(line).is_ok();
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| (at + 1, line))
        .peekable();
    if lines.peek().is_some_and(|(_, line)| is_json(line)) {
        return Ok(lines.map(|(at, line)| Review::Line(at, line)).collect());
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(vec![Review::Value(value)]);
    }
    let mut all = Vec::new();
    for raw in yaml::documents(text) {
        let doc = ::guide::front_matter::read(&raw.text, raw.line)
            .map_err(|(line, problem)| (line as usize, problem))?;
        if doc.root().is_map() {
            all.push(Review::Value(::guide::setting::to_json(doc.root())));
        }
    }
    Ok(all)
}

/// A list stands for its items.
fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(mut list) => match list.remove("items") {
            Some(Value::Array(items)) => items,
            Some(other) => {
                list.insert("items".to_owned(), other);
                vec![Value::Object(list)]
            }
            None => vec![Value::Object(list)],
        },
        other => vec![other],
    }
}

/// What an object is called.
fn head(object: &Value) -> Value {
    let mut head = serde_json::Map::new();
    for key in ["apiVersion", "kind"] {
        if let Some(Value::String(text)) = object.get(key) {
            head.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(Value::String(name)) = object.pointer("/metadata/name") {
        head.insert("metadata".to_owned(), json!({ "name": name }));
    }
    Value::Object(head)
}

/// What the API server would refuse (kubernetes pkg/apis/authorization/validation).
fn check(review: &Value) -> Result<(), String> {
    let kind = text(review, "/kind");
    if !matches!(
        kind,
        "SubjectAccessReview" | "LocalSubjectAccessReview" | ""
    ) {
        return Err(format!("`{kind}` is no SubjectAccessReview"));
    }
    let version = text(review, "/apiVersion");
    if !matches!(version, "authorization.k8s.io/v1" | "") {
        return Err(format!(
            "`{version}` is not served; write `authorization.k8s.io/v1`"
        ));
    }
    for (at, is) in [
        ("/spec/user", Value::is_string as fn(&Value) -> bool),
        ("/spec/groups", Value::is_array),
    ] {
        if review
            .pointer(at)
            .is_some_and(|value| !value.is_null() && !is(value))
        {
            return Err(format!(
                "`{}` has the wrong type",
                at.trim_start_matches('/').replace('/', ".")
            ));
        }
    }
    let has = |at: &str| review.pointer(at).is_some_and(Value::is_object);
    let (resource, path) = (
        has("/spec/resourceAttributes"),
        has("/spec/nonResourceAttributes"),
    );
    if resource == path {
        return Err(
            "exactly one of `resourceAttributes` and `nonResourceAttributes` is needed".to_owned(),
        );
    }
    let groups = review.pointer("/spec/groups").and_then(Value::as_array);
    if text(review, "/spec/user").is_empty() && groups.is_none_or(Vec::is_empty) {
        return Err("neither `user` nor `groups` is given".to_owned());
    }
    if kind == "LocalSubjectAccessReview"
        && text(review, "/spec/resourceAttributes/namespace") != text(review, "/metadata/namespace")
    {
        return Err("its namespace is not that of `resourceAttributes`".to_owned());
    }
    Ok(())
}

fn requester(review: &Value) -> Requester<'_> {
    let groups = review.pointer("/spec/groups").and_then(Value::as_array);
    let groups = groups.into_iter().flatten().filter_map(Value::as_str);
    Requester {
        user: text(review, "/spec/user"),
        groups: groups.map(Cow::Borrowed).collect(),
        object_id: review
            .pointer("/spec/extra/oid/0")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty()),
    }
}

fn attributes(review: &Value) -> Attributes<'_> {
    let spec = review.get("spec");
    if let Some(path) = spec.and_then(|spec| spec.get("nonResourceAttributes")) {
        return Attributes {
            verb: entry(path, "verb"),
            target: Target::Path(entry(path, "path")),
        };
    }
    let of = |key: &str| {
        spec.and_then(|spec| spec.get("resourceAttributes"))
            .map_or("", |attributes| entry(attributes, key))
    };
    Attributes {
        verb: of("verb"),
        target: Target::Resource(ResourceTarget {
            group: of("group"),
            version: of("version"),
            resource: of("resource"),
            subresource: of("subresource"),
            namespace: of("namespace"),
            name: of("name"),
        }),
    }
}

fn status(
    rights: &Rights,
    answer: &Answer,
    requester: &Requester<'_>,
    attributes: &Attributes<'_>,
) -> Value {
    let said = reason(answer, &rights.estate);
    let mut status = json!({"allowed": answer.is_yes()});
    match answer {
        Answer::Yes(_) if !said.is_empty() => status_set(&mut status, "reason", said),
        Answer::If { .. } | Answer::Unknown(_) => status_set(&mut status, "evaluationError", said),
        Answer::No(_) => {
            if let Some(reason) = rights.rbac.missing_roles(requester, attributes) {
                status_set(&mut status, "reason", reason);
            }
        }
        Answer::Yes(_) => {}
    }
    status
}

fn status_set(status: &mut Value, key: &str, text: String) {
    if let Value::Object(status) = status {
        status.insert(key.to_owned(), text.into());
    }
}

fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value
        .pointer(at)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A text of a map; empty where there is none.
fn entry<'v>(map: &'v Value, key: &str) -> &'v str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}
