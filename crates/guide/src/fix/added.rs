//! An Azure resource that a fix adds, as a guideline writes it: in the form that Azure Resource Manager has, whatever
//! language the template is written in.
//!
//! `{{ resource.id }}`, `{{ resource.name }}` and `{{ resource.location }}` are references to the resource that the
//! finding is about, with another name to one that the fix names by `with`; each language writes them its own way. Other
//! expressions are values.

use bicep::addition::{Addition, Given, Part, Piece, Seat, Target, Text};
use cel::Program;
use yaml::edit::Value as Tree;

use super::object::{Bit, Lines};
use crate::context::Value;
use crate::message;

/// What begins and ends a reference in a text that was filled in.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// An Azure resource as a guideline writes it.
#[derive(Debug)]
pub struct Added {
    /// Its type.
    pub kind: Box<str>,
    /// As written.
    pub source: Box<str>,
    pub(super) symbol: Box<str>,
    comment: Vec<Box<str>>,
    lines: Lines,
}

/// Whether a template is that of an Azure resource.
pub(super) fn is_azure(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("type:"))
}

impl Added {
    /// Compiles a template. `names` are what references may begin with; `resource` is the first. `before` are the symbols
    /// of those that the same fix adds before it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(
        text: &str,
        names: &[&str],
        before: &[&str],
        compile: &mut dyn FnMut(&str) -> Result<Program, String>,
    ) -> Result<Self, String> {
        let marked = |text: &str| match mark(text, names) {
            Some(mark) => Some(mark),
            None => fresh(text, before),
        };
        let keyed = keys_marked(text, &marked);
        let text = &*keyed;
        let mut value = |text: &str| match marked(text) {
            Some(mark) => Ok(Bit::Mark(mark)),
            None => Ok(Bit::Piece(message::Piece::Value(Box::new(compile(text)?)))),
        };
        let (lines, shape) = Lines::compile(text, &mut value)?;
        let tree = Tree::read(&shape).map_err(|error| format!("a new resource: {error}"))?;
        let get = |key: &str| match entry(&tree, key) {
            Some(Tree::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let named = get("name").or_else(|| get("patch"));
        let (Some(kind), Some(_), Some(_)) = (get("type"), get("apiVersion"), named) else {
            return Err(
                "a new resource of Azure says its `type`, `apiVersion` (in quotes) and `name`"
                    .to_owned(),
            );
        };
        let (Some(symbol), true) = (get("symbol"), kind.contains('/')) else {
            return Err(
                "a new resource of Azure says its whole `type`, and its `symbol`: what templates call it"
                    .to_owned(),
            );
        };
        let comment = text.lines().take_while(|line| line.starts_with('#'));
        Ok(Self {
            kind: kind.into(),
            source: text.into(),
            symbol: symbol.into(),
            comment: comment
                .map(|line| line.trim_start_matches('#').trim().into())
                .collect(),
            lines,
        })
    }

    /// Whether it is no resource of its own, but says more of one that is there.
    #[must_use]
    pub fn is_patch(&self) -> bool {
        self.source.lines().any(|line| line.starts_with("patch:"))
    }

    /// The expressions in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.lines.programs()
    }

    /// The resource with its values; `None` where one of them is not known. `targets` are what its references mean,
    /// `before` what the same fix adds before it.
    pub(crate) fn filled<'a>(
        &'a self,
        targets: &[Target],
        before: &[Addition],
        eval: &mut dyn FnMut(&'a Program) -> Value<'a>,
    ) -> Option<Addition> {
        let mut text = self.lines.filled(eval)?;
        for (number, addition) in before.iter().enumerate() {
            let mark = format!("{OPEN}+{number}{CLOSE}");
            text = text.replace(&mark, &addition.fresh());
        }
        let Tree::Map(entries) = Tree::read(&text).ok()? else {
            return None;
        };
        let mut addition = Addition {
            symbol: self.symbol.clone(),
            kind: self.kind.clone(),
            api_version: "".into(),
            name: Vec::new(),
            seat: Seat::Deployment,
            body: Vec::new(),
            azurerm: Vec::new(),
            comment: self.comment.clone(),
            apart: false,
            targets: targets.to_vec(),
        };
        for (key, value) in &entries {
            match (&**key, value) {
                ("type" | "symbol", _) => {}
                ("apiVersion", Tree::String(text)) => addition.api_version = text.as_str().into(),
                ("name", Tree::String(text)) => addition.name = read(text),
                ("parent", Tree::String(text)) => addition.seat = Seat::Child(only(text)?),
                ("scope", Tree::String(text)) if text == "subscription" => {
                    addition.seat = Seat::Subscription;
                }
                ("azurerm", Tree::Map(entries)) => {
                    let entries = entries.iter();
                    addition.azurerm = entries
                        .map(|(key, value)| (key.as_str().into(), value.clone()))
                        .collect();
                }
                ("patch", Tree::String(text)) => addition.seat = Seat::Patch(only(text)?),
                ("scope", Tree::String(text)) => addition.seat = Seat::Extension(only(text)?),
                (key, value) => addition.body.push((key.into(), Given::of(value, &read))),
            }
        }
        Some(addition)
    }
}

fn entry<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
    let Tree::Map(entries) = tree else {
        return None;
    };
    entries
        .iter()
        .find(|(own, _)| own == key)
        .map(|(_, value)| value)
}

/// What stands for a reference until it is read.
fn mark(text: &str, names: &[&str]) -> Option<Box<str>> {
    let (name, part) = text.split_once('.')?;
    let number = names.iter().position(|known| *known == name)?;
    let letter = match part {
        "id" => 'i',
        "name" => 'n',
        "location" => 'l',
        _ => return None,
    };
    Some(format!("{OPEN}{number}{letter}{CLOSE}").into())
}

/// What stands for the id of a resource that is added before.
fn fresh(text: &str, before: &[&str]) -> Option<Box<str>> {
    let name = text.strip_suffix(".id")?;
    let number = before.iter().position(|known| *known == name)?;
    Some(format!("{OPEN}+{number}{CLOSE}").into())
}

/// A template with references in the place of keys as they are read later.
fn keys_marked(text: &str, marked: &impl Fn(&str) -> Option<Box<str>>) -> String {
    let lines = text.lines().map(|line| {
        let key = line.trim_start();
        let inner = key
            .strip_prefix("{{")
            .and_then(|rest| rest.split_once("}}:"));
        let mark = inner.and_then(|(inner, value)| Some((marked(inner.trim())?, value)));
        match mark {
            Some((mark, value)) => {
                let indent = line.len() - key.len();
                format!("{:indent$}\"{mark}\":{value}\n", "")
            }
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// A text with its references.
fn read(text: &str) -> Text {
    let mut pieces = Vec::new();
    let plain = |pieces: &mut Text, text: &str| {
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((inner, behind)) = after.split_once(CLOSE) else {
            break;
        };
        plain(&mut pieces, before);
        let letter = inner.chars().next_back();
        let part = match letter {
            Some('n') => Part::Name,
            Some('l') => Part::Location,
            _ => Part::Id,
        };
        let number = inner.trim_end_matches(|last: char| !last.is_ascii_digit());
        pieces.push(Piece::Of(number.parse().unwrap_or_default(), part));
        rest = behind;
    }
    plain(&mut pieces, rest);
    pieces
}

/// The target whose id is all that a text says.
fn only(text: &str) -> Option<usize> {
    match read(text).as_slice() {
        [Piece::Of(number, Part::Id)] => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bicep::addition::{Part, Piece, Seat};
    use model::Ref;

    use super::{Added, Given, is_azure};
    use crate::context::Value;

    struct Nothing;

    impl<'a> cel::Scope<'a, Ref<'a>> for Nothing {
        fn variable(&self, _: cel::Slot) -> Value<'a> {
            cel::Val::Null
        }

        fn definition(&self, _: cel::Slot) -> Option<&'a cel::Program> {
            None
        }
    }

    #[test]
    fn references_stay_references_and_values_are_filled_in() {
        let text = concat!(
            "# Whoever deletes it has to take the lock away first.\n",
            "symbol: lock\n",
            "type: Microsoft.Authorization/locks\n",
            "apiVersion: \"2020-05-01\"\n",
            "name: {{ resource.name }}-{{ 1 + 1 }}\n",
            "scope: {{ other.id }}\n",
            "properties:\n",
            "  level: {{ 'CanNot' + 'Delete' }}\n",
        );
        assert!(is_azure(text));
        let mut compile = |text: &str| {
            let mut env = cel::Env::default();
            env.compile(text).map_err(|error| error.to_string())
        };
        let added = Added::compile(text, &["resource", "other"], &[], &mut compile).unwrap();
        let (bump, budget) = (bumpalo::Bump::new(), cel::Budget::new(10_000));
        let made = added
            .filled(&[], &[], &mut |program| {
                program.eval(&Nothing, &[], &bump, &budget)
            })
            .unwrap();
        assert_eq!(made.seat, Seat::Extension(1));
        assert_eq!(
            made.name,
            [Piece::Of(0, Part::Name), Piece::Text("-2".into())]
        );
        assert_eq!(&*made.api_version, "2020-05-01");
        let level = Given::Text(vec![Piece::Text("CanNotDelete".into())]);
        assert_eq!(
            made.body,
            [(
                "properties".into(),
                Given::Map(vec![("level".into(), level)])
            )]
        );
        assert_eq!(made.comment.len(), 1);
        assert_eq!(added.programs().count(), 2);
        let error = Added::compile("type: a/b\n", &["resource"], &[], &mut compile).unwrap_err();
        assert!(error.contains("apiVersion"), "{error}");
    }
}
