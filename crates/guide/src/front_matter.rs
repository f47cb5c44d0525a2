//! Reading front matter and data files: YAML into typed fields, with errors that name the key.

use cel::Symbols;
use model::doc::{Dialect, Doc, DocBuilder};
use model::{Cost, Range, Ref, Severity};

use crate::guideline::Reference;

/// What is wrong with a file of the guide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct GuideError {
    /// Path below `guide/`.
    pub file: Box<str>,
    /// from 1
    pub line: u32,
    /// A sentence.
    pub message: String,
}

/// Reads YAML into a document.
///
/// # Errors
/// What the parser says.
pub fn read(text: &str, first_line: u32) -> Result<Doc, (u32, String)> {
    let symbols = Symbols::default();
    let mut builder = DocBuilder::new(&symbols, Dialect::Plain, text.into(), first_line);
    let root = yaml::parse(text, &yaml::Limits::default(), &mut builder).map_err(|error| {
        (
            first_line + error.line.saturating_sub(1),
            error.message.clone(),
        )
    })?;
    let Some(root) = root else {
        return Err((first_line, "nothing here".to_owned()));
    };
    Ok(builder.finish(root))
}

/// The fields of a map, with errors that name the key.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    map: Ref<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of `map`; only `known` keys may occur.
    ///
    /// # Errors
    /// Names the first key that is not known.
    pub fn of(map: Ref<'a>, known: &[&str]) -> Result<Self, String> {
        if !map.is_map() {
            return Err("a map is expected here".to_owned());
        }
        match map.entries().find(|(key, _, _)| !known.contains(key)) {
            Some((key, _, _)) => Err(format!(
                "unknown key `{key}`; known are: {}",
                known.join(", ")
            )),
            None => Ok(Self { map }),
        }
    }

    /// A value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Ref<'a>> {
        self.map.get(key)
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// Names the key.
    pub fn text(&self, key: &str) -> Result<&'a str, String> {
        self.map
            .get(key)
            .and_then(Ref::as_str)
            .ok_or_else(|| format!("`{key}` must be a string"))
    }

    /// A number, 0 when absent.
    ///
    /// # Errors
    /// Names the key.
    pub fn number(&self, key: &str) -> Result<f64, String> {
        match self.map.get(key) {
            None => Ok(0.0),
            Some(value) => number(value).ok_or_else(|| format!("`{key}` must be a number")),
        }
    }

    /// A number, or the two ends between which it lies: `[LOW, HIGH]`; 0 when absent.
    ///
    /// # Errors
    /// Names the key.
    pub fn range(&self, key: &str) -> Result<Range, String> {
        let wrong = || format!("`{key}` must be a number or two: [LOW, HIGH]");
        let Some(value) = self.map.get(key) else {
            return Ok(Range::default());
        };
        let range = if value.is_list() {
            let ends: Option<Vec<f64>> = value.items().map(number).collect();
            match ends.as_deref() {
                Some([low, high]) => Range {
                    low: *low,
                    high: *high,
                },
                _ => return Err(wrong()),
            }
        } else {
            Range::exact(number(value).ok_or_else(wrong)?)
        };
        if range.low < 0.0 || range.high < range.low {
            return Err(format!(
                "`{key}` must begin with its smaller end, from 0 on"
            ));
        }
        Ok(range)
    }

    /// A string or a list of strings; empty when absent.
    ///
    /// # Errors
    /// Names the key.
    pub fn texts(&self, key: &str) -> Result<Vec<Box<str>>, String> {
        let Some(value) = self.map.get(key) else {
            return Ok(Vec::new());
        };
        texts(value).ok_or_else(|| format!("`{key}` must be a string or a list of strings"))
    }

    /// A severity.
    ///
    /// # Errors
    /// Lists the words.
    pub fn severity(&self, key: &str) -> Result<Option<Severity>, String> {
        let Some(value) = self.map.get(key) else {
            return Ok(None);
        };
        value
            .as_str()
            .and_then(Severity::parse)
            .map(Some)
            .ok_or_else(|| format!("`{key}` must be critical, high, medium or low"))
    }

    /// Where facts come from.
    ///
    /// # Errors
    /// Names what is missing.
    pub fn references(&self) -> Result<Vec<Reference>, String> {
        let mut references = Vec::new();
        for item in self.map.get("references").into_iter().flat_map(Ref::items) {
            references.push(reference(item)?);
        }
        Ok(references)
    }

    /// What following it costs.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn cost(&self) -> Result<Cost, String> {
        let Some(value) = self.map.get("cost") else {
            return Err("`cost` is missing".to_owned());
        };
        let fields = Fields::of(value, &["monthly", "effort_days", "upkeep_hours", "breaks"])?;
        Ok(Cost {
            monthly: fields.number("monthly")?,
            effort_days: fields.range("effort_days")?,
            upkeep_hours: fields.number("upkeep_hours")?,
            breaks: fields.get("breaks").and_then(Ref::as_str).map(Into::into),
        })
    }
}

/// Where a fact was read.
///
/// # Errors
/// Names what is missing.
pub fn reference(value: Ref<'_>) -> Result<Reference, String> {
    let fields = Fields::of(value, &["url", "seen", "title"])?;
    Ok(Reference {
        url: fields.text("url")?.into(),
        seen: fields.text("seen")?.into(),
    })
}

/// A number of any kind.
#[must_use]
pub fn number(value: Ref<'_>) -> Option<f64> {
    use cel::{Node as _, View};
    match value.view() {
        View::Int(number) => Some(number as f64),
        View::Uint(number) => Some(number as f64),
        View::Double(number) => Some(number),
        _ => None,
    }
}

/// A string as one, a list of strings as it is. Numbers count as their text (control ids).
#[must_use]
pub fn texts(value: Ref<'_>) -> Option<Vec<Box<str>>> {
    if let Some(text) = scalar(value) {
        return Some(vec![text]);
    }
    value.is_list().then_some(())?;
    value.items().map(scalar).collect()
}

fn scalar(value: Ref<'_>) -> Option<Box<str>> {
    value.as_str().map(Into::into).or_else(|| {
        // An unquoted number such as 4.10 would read as 4.1: the text says what was meant.
        number(value)?;
        let span = value.span();
        value
            .doc
            .text()
            .get(span.start as usize..span.end as usize)
            .map(Into::into)
    })
}
