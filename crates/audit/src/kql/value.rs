//! Values of a query: how they are written, of what type they are, and when they are known.

use super::cond::{Cond, Truth};

/// What a value is, as far as it decides how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Kusto's `string`: never null, so what is absent is empty.
    Text,
    /// Kusto's `long`.
    Number,
    /// A value of JSON, of a type that its use decides; null where it is absent.
    Json,
    /// A list of JSON, or null.
    List,
    /// A map of JSON, or null.
    Map,
    /// CEL's optional of a value of JSON, none where that is null.
    Optional,
    /// CEL's optional of a column of text, none where that is empty.
    OptionalText,
    /// What `url()` reads: the path and query of a request.
    Url,
    /// Its query.
    Query,
    /// What the query says of a key.
    QueryKey(String),
}

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) kind: Type,
    /// When it is known, but for what `open` says.
    pub(super) known: Cond,
    /// It comes out of the request's object, of which a patch shows a part: what is not there is unknown then.
    pub(super) open: bool,
    /// A constant, as CEL has it.
    pub(super) constant: Option<String>,
}

/// What an expression of CEL becomes.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Value(Value),
    Truth(Truth),
}

/// The column that tells that a patch is all there is of an object.
pub(super) const OPEN: &str = "ManifestOpen";

impl Value {
    pub(super) fn new(text: impl Into<String>, kind: Type) -> Self {
        Self {
            text: text.into(),
            kind,
            known: Cond::Always,
            open: false,
            constant: None,
        }
    }

    pub(super) fn constant(text: &str) -> Self {
        Self {
            constant: Some(text.to_owned()),
            ..Self::new(quoted(text), Type::Text)
        }
    }

    /// The same value written otherwise.
    pub(super) fn as_kind(&self, text: impl Into<String>, kind: Type) -> Self {
        Self {
            text: text.into(),
            kind,
            known: self.known.clone(),
            open: self.open,
            constant: None,
        }
    }

    /// When an optional, a list or a map is known: where nothing is there, only if all was shown.
    pub(super) fn known_or_absent(&self) -> Cond {
        if !self.open {
            return self.known.clone();
        }
        let there = Cond::is(format!("isnotnull({})", self.text));
        let whole = Cond::is(OPEN).negated();
        Cond::all([self.known.clone(), Cond::any([there, whole])])
    }

    /// When it is known that all of a list is there.
    pub(super) fn whole(&self) -> Cond {
        let whole = if self.open {
            Cond::is(OPEN).negated()
        } else {
            Cond::Always
        };
        Cond::all([self.known.clone(), whole])
    }

    /// As text.
    pub(super) fn texted(&self) -> Option<String> {
        match self.kind {
            Type::Text | Type::OptionalText => Some(self.text.clone()),
            Type::Json | Type::Number => Some(format!("tostring({})", self.text)),
            _ => None,
        }
    }

    /// As a list that is never null.
    pub(super) fn listed(&self) -> String {
        format!("coalesce({}, dynamic([]))", self.text)
    }

    /// A field of a value of JSON.
    pub(super) fn field(&self, name: &str) -> String {
        let plain = name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if plain && !is_keyword(name) {
            format!("{}.{name}", self.text)
        } else {
            format!("{}[{}]", self.text, quoted(name))
        }
    }
}

/// Names that Kusto's grammar does not take behind a dot.
fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "by" | "in"
            | "on"
            | "of"
            | "and"
            | "or"
            | "kind"
            | "with"
            | "to"
            | "from"
            | "step"
            | "has"
            | "contains"
    )
}

/// A text as a literal of Kusto (learn.microsoft.com/kusto/query/scalar-data-types/string).
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['\n', '\r', '\t']) {
        let escaped: String = text
            .chars()
            .map(|letter| match letter {
                '\\' => "\\\\".to_owned(),
                '\'' => "\\'".to_owned(),
                '\n' => "\\n".to_owned(),
                '\r' => "\\r".to_owned(),
                '\t' => "\\t".to_owned(),
                other => other.to_string(),
            })
            .collect();
        return format!("'{escaped}'");
    }
    let verbatim = if text.contains('\\') { "@" } else { "" };
    if text.contains('\'') && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    if text.contains('\'') {
        return format!("@'{}'", text.replace('\'', "''"));
    }
    format!("{verbatim}'{text}'")
}

/// A list of texts, between commas.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let all: Vec<String> = texts.into_iter().map(quoted).collect();
    all.join(", ")
}

/// A list of texts as JSON, which `dynamic()` takes.
pub(super) fn json_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let all: Vec<String> = texts
        .into_iter()
        .map(|text| serde_json::Value::from(text).to_string())
        .collect();
    format!("dynamic([{}])", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Type, Value, quoted};

    #[test]
    fn texts_and_fields_are_written_as_kusto_reads_them() {
        assert_eq!(quoted("kube-system"), "'kube-system'");
        assert_eq!(quoted(r"^a\.b"), r"@'^a\.b'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted(r"it's \d"), r"@'it''s \d'");
        let value = Value::new("Manifest", Type::Json);
        assert_eq!(value.field("spec"), "Manifest.spec");
        assert_eq!(value.field("a/b"), "Manifest['a/b']");
    }
}
