//! What is imported from other files, with all that it refers to in turn, and how each part is
//! called in the template that imports it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::{Rc, Weak};

use crate::expression::is_name;
use crate::node::Node;
use crate::source::{FileId, Span};
use crate::syntax::Imported;

use super::compiled::Compiled;
use super::depend::culture;
use super::resolve::{Declaration, Resolved};
use super::session::Session;
use super::template::Template;
use super::unit::{Symbol, Unit};
use super::walk;

/// What can be imported. A `load…` call that an import needs counts as well; the number is where
/// it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Type,
    Variable,
    Function,
    Load(u32),
}

/// How things are called in the template, where that differs from how they are written.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    /// This file is imported from: what it declares has other names.
    pub(crate) own: Option<HashMap<(Kind, &'a str), &'a str>>,
    /// The variable that is being written, whose loops are called after it.
    pub(crate) copy: std::cell::Cell<Option<&'a str>>,
}

/// A part that is imported.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) file: FileId,
    pub(crate) kind: Kind,
    /// How it is called inside its file.
    pub(crate) identifier: String,
    /// How it was called where it was written.
    pub(crate) original: String,
    /// From where, as it is told in the template.
    pub(crate) source: String,
    /// How it is called here.
    pub(crate) name: &'a str,
    /// The import that leads to it.
    pub(crate) span: Span,
}

/// Everything that a template imports.
pub(crate) struct Closure<'s, 'a> {
    pub(crate) parts: Vec<Part<'a>>,
    names: HashMap<(FileId, Kind, String), &'a str>,
    files: RefCell<HashMap<FileId, Rc<Template<'s, 'a>>>>,
    compiled: HashMap<FileId, Rc<Compiled<'a>>>,
}

/// Where an import leads.
type Origin = (FileId, Kind, String);

impl<'s, 'a> Closure<'s, 'a> {
    /// A file that is imported from.
    pub(crate) fn file(
        self: &Rc<Self>,
        session: &'s Session<'s, 'a>,
        file: FileId,
    ) -> Rc<Template<'s, 'a>> {
        if let Some(found) = self.files.borrow().get(&file) {
            return Rc::clone(found);
        }
        let mut template = Template::imported(session, file);
        template.closure = Rc::downgrade(self);
        let own = self
            .parts
            .iter()
            .filter(|part| part.file == file)
            .map(|part| {
                let identifier: &'a str = session.bump.alloc_str(&part.identifier);
                ((part.kind, identifier), part.name)
            })
            .collect();
        template.plan.names.own = Some(own);
        for part in self.parts.iter().filter(|part| part.file == file) {
            if let Kind::Load(at) = part.kind {
                template.plan.loads.insert(at, part.name);
            }
        }
        let template = Rc::new(template);
        self.files.borrow_mut().insert(file, Rc::clone(&template));
        template
    }

    pub(crate) fn compiled(&self, file: FileId) -> Option<Rc<Compiled<'a>>> {
        self.compiled.get(&file).cloned()
    }
}

/// Finds out what a file imports.
pub(crate) fn closure<'s, 'a>(
    session: &'s Session<'s, 'a>,
    root: &Rc<Unit<'a>>,
) -> Rc<Closure<'s, 'a>> {
    let mut search = Search {
        session,
        root: Rc::clone(root),
        queue: VecDeque::new(),
        known: HashSet::new(),
        parts: Vec::new(),
    };
    let mut fixed: HashMap<Origin, &'a str> = HashMap::new();
    for (number, import) in root.imports.iter().enumerate() {
        match import.of.what {
            Imported::Symbols(symbols) => {
                for (at, symbol) in symbols.iter().enumerate() {
                    if let Some(origin) = origin(session, root, number, Some(at), None) {
                        fixed.insert(origin.clone(), super::unit::imported_as(symbol));
                        search.push(root, number, symbol.span, origin);
                    }
                }
            }
            Imported::Wildcard(_) => search.push_all(root, number, import.statement.span),
            Imported::Skipped => {}
        }
    }
    search.run();
    let mut parts = search.parts;
    name(session, &mut parts, &fixed);
    let mut names = HashMap::new();
    let mut by_file: HashMap<FileId, HashMap<(Kind, String), &'a str>> = HashMap::new();
    for part in &parts {
        names.insert((part.file, part.kind, part.identifier.clone()), part.name);
        if session.is_json(part.file) {
            by_file
                .entry(part.file)
                .or_default()
                .insert((part.kind, part.identifier.clone()), part.name);
        }
    }
    let compiled = by_file
        .into_iter()
        .map(|(file, names)| {
            let root = session.json(file);
            (file, Rc::new(Compiled { root, names }))
        })
        .collect();
    parts.sort_by(|one, other| culture(one.name, other.name));
    Rc::new(Closure {
        parts,
        names,
        files: RefCell::default(),
        compiled,
    })
}

/// What is imported by name keeps it; the others get names that no one can write: `_1.name`.
fn name<'a>(session: &Session<'_, 'a>, parts: &mut [Part<'a>], fixed: &HashMap<Origin, &'a str>) {
    let key = |part: &Part<'a>| format!("{}_{}", part.source, part.original);
    parts.sort_by(|one, other| culture(&key(one), &key(other)));
    let mut next = 1;
    let mut take = || {
        next += 1;
        next - 1
    };
    let mut templates: HashMap<String, i32> = HashMap::new();
    for part in parts {
        let origin = (part.file, part.kind, part.identifier.clone());
        if let Some(name) = fixed.get(&origin) {
            part.name = name;
            continue;
        }
        let template = match templates.get(&part.source) {
            Some(number) => *number,
            None => {
                let number = take();
                templates.insert(part.source.clone(), number);
                number
            }
        };
        let own = if is_name(&part.original) {
            part.original.clone()
        } else {
            format!("_{}", take())
        };
        part.name = session.bump.alloc_str(&format!("_{template}.{own}"));
    }
}

struct Search<'s, 'a> {
    session: &'s Session<'s, 'a>,
    root: Rc<Unit<'a>>,
    queue: VecDeque<(Origin, String, Span)>,
    known: HashSet<(String, String)>,
    parts: Vec<Part<'a>>,
}

impl<'a> Search<'_, 'a> {
    /// Something that a file imports.
    fn push(&mut self, unit: &Unit<'a>, import: usize, span: Span, origin: Origin) {
        let path = import_path(unit, import);
        let source = if super::session::is_published(path) {
            self.session.file_name(origin.0).to_owned()
        } else {
            relative(self.root.name, self.session.file_name(origin.0))
        };
        self.queue.push_back((origin, source, span));
    }

    /// All that the file exports.
    fn push_all(&mut self, unit: &Unit<'a>, import: usize, span: Span) {
        for name in exports(self.session, unit, import) {
            if let Some(origin) = origin(self.session, unit, import, None, Some(name)) {
                self.push(unit, import, span, origin);
            }
        }
    }

    fn run(&mut self) {
        while let Some((origin, source, span)) = self.queue.pop_front() {
            let (file, kind, identifier) = origin;
            let json = self.session.is_json(file);
            let original = if json {
                Compiled::original(kind, &identifier).to_owned()
            } else {
                identifier.clone()
            };
            if !self.known.insert((source.clone(), original.clone())) {
                continue;
            }
            if json {
                let root = self.session.json(file);
                for (kind, name) in Compiled::references(&root, kind, &identifier) {
                    self.queue
                        .push_back(((file, kind, name), source.clone(), span));
                }
            } else {
                self.follow(file, kind, &identifier, &source, span);
            }
            self.parts.push(Part {
                file,
                kind,
                identifier,
                original,
                source,
                name: "",
                span,
            });
        }
    }

    /// What a declaration of a Bicep file refers to.
    fn follow(&mut self, file: FileId, kind: Kind, name: &str, source: &str, span: Span) {
        let unit = self.session.unit(file);
        let mut names = walk::Names::default();
        match (kind, unit.symbols.get(name)) {
            (Kind::Type, Some(Symbol::Type(at))) => {
                if let Some(declared) = unit.types.get(*at) {
                    names.ty(&unit, &declared.of.ty);
                    names.decorators(&unit, declared.statement.decorators);
                }
            }
            (Kind::Variable, Some(Symbol::Variable(at))) => {
                if let Some(declared) = unit.variables.get(*at) {
                    names.expression(&unit, &declared.of.value);
                    if let Some(ty) = &declared.of.ty {
                        names.ty(&unit, ty);
                    }
                }
            }
            (Kind::Function, Some(Symbol::Function(at))) => {
                if let Some(lambda) = unit.functions.get(*at).and_then(|own| own.of.lambda) {
                    for parameter in lambda.parameters {
                        names.ty(&unit, &parameter.ty);
                    }
                    names.ty(&unit, &lambda.return_type);
                    names.expression(&unit, &lambda.body);
                }
            }
            _ => return,
        }
        for (number, load) in unit.loads.iter().enumerate() {
            let at = load.call.span.start;
            if names.loads.contains(&at) && super::load::needs_variable(&unit, number) {
                let own = super::load::variable_number(&unit, number);
                let origin = (file, Kind::Load(at), format!("$fxv#{own}"));
                self.queue.push_back((origin, source.to_owned(), span));
            }
        }
        for symbol in names.symbols {
            let own = |kind, name: &str| (file, kind, name.to_owned());
            match symbol {
                Symbol::Type(at) => {
                    if let Some(declared) = unit.types.get(at) {
                        let origin = own(Kind::Type, declared.of.name.name);
                        self.queue.push_back((origin, source.to_owned(), span));
                    }
                }
                Symbol::Variable(at) => {
                    if let Some(declared) = unit.variables.get(at) {
                        let origin = own(Kind::Variable, declared.of.name.name);
                        self.queue.push_back((origin, source.to_owned(), span));
                    }
                }
                Symbol::Function(at) => {
                    if let Some(declared) = unit.functions.get(at) {
                        let origin = own(Kind::Function, declared.of.name.name);
                        self.queue.push_back((origin, source.to_owned(), span));
                    }
                }
                Symbol::Import(import, at) => {
                    if let Some(origin) = origin(self.session, &unit, import, Some(at), None) {
                        self.push(&unit, import, span, origin);
                    }
                }
                Symbol::Wildcard(import) => self.push_all(&unit, import, span),
                _ => {}
            }
        }
    }
}

pub(crate) fn import_path<'a>(unit: &Unit<'a>, import: usize) -> &'a str {
    unit.imports
        .get(import)
        .and_then(|import| import.of.from.as_str())
        .unwrap_or_default()
}

fn import_file<'a>(session: &Session<'_, 'a>, unit: &Unit<'a>, import: usize) -> Option<FileId> {
    session.find(unit.name, import_path(unit, import)).ok()
}

fn exports<'a>(session: &Session<'_, 'a>, unit: &Unit<'a>, import: usize) -> Vec<&'a str> {
    let Some(file) = import_file(session, unit, import) else {
        return Vec::new();
    };
    if session.is_json(file) {
        return Compiled::exports(&session.json(file));
    }
    let from = session.unit(file);
    let exported =
        |statement: &crate::syntax::Statement<'a>| statement.decorator("export").is_some();
    let mut names: Vec<&'a str> = Vec::new();
    names.extend(
        from.types
            .iter()
            .filter(|of| exported(of.statement))
            .map(|of| of.of.name.name),
    );
    names.extend(
        from.variables
            .iter()
            .filter(|of| exported(of.statement))
            .map(|of| of.of.name.name),
    );
    names.extend(
        from.functions
            .iter()
            .filter(|of| exported(of.statement))
            .map(|of| of.of.name.name),
    );
    names
}

/// Where the symbol of an import, or a name behind a wildcard, is declared.
fn origin<'a>(
    session: &Session<'_, 'a>,
    unit: &Unit<'a>,
    import: usize,
    symbol: Option<usize>,
    name: Option<&str>,
) -> Option<Origin> {
    let file = import_file(session, unit, import)?;
    let name = match (symbol, name) {
        (Some(symbol), _) => match unit.imports.get(import)?.of.what {
            Imported::Symbols(symbols) => symbols.get(symbol)?.name.as_str()?,
            _ => return None,
        },
        (None, name) => name?,
    };
    if session.is_json(file) {
        let (kind, identifier) = Compiled::export(&session.json(file), name)?;
        return Some((file, kind, identifier));
    }
    let kind = match session.unit(file).symbols.get(name)? {
        Symbol::Type(_) => Kind::Type,
        Symbol::Variable(_) => Kind::Variable,
        Symbol::Function(_) => Kind::Function,
        _ => return None,
    };
    Some((file, kind, name.to_owned()))
}

impl<'s, 'a> Template<'s, 'a> {
    /// Says which imports lead nowhere.
    pub(crate) fn check_imports(&self) {
        for (number, import) in self.unit.imports.iter().enumerate() {
            let path = import_path(&self.unit, number);
            if path.is_empty() {
                continue;
            }
            if let Err(why) = self.session.find(self.unit.name, path) {
                self.unresolved(import.of.from.span, path, &why);
                continue;
            }
            let Imported::Symbols(symbols) = import.of.what else {
                continue;
            };
            for (at, symbol) in symbols.iter().enumerate() {
                if origin(self.session, &self.unit, number, Some(at), None).is_none() {
                    let name = symbol.name.as_str().unwrap_or_default();
                    self.unknown_name(
                        symbol.name.span,
                        &format!("`{path}` exports nothing called `{name}`"),
                    );
                }
            }
        }
    }

    fn part_name(&self, origin: Origin) -> Option<&'a str> {
        self.closure.upgrade()?.names.get(&origin).copied()
    }

    pub(crate) fn imported_name(&self, import: usize, symbol: usize) -> Option<&'a str> {
        self.part_name(origin(
            self.session,
            &self.unit,
            import,
            Some(symbol),
            None,
        )?)
    }

    pub(crate) fn wildcard_name(&self, import: usize, name: &str) -> Option<&'a str> {
        self.part_name(origin(self.session, &self.unit, import, None, Some(name))?)
    }

    fn own_name_of(&self, kind: Kind, name: &'a str) -> &'a str {
        self.plan
            .names
            .own
            .as_ref()
            .and_then(|own| own.get(&(kind, name)).copied())
            .unwrap_or(name)
    }

    pub(crate) fn variable_name(&self, name: &'a str) -> &'a str {
        self.own_name_of(Kind::Variable, name)
    }

    pub(crate) fn type_name(&self, name: &'a str) -> &'a str {
        self.own_name_of(Kind::Type, name)
    }

    pub(crate) fn function_name(&self, name: &'a str) -> (&'a str, &'a str) {
        super::lower::split_function(self.own_name_of(Kind::Function, name))
    }

    /// How `copyIndex` calls a loop.
    pub(crate) fn copy_name(&self, name: &'a str) -> &'a str {
        self.plan.names.copy.get().unwrap_or(name)
    }

    pub(crate) fn imported_type(
        self: &Rc<Self>,
        import: usize,
        symbol: usize,
    ) -> Option<Resolved<'s, 'a>> {
        self.type_at(origin(
            self.session,
            &self.unit,
            import,
            Some(symbol),
            None,
        )?)
    }

    pub(crate) fn wildcard_type(
        self: &Rc<Self>,
        import: usize,
        name: &str,
    ) -> Option<Resolved<'s, 'a>> {
        self.type_at(origin(self.session, &self.unit, import, None, Some(name))?)
    }

    fn type_at(self: &Rc<Self>, origin: Origin) -> Option<Resolved<'s, 'a>> {
        let closure = self.closure.upgrade()?;
        let name = *closure.names.get(&origin)?;
        let (file, _, identifier) = origin;
        if let Some(compiled) = closure.compiled(file) {
            let schema: Node<'a> = compiled.type_node(&identifier)?;
            let place = vec!["definitions".to_owned(), name.to_owned()];
            return Some(Resolved::Place(
                place,
                Declaration::Schema(compiled, schema),
            ));
        }
        let from = closure.file(self.session, file);
        let Some(Symbol::Type(at)) = from.unit.symbols.get(identifier.as_str()).copied() else {
            return None;
        };
        let declared = *from.unit.types.get(at)?;
        Some(from.declared(name, &declared))
    }
}

/// No closure: nothing is imported.
pub(crate) fn none<'s, 'a>() -> Weak<Closure<'s, 'a>> {
    Weak::new()
}

/// The path from one file to another.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let split = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|segment| !segment.is_empty() && *segment != ".")
            .map(str::to_owned)
            .collect()
    };
    let mut from = split(from);
    let to = split(to);
    from.pop();
    let folders = to.len().saturating_sub(1);
    let common = from
        .iter()
        .zip(to.iter().take(folders))
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.len() - common;
    let mut segments = vec!["..".to_owned(); up];
    segments.extend(to.into_iter().skip(common));
    segments.join("/")
}
