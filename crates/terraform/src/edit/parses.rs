//! Texts that were parsed: a configuration is evaluated again after each few edits, and most of its files are what they
//! were.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Body;

/// How many states of a file are kept: before an edit and after it.
const STATES: usize = 2;

/// A text and what it says.
type State = (Rc<str>, Rc<Body>);

/// What files say, by path, with the text.
#[derive(Debug, Default)]
pub(crate) struct Parses(RefCell<BTreeMap<String, Vec<State>>>);

impl Parses {
    pub(crate) fn body(&self, path: &str, text: &str) -> Result<Rc<Body>, Error> {
        let mut known = self.0.borrow_mut();
        let states = known.entry(path.to_owned()).or_default();
        if let Some((_, body)) = states.iter().find(|(own, _)| **own == *text) {
            return Ok(body.clone());
        }
        let body = Rc::new(parse_body(text)?);
        if states.len() >= STATES {
            states.remove(0);
        }
        states.push((text.into(), body.clone()));
        Ok(body)
    }
}
