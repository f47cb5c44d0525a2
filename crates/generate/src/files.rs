//! Templates filled in with a plan.

use std::collections::BTreeMap;

use guide::Guide;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, UndefinedBehavior, context};

use crate::layout;
use crate::plan::Plan;

mod built {
    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the folder that is written to, with `/`.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// What stands at the end of a template's name.
const END: &str = ".j2";

/// What the policies of the guide are made with.
const CONFIGURATION: &str = "seawall.yaml";

/// The files of a plan, in the order of their paths.
///
/// # Errors
/// When a template is wrong, which no intent can cause.
pub fn files(plan: &Plan, guide: &Guide) -> Result<Vec<File>, String> {
    let environment = environment(plan).map_err(|error| report(&error))?;
    let mut files = BTreeMap::new();
    let (own, others): (Vec<&str>, Vec<&str>) = built::FILES
        .iter()
        .map(|(name, _)| *name)
        // What begins with an underscore is part of others.
        .filter(|name| {
            !name
                .rsplit('/')
                .next()
                .is_some_and(|last| last.starts_with('_'))
        })
        .partition(|name| name.strip_suffix(END) == Some(CONFIGURATION));
    let mut policies = BTreeMap::new();
    for name in own.into_iter().chain(others) {
        let path = name.strip_suffix(END).unwrap_or(name);
        for (path, of) in each(path, plan, &policies) {
            let template = environment
                .get_template(name)
                .map_err(|error| report(&error))?;
            let values = context! { ..of, ..Value::from_serialize(plan) };
            let text = template.render(values).map_err(|error| report(&error))?;
            if !text.trim().is_empty() {
                let text = match path.ends_with(".tf") {
                    true => layout::terraform(&tidy(&text)),
                    false => tidy(&text),
                };
                files.insert(path.clone(), File { path, text });
            }
        }
        if let Some(configuration) = files.get(CONFIGURATION).filter(|_| path == CONFIGURATION) {
            policies = crate::policies::policies(guide, plan, &configuration.text)?;
        }
    }
    Ok(files.into_values().collect())
}

fn report(error: &Error) -> String {
    format!("{error:#}")
}

/// The files that a template makes, each with what it is about.
fn each(path: &str, plan: &Plan, policies: &BTreeMap<String, String>) -> Vec<(String, Value)> {
    if path.contains("{policy}") {
        let policies = policies.iter();
        return policies
            .map(|(name, text)| {
                let own = context! { policy => context! { name => name, text => text } };
                (path.replace("{policy}", name), own)
            })
            .collect();
    }
    if path.contains("{cluster}") {
        let clusters = plan.clusters.iter();
        return clusters
            .map(|cluster| {
                let own = context! { cluster => cluster };
                (path.replace("{cluster}", &cluster.name), own)
            })
            .collect();
    }
    if path.contains("{namespace}") {
        // Clusters of one environment each have the same namespaces.
        let first = plan.clusters.first().into_iter();
        return first
            .flat_map(|cluster| &cluster.namespaces)
            .map(|namespace| {
                let own = context! { namespace => namespace, workload => namespace.workload };
                (path.replace("{namespace}", &namespace.name), own)
            })
            .collect();
    }
    vec![(path.to_owned(), context! {})]
}

fn environment(plan: &Plan) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    // `${{ … }}` and `{{ … }}` are syntax of pipelines and Terraform.
    environment.set_syntax(
        SyntaxConfig::builder()
            .block_delimiters("{%", "%}")
            .variable_delimiters("<<", ">>")
            .comment_delimiters("{#", "#}")
            .build()?,
    );
    let chosen = plan.chosen.clone();
    environment.add_function("chose", move |option: &str| chosen.contains(option));
    let languages = plan.intent.infrastructure.clone();
    environment.add_function("writes", move |language: &str| {
        languages.iter().any(|other| **other == *language)
    });
    environment.add_filter("label", |text: &str| label(text, LONGEST_LABEL));
    for (name, text) in built::FILES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// The most that the value of a label may be long.
const LONGEST_LABEL: usize = 63;

/// What somebody is called, as Kubernetes takes it for the value of a label: `Team Platform` is `team-platform`.
fn label(text: &str, longest: usize) -> String {
    let plain = text.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() || ['.', '_'].contains(&letter) => {
            letter.to_ascii_lowercase()
        }
        _ => '-',
    });
    let mut out = String::new();
    for letter in plain.take(longest) {
        if letter != '-' || !out.ends_with('-') {
            out.push(letter);
        }
    }
    let ends = |letter: char| !letter.is_ascii_alphanumeric();
    match out.trim_matches(ends) {
        "" => "nobody".to_owned(),
        label => label.to_owned(),
    }
}

/// One empty line at most between others, and none at the end: what conditions leave behind.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            if !empty {
                out.push('\n');
            }
            empty = true;
        } else {
            out.push_str(line);
            out.push('\n');
            empty = false;
        }
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_LABEL, label};

    #[test]
    fn whatever_somebody_is_called_is_a_label() {
        for (text, expected) in [
            ("Team Platform", "team-platform"),
            ("team@example.com", "team-example.com"),
            ("Platform, Inc. (Team: 7)", "platform-inc.-team-7"),
            ("Ünder_score", "nder_score"),
            ("§§", "nobody"),
        ] {
            assert_eq!(label(text, LONGEST_LABEL), expected);
        }
        let long = label(&"a-".repeat(60), LONGEST_LABEL);
        assert!(long.len() <= 63 && long.ends_with('a'), "{long}");
    }
}
