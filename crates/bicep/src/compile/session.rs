//! What the compilation of one file and all it leads to shares: texts, problems, what was already
//! compiled, and the bounds of depth and size.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use bumpalo::Bump;

use crate::deployment::{Problem, ProblemKind};
use crate::node::{Node, NodeKind};
use crate::problems::{Problems, few};
use crate::source::{FileId, Files, Found, Source, Sources, Span};
use crate::syntax;

use super::depend::Waits;
use super::unit::Unit;

/// How deep expressions may be nested, variables that are written out in place included.
const MAX_DEPTH: usize = 120;

/// How many expressions one compilation may make: variables that are written out in place may
/// double with every line.
const MAX_EXPRESSIONS: usize = 1_000_000;

/// How deep modules may be nested.
const MAX_MODULES: usize = 24;

/// Shared by everything that is compiled together.
pub(crate) struct Session<'s, 'a> {
    pub(crate) bump: &'a Bump,
    pub(crate) files: &'s dyn Files,
    sources: RefCell<Sources<'a>>,
    problems: RefCell<Problems>,
    units: RefCell<HashMap<FileId, Rc<Unit<'a>>>>,
    parsed: RefCell<HashMap<FileId, Node<'a>>>,
    found: RefCell<HashMap<(String, String), Result<FileId, String>>>,
    pub(crate) templates: RefCell<HashMap<FileId, Node<'a>>>,
    /// How long the texts are that a template is made of, all modules written out.
    pub(crate) weights: RefCell<HashMap<FileId, u64>>,
    compiling: RefCell<Vec<FileId>>,
    /// What is being written out in place: what leads back to it is a circle.
    open: RefCell<Vec<(FileId, Waits)>>,
    depth: Cell<usize>,
    expressions: Cell<usize>,
    exhausted: Cell<bool>,
    /// It was said that modules within modules come to too much.
    pub(crate) too_large: Cell<bool>,
}

/// One level deeper, until it is dropped.
pub(crate) struct Deeper<'d>(&'d Cell<usize>);

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<'s, 'a> Session<'s, 'a> {
    pub(crate) fn new(bump: &'a Bump, sources: Sources<'a>, files: &'s dyn Files) -> Self {
        Self {
            bump,
            files,
            sources: RefCell::new(sources),
            problems: RefCell::default(),
            units: RefCell::default(),
            parsed: RefCell::default(),
            found: RefCell::default(),
            templates: RefCell::default(),
            weights: RefCell::default(),
            compiling: RefCell::default(),
            open: RefCell::default(),
            depth: Cell::new(0),
            expressions: Cell::new(0),
            exhausted: Cell::new(false),
            too_large: Cell::new(false),
        }
    }

    pub(crate) fn problem(&self, problem: Problem) {
        // Names that are written out in several places would say the same again.
        self.problems.borrow_mut().add(problem);
    }

    /// The texts that were read, and what went wrong.
    pub(crate) fn end(self) -> (Sources<'a>, Vec<Problem>) {
        let mut problems = self.problems.into_inner().take();
        problems.sort_by_key(|problem| (problem.span.file, problem.span.start));
        (self.sources.into_inner(), few(problems))
    }

    /// One expression deeper; nothing past the bounds.
    pub(crate) fn deeper(&self, span: Span) -> Option<Deeper<'_>> {
        self.expressions.set(self.expressions.get() + 1);
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH || self.expressions.get() > MAX_EXPRESSIONS {
            if !self.exhausted.replace(true) {
                self.problem(Problem {
                    span,
                    message: "expressions are nested too deeply or grow too large here".to_owned(),
                    help: Some("write less in place: variables that read resources are repeated wherever they are used".to_owned()),
                    kind: ProblemKind::Expression,
                });
            }
            return None;
        }
        self.depth.set(depth);
        Some(Deeper(&self.depth))
    }

    /// Writes out what is declared somewhere; nothing, with a problem, when it leads back to
    /// itself.
    pub(crate) fn written_out<T>(
        &self,
        file: FileId,
        of: Waits,
        span: Span,
        run: impl FnOnce() -> T,
    ) -> Option<T> {
        if self.open.borrow().contains(&(file, of)) {
            self.problem(Problem {
                span,
                message: "this leads back to itself".to_owned(),
                help: None,
                kind: ProblemKind::Expression,
            });
            return None;
        }
        self.open.borrow_mut().push((file, of));
        let made = run();
        self.open.borrow_mut().pop();
        Some(made)
    }

    /// Runs for a file; nothing when it leads back to itself or too deep.
    pub(crate) fn inside<T>(&self, file: FileId, run: impl FnOnce() -> T) -> Option<T> {
        {
            let mut compiling = self.compiling.borrow_mut();
            if compiling.contains(&file) || compiling.len() >= MAX_MODULES {
                return None;
            }
            compiling.push(file);
        }
        let made = run();
        self.compiling.borrow_mut().pop();
        Some(made)
    }

    /// Evaluates a template.
    pub(crate) fn expand(
        &self,
        files: &'a dyn Files,
        root: &'a Node<'a>,
    ) -> crate::deployment::Expansion<'a> {
        let mut sources = self.sources.borrow_mut();
        let options = crate::expand::Options::default();
        crate::expand::expand(self.bump, &mut sources, files, root, options)
    }

    pub(crate) fn source(&self, file: FileId) -> Option<Source<'a>> {
        self.sources.borrow().get(file)
    }

    pub(crate) fn file_name(&self, file: FileId) -> &'a str {
        self.source(file).map_or("", |source| source.name)
    }

    pub(crate) fn text_at(&self, span: Span) -> &'a str {
        self.source(span.file)
            .and_then(|source| source.text.get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }

    /// The file that a path or a module's reference leads to.
    pub(crate) fn find(&self, from: &str, path: &str) -> Result<FileId, String> {
        let key = (from.to_owned(), path.to_owned());
        if let Some(found) = self.found.borrow().get(&key) {
            return found.clone();
        }
        let found = if is_published(path) {
            self.files.module(from, path)
        } else {
            self.files.file(from, path)
        };
        let found = found.and_then(|found| self.add(found));
        self.found.borrow_mut().insert(key, found.clone());
        found
    }

    fn add(&self, found: Found) -> Result<FileId, String> {
        let mut sources = self.sources.borrow_mut();
        if let Some(file) = sources.find(&found.name) {
            return Ok(file);
        }
        let text = std::str::from_utf8(&found.bytes)
            .map_err(|_| format!("`{}` is no UTF-8 text", found.name))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(sources.add(Source {
            name: self.bump.alloc_str(&found.name),
            text: self.bump.alloc_str(text),
            published: found.published,
        }))
    }

    /// What a Bicep file declares.
    pub(crate) fn unit(&self, file: FileId) -> Rc<Unit<'a>> {
        if let Some(unit) = self.units.borrow().get(&file) {
            return Rc::clone(unit);
        }
        let text = self.source(file).map_or("", |source| source.text);
        let parse = if self
            .file_name(file)
            .to_ascii_lowercase()
            .ends_with(".bicepparam")
        {
            syntax::parse_parameters
        } else {
            syntax::parse
        };
        let (program, problems) = parse(self.bump, text, file);
        for problem in problems {
            self.problem(problem);
        }
        let unit = Rc::new(Unit::new(file, self.file_name(file), &program));
        self.units.borrow_mut().insert(file, Rc::clone(&unit));
        unit
    }

    /// A JSON file.
    pub(crate) fn json(&self, file: FileId) -> Node<'a> {
        if let Some(node) = self.parsed.borrow().get(&file) {
            return *node;
        }
        let text = self.source(file).map_or("", |source| source.text);
        let crate::json::Parsed {
            root: node,
            problems,
        } = crate::json::parse(self.bump, text, file);
        for problem in problems {
            self.problem(problem);
        }
        self.parsed.borrow_mut().insert(file, node);
        node
    }

    /// A JSON file that is no template: expressions in it mean nothing, and may be wrong.
    pub(crate) fn data(&self, file: FileId) -> Result<Node<'a>, String> {
        let text = self.source(file).map_or("", |source| source.text);
        let parsed = crate::json::parse(self.bump, text, file);
        let mut strings = Vec::new();
        bracketed(&parsed.root, &mut strings);
        let mistake = parsed.problems.iter().find(|problem| {
            let after = strings.partition_point(|span| span.start <= problem.span.start);
            let around = after.checked_sub(1).and_then(|at| strings.get(at));
            around.is_none_or(|span| problem.span.end > span.end)
        });
        match mistake {
            Some(problem) => Err(problem.message.clone()),
            None => Ok(parsed.root),
        }
    }

    /// It is JSON, by its name or because it was published.
    pub(crate) fn is_json(&self, file: FileId) -> bool {
        self.source(file).is_some_and(|source| {
            let name = source.name.to_ascii_lowercase();
            source.published || !(name.ends_with(".bicep") || name.ends_with(".bicepparam"))
        })
    }
}

/// Where strings stand that were taken for expressions.
fn bracketed(node: &Node<'_>, out: &mut Vec<Span>) {
    match node.kind {
        NodeKind::Expr(_) => out.push(node.span),
        NodeKind::Array(items) => items.iter().for_each(|item| bracketed(item, out)),
        NodeKind::Object(entries) => {
            for entry in entries {
                if entry.key_expr.is_some() {
                    out.push(entry.key_span);
                }
                bracketed(&entry.value, out);
            }
        }
        _ => {}
    }
}

/// It names a published module, not a file.
pub(crate) fn is_published(path: &str) -> bool {
    ["br:", "br/", "ts:", "ts/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}
