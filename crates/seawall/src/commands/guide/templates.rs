//! Fixes of guidelines about Azure resources in Bicep and Terraform.
//!
//! Examples are written as ARM JSON. One that says nothing but values is written in the other languages too, and mended
//! there by what `seawall fix` mends files with, proof and all. What cannot be written, found or mended there is not
//! shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::guide::answers::Given;
use ::guide::guideline::{Example, Expectation};
use ::guide::{Guide, Guideline};
use rayon::prelude::*;
use report::site::Fixed;
use serde_json::Value;
use sources::Overlay;

use crate::commands::estate::EstateArgs;
use crate::commands::judged::Question;
use crate::fix;

mod bicep;
mod terraform;

/// A resource of an example.
struct Declared<'j> {
    kind: &'j str,
    version: &'j str,
    name: &'j str,
    /// Everything else.
    rest: Vec<(&'j str, &'j Value)>,
}

/// The fixes of all guidelines, by their ids.
pub(super) fn fixes(guide: &Guide) -> anyhow::Result<BTreeMap<Box<str>, Vec<Fixed>>> {
    let folder = tempfile::tempdir()?;
    let given = answers(guide);
    let azure: Vec<&Guideline> = guide
        .guidelines
        .iter()
        .filter(|own| own.needs.azure && !own.fixes.is_empty())
        .collect();
    let mended = azure.par_iter().filter_map(|guideline| {
        let mender = Mender {
            guide,
            guideline,
            given: &given,
            folder: folder.path().join(&*guideline.id.0),
        };
        let fixes: Vec<Fixed> = [Language::Bicep, Language::Terraform]
            .into_iter()
            .filter_map(|language| mender.first(language))
            .collect();
        (!fixes.is_empty()).then(|| (Box::from(&*guideline.id.0), fixes))
    });
    Ok(mended.collect())
}

/// What fixes ask, answered by the example of each question.
fn answers(guide: &Guide) -> Given {
    let mut given = Given::default();
    for question in &guide.questions {
        let example = match &question.example {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // Some are asked about several things and have no single answer.
        let _ = given.type_in(guide, &format!("{}={example}", question.name));
    }
    given
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Bicep,
    Terraform,
}

struct Mender<'a> {
    guide: &'a Guide,
    guideline: &'a Guideline,
    given: &'a Given,
    folder: PathBuf,
}

impl Mender<'_> {
    /// The first example that can be written in a language and is mended there.
    fn first(&self, language: Language) -> Option<Fixed> {
        let examples = self.guideline.examples.iter();
        examples
            .filter(|example| example.expectation == Expectation::Bad)
            .filter(|example| example.files.iter().all(|file| !file.live))
            .find_map(|example| self.mended(example, language))
    }

    fn mended(&self, example: &Example, language: Language) -> Option<Fixed> {
        let [file] = example.files.as_slice() else {
            return None;
        };
        if &*file.language != "json" {
            return None;
        }
        let json: Value = serde_json::from_str(&without_comments(&file.text)).ok()?;
        let resources = resources(&json)?;
        // azurerm has no arguments for some; the others show the fix as well.
        let alone = resources
            .chunks(1)
            .filter(|_| language == Language::Terraform);
        std::iter::once(resources.as_slice())
            .chain(alone)
            .find_map(|some| self.written(example, language, some))
    }

    /// Writes resources in a language and mends them there.
    fn written(
        &self,
        example: &Example,
        language: Language,
        resources: &[Declared<'_>],
    ) -> Option<Fixed> {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).ok()?;
        if let Some(params) = &example.params {
            fs::write(self.folder.join("seawall.yaml"), &**params).ok()?;
        }
        let (name, word, text) = match language {
            Language::Bicep => ("main.bicep", "Bicep", bicep::written(resources)?),
            Language::Terraform => {
                let text = terraform::written(self.guide, resources, &self.folder)?;
                ("main.tf", "Terraform", text)
            }
        };
        let path = self.folder.join(name);
        fs::write(&path, &text).ok()?;
        let after = self.after(example, &path)?;
        (after != text).then_some(Fixed {
            language: word,
            before: text,
            after,
        })
    }

    /// The text of a file once everything in it that fails is mended.
    fn after(&self, example: &Example, path: &Path) -> Option<String> {
        let estate = EstateArgs {
            paths: vec![self.folder.clone()],
            whole: example.whole,
            ..EstateArgs::default()
        };
        // No clock: the day on which its facts were checked.
        let checked = self
            .guideline
            .references
            .iter()
            .map(|reference| &*reference.seen)
            .max();
        let question = Question {
            guide: self.guide,
            estate: &estate,
            config: None,
            kubernetes: None,
            as_of: example.as_of.as_deref().or(checked)?,
            selects: &|own| own.id == self.guideline.id,
            overlay: Overlay::default(),
            new_files: Overlay::default(),
            remedies: Some(self.given),
        };
        let mut sorting = fix::Sorting::default();
        let mut was = fix::Said::default();
        let before = question
            .ask(|finding| {
                was.add(&finding);
                sorting.add(&finding);
            })
            .ok()?;
        if before.unread().next().is_some() {
            return None;
        }
        let cures = sorting.end().cures;
        let proved = fix::prove(&question, &was, &cures).ok()?;
        if proved.held.is_empty() {
            return None;
        }
        let files = proved.texts.files.iter();
        let mut own = files.filter(|(changed, _)| Path::new(&***changed) == path);
        own.next().map(|(_, file)| file.after())
    }
}

/// The resources of a template that says nothing but values.
fn resources(template: &Value) -> Option<Vec<Declared<'_>>> {
    let open = ["parameters", "variables", "functions", "outputs"];
    let empty = |key: &&str| {
        let part = template.get(*key).and_then(Value::as_object);
        part.is_none_or(serde_json::Map::is_empty)
    };
    if !open.iter().all(empty) {
        return None;
    }
    let list = template.get("resources")?.as_array()?;
    list.iter().map(declared).collect()
}

fn declared(resource: &Value) -> Option<Declared<'_>> {
    let map = resource.as_object()?;
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let is_own = |key: &str| matches!(key, "type" | "apiVersion" | "name");
    let known = [
        "dependsOn",
        "copy",
        "condition",
        "resources",
        "scope",
        "comments",
    ];
    if known.iter().any(|key| map.contains_key(*key)) || !is_literal(resource) {
        return None;
    }
    let mut rest: Vec<(&str, &Value)> = map
        .iter()
        .filter(|(key, _)| !is_own(key))
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    // As people order them.
    rest.sort_by_key(|(key, _)| {
        let order = [
            "location",
            "tags",
            "sku",
            "kind",
            "identity",
            "zones",
            "extendedLocation",
        ];
        let last = if *key == "properties" {
            order.len() + 1
        } else {
            order.len()
        };
        order.iter().position(|own| own == key).unwrap_or(last)
    });
    Some(Declared {
        kind: text("type")?,
        version: text("apiVersion")?,
        name: text("name").filter(|name| !name.contains('/'))?,
        rest,
    })
}

/// Whether no text in it is an expression of a template.
fn is_literal(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.starts_with('['),
        Value::Array(items) => items.iter().all(is_literal),
        Value::Object(map) => map.values().all(is_literal),
        _ => true,
    }
}

/// JSON without what stands behind `//` outside of texts.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let (mut quoted, mut escaped, mut before) = (false, false, ' ');
        let end = line.char_indices().find_map(|(at, character)| {
            let comment = !quoted && before == '/' && character == '/';
            if !escaped && character == '"' {
                quoted = !quoted;
            }
            escaped = quoted && !escaped && character == '\\';
            before = character;
            comment.then(|| at.saturating_sub(1))
        });
        plain.push_str(end.and_then(|end| line.get(..end)).unwrap_or(line));
        plain.push('\n');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_go() {
        assert_eq!(
            without_comments("{\"a\": \"https://x \\\" // y\", // finding: z\n\"b\": 1}"),
            "{\"a\": \"https://x \\\" // y\", \n\"b\": 1}\n"
        );
    }

    #[test]
    fn fixes_are_shown_in_the_languages_of_templates() {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let all = fixes(&guide).unwrap();
        let own = all.get("api-local-accounts-off").unwrap();
        let bicep = own.iter().find(|fixed| fixed.language == "Bicep").unwrap();
        assert!(
            bicep.before.contains("disableLocalAccounts: false"),
            "{}",
            bicep.before
        );
        assert!(
            !bicep.after.contains("disableLocalAccounts: false"),
            "{}",
            bicep.after
        );
        for (id, fixes) in &all {
            for fixed in fixes {
                let (begins, other) = match fixed.language {
                    "Bicep" => ("resource ", "azurerm_"),
                    _ => ("resource \"azurerm_", "@20"),
                };
                assert_ne!(fixed.before, fixed.after, "{id}");
                assert!(fixed.before.starts_with(begins), "{id}: {}", fixed.before);
                assert!(!fixed.after.contains(other), "{id}: {}", fixed.after);
            }
        }
    }
}
