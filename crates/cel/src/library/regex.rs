//! `matches`, `find`, `findAll`: RE2's syntax, constant patterns checked when a program is
//! compiled and built on first use, others kept in a cache per thread.

use super::{Call, Given};
use crate::eval::Machine;
use crate::functions::Func;
use crate::{Node, Span, Val};
use bumpalo::collections::Vec as BumpVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

/// A pattern that is known to be valid.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: Box<str>,
    built: OnceLock<Option<regex::Regex>>,
}

impl Pattern {
    /// Checks a pattern.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let translated = translate(source);
        regex_syntax::ast::parse::Parser::new()
            .parse(&translated)
            .map_err(|e| e.kind().to_string())?;
        Ok(Self {
            source: translated.into(),
            built: OnceLock::new(),
        })
    }

    fn regex(&self) -> Option<&regex::Regex> {
        self.built
            .get_or_init(|| regex::Regex::new(&self.source).ok())
            .as_ref()
    }
}

/// Go's syntax in that of the regex crate: `\d`, `\w`, `\s`, `\b` are ASCII in RE2, and a
/// bracket or doubled operator within a class has no meaning there.
fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    while let Some(c) = chars.next() {
        let first_in_class = std::mem::take(&mut class_start);
        match c {
            '\\' => {
                let Some(next) = chars.next() else {
                    out.push('\\');
                    break;
                };
                let ascii = match next {
                    'd' => "[0-9]",
                    'D' => "[^0-9]",
                    'w' => "[0-9A-Za-z_]",
                    'W' => "[^0-9A-Za-z_]",
                    's' => "[\\t\\n\\f\\r ]",
                    'S' => "[^\\t\\n\\f\\r ]",
                    'b' if !in_class => "(?-u:\\b)",
                    'B' if !in_class => "(?-u:\\B)",
                    'Q' if !in_class => {
                        let mut literal = String::new();
                        while let Some(c) = chars.next() {
                            if c == '\\' && chars.peek() == Some(&'E') {
                                chars.next();
                                break;
                            }
                            literal.push(c);
                        }
                        out.push_str(&regex_syntax::escape(&literal));
                        continue;
                    }
                    _ => "",
                };
                if ascii.is_empty() {
                    out.push('\\');
                    out.push(next);
                } else {
                    out.push_str(ascii);
                }
            }
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // [:alpha:]
                out.push('[');
                while let Some(c) = chars.next() {
                    out.push(c);
                    if c == ':' && chars.peek() == Some(&']') {
                        chars.next();
                        out.push(']');
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            ']' if in_class && first_in_class => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && chars.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(c),
        }
    }
    out
}

thread_local! {
    static CACHE: RefCell<HashMap<String, Option<Rc<regex::Regex>>>> = RefCell::new(HashMap::new());
}

/// How many patterns a thread keeps.
const KEPT: usize = 256;

fn cached(pattern: &str) -> Option<Rc<regex::Regex>> {
    CACHE.with_borrow_mut(|cache| {
        if let Some(hit) = cache.get(pattern) {
            return hit.clone();
        }
        if cache.len() >= KEPT {
            cache.clear();
        }
        let built = regex::Regex::new(&translate(pattern)).ok().map(Rc::new);
        cache.insert(pattern.to_owned(), built.clone());
        built
    })
}

fn run<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    text: &'a str,
    re: &regex::Regex,
    limit: i64,
) -> Val<'a, N> {
    let cost = (1 + text.len() as u64 / 10) * (1 + re.as_str().len() as u64 / 4);
    c.machine.budget.charge(cost);
    match func {
        Func::Find => Val::Str(re.find(text).map_or("", |m| m.as_str())),
        Func::FindAll => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let found = re.find_iter(text).take(limit).map(|m| Val::Str(m.as_str()));
            c.list(BumpVec::from_iter_in(found, c.machine.bump))
        }
        _ => Val::Bool(re.is_match(text)),
    }
}

/// With a constant pattern, cel-go looks into optionals.
fn unwrapped<'a, N: Node<'a>>(v: Val<'a, N>) -> Val<'a, N> {
    match v {
        Val::Optional(Some(inner)) => inner.resolve(),
        _ => v,
    }
}

/// With a constant pattern.
pub(crate) fn call<'a, N: Node<'a>>(
    m: &mut Machine<'_, 'a, N>,
    func: Func,
    text: Val<'a, N>,
    pattern: &'a Pattern,
    limit: Option<Val<'a, N>>,
    span: Span,
) -> Val<'a, N> {
    if text.is_bad() {
        return text;
    }
    let limit = match limit {
        None => -1,
        Some(Val::Int(n)) => n,
        Some(bad) if bad.is_bad() => return bad,
        Some(_) => return m.overload("findAll", span),
    };
    let c = Call { machine: m, span };
    match (unwrapped(text), pattern.regex()) {
        (Val::Str(text), Some(re)) => run(c, func, text, re, limit),
        (Val::Str(_), None) => c.fail("the regular expression is too large"),
        _ => m.overload("matches", span),
    }
}

/// With a pattern computed at run time.
pub(crate) fn dynamic<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let (text, pattern, limit) = match (func, args) {
        (
            Func::Matches | Func::MatchesGlobal | Func::Find | Func::FindAll,
            [Val::Str(t), Val::Str(p)],
        ) => (*t, *p, -1),
        (Func::FindAll, [Val::Str(t), Val::Str(p), Val::Int(n)]) => (*t, *p, *n),
        _ => return None,
    };
    Some(match cached(pattern) {
        Some(re) => run(c, func, text, &re, limit),
        None => c.fail(&format!("`{pattern}` is no regular expression")),
    })
}
