//! What goes wrong for a while is told once: when it begins, when it becomes another, and when it is over.

use serde_json::{Map, Value, json};
use sources::post::Untold;

use super::{Level, Log};

/// What cannot be done again and again.
pub(crate) struct Trouble {
    what: &'static str,
    last: Option<String>,
}

impl Trouble {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, last: None }
    }

    /// How it went, and why not. `about` stands beside all that is told of it, `more` beside what goes wrong.
    pub(crate) fn tell(&mut self, log: &Log, why: Option<Why>, about: Value, more: Value) {
        let message = why.as_ref().map(|why| why.message.clone());
        match why {
            Some(why) if message != self.last => {
                let mut said = joined([about, more, json!({"why": why.message})]);
                if let Some(help) = why.help {
                    said.insert("help".to_owned(), help.into());
                }
                log(Level::Error, self.what, Value::Object(said));
            }
            None if self.last.is_some() => {
                let said = joined([about, json!({"trouble": self.what})]);
                log(Level::Info, "that is over", Value::Object(said));
            }
            _ => {}
        }
        self.last = message;
    }
}

/// Why something could not be done, and what helps.
pub(crate) struct Why {
    message: String,
    help: Option<&'static str>,
}

impl From<String> for Why {
    fn from(message: String) -> Self {
        Self {
            message,
            help: None,
        }
    }
}

impl From<Untold> for Why {
    fn from(untold: Untold) -> Self {
        Self {
            message: untold.message,
            help: untold.help,
        }
    }
}

fn joined<const N: usize>(maps: [Value; N]) -> Map<String, Value> {
    let maps = maps.into_iter();
    maps.filter_map(|map| match map {
        Value::Object(map) => Some(map),
        _ => None,
    })
    .flatten()
    .collect()
}
