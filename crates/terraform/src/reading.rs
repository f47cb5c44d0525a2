//! A folder as a root module: variables from its files, everything that it makes, and what it
//! leaves open.

use std::collections::BTreeMap;

use bicep::deployment::{OpenParameter, ProblemKind};
use bicep::problems::few;
use bicep::source::{FileId, Sources, Span};
use bicep::value::Value;
use bumpalo::Bump;

use crate::engine::{Engine, Repeat, Scope};
use crate::expand::provider;
use crate::files::{Files, join};
use crate::interface;
use crate::json;
use crate::load::{Declared, Loader, ResourceKey};
use crate::lower::{Lower, Place};
use crate::output::{Out, Reading, Resource, expression, given};
use crate::syntax::{Body, Expr, Kind};
use crate::table::Table;
use crate::types::Type;
use crate::value::{Data, Val};
use crate::version;

/// What a variable of the root module is taken to be.
#[derive(Debug, Clone, Copy)]
pub enum Assumed<'a> {
    /// This value.
    Value(Value<'a>),
    /// Any value but these.
    Other(&'a [Value<'a>]),
}

/// What is given beside the folder.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// `-var-file`: paths as [`Files`] reads them; later ones replace earlier ones.
    pub var_files: Vec<String>,
    /// Values of variables, before which files count nothing.
    pub assumed: Vec<(&'a str, Assumed<'a>)>,
}

/// Reads the root module in a folder and everything that it makes. With a table, ids are
/// composed as Azure has them; without one they stay `azurerm_subnet.nodes.id`.
pub fn configuration<'a>(
    arena: &'a Bump,
    files: &dyn Files,
    sources: &mut Sources<'a>,
    folder: &str,
    options: &Options<'a>,
    table: Option<&Table>,
) -> Reading<'a> {
    let (reading, _) = evaluated(arena, files, sources, folder, options, table);
    reading
}

/// The reading, and the texts of `jsonencode` with what they encode.
pub(crate) fn evaluated<'a>(
    arena: &'a Bump,
    files: &dyn Files,
    sources: &mut Sources<'a>,
    folder: &str,
    options: &Options<'a>,
    table: Option<&Table>,
) -> (Reading<'a>, BTreeMap<&'a str, Value<'a>>) {
    let loader = Loader {
        arena,
        files,
        sources,
        problems: Vec::new(),
    };
    let mut engine = Engine::new(loader, folder, table);
    let root = engine.root.clone();
    let mut reading = Reading {
        azurerm: version::ANY,
        ..Reading::default()
    };
    if let Err(message) = engine.instantiate(&root, "", String::new(), Vec::new(), None) {
        engine.problem(Span::default(), &message, None, ProblemKind::Unresolved);
    } else {
        engine.downloads();
        engine.variables(options);
        let mut walk = Walk {
            out: Out::new(arena),
            resources: Vec::new(),
        };
        walk.module(&mut engine, 0);
        reading.outputs = walk.outputs(&mut engine);
        reading.resources = walk.resources;
        reading.nulls = walk.out.nulls;
        reading.switches = std::mem::take(&mut engine.switches);
        reading.choices = std::mem::take(&mut engine.choices);
        reading.azurerm = engine.azurerm();
        reading.open = engine.open(options);
        reading.interface = engine
            .modules
            .first()
            .map(|root| interface::of(arena, &root.declared));
    }
    let mut out = Out::new(arena);
    let encoded = engine
        .encoded
        .iter()
        .flat_map(|(text, value)| {
            // Found by its text as it is handed out, which a secret's is as it stands.
            let value = out.value(value);
            [(*text, value), (expression(arena, text), value)]
        })
        .collect();
    reading.problems = std::mem::take(&mut engine.loader.problems);
    reading
        .problems
        .sort_by(|left, right| (left.span, &left.message).cmp(&(right.span, &right.message)));
    reading.problems = few(std::mem::take(&mut reading.problems));
    (reading, encoded)
}

impl<'a> Engine<'a, '_> {
    /// What the lock file and the modules say of the version of azurerm.
    fn azurerm(&mut self) -> version::Majors {
        let lock = join(&self.root, ".terraform.lock.hcl");
        if let Ok(bytes) = self.loader.files.read(&lock)
            && let Ok(text) = String::from_utf8(bytes)
        {
            let lower = Lower {
                arena: self.arena,
                place: Place::Fixed(Span::default()),
            };
            for block in lower.body_text(&text).map_or(&[][..], |body| body.blocks) {
                let ours = block.labels.iter().any(|label| label.ends_with("/azurerm"));
                if let Some(version) = block.body.attribute("version").filter(|_| ours)
                    && let Kind::Str(version) = version.value.kind
                {
                    return version::majors(version);
                }
            }
        }
        self.modules
            .iter()
            .flat_map(|module| module.declared.azurerm.iter())
            .fold(version::ANY, |all, one| {
                version::both(all, version::majors(one))
            })
    }

    /// `.terraform/modules/modules.json`: which folder holds which downloaded module.
    fn downloads(&mut self) {
        let path = join(&self.root, ".terraform/modules/modules.json");
        let Ok(bytes) = self.loader.files.read(&path) else {
            return;
        };
        let Ok(text) = String::from_utf8(bytes) else {
            return;
        };
        let Ok(manifest) = json::read(self.arena, FileId(u32::MAX), &text) else {
            return;
        };
        let modules = manifest.get("Modules").and_then(|list| list.seq());
        for module in modules.unwrap_or_default() {
            if let (Some(Data::Str(key)), Some(Data::Str(folder))) = (
                module.get("Key").map(|value| value.data),
                module.get("Dir").map(|value| value.data),
            ) {
                self.downloaded.insert(key.to_owned(), folder.to_owned());
            }
        }
    }

    /// The order is Terraform's: `terraform.tfvars`, its JSON form, `*.auto.tfvars` by name,
    /// then what is named.
    fn variables(&mut self, options: &Options<'a>) {
        let names = self.loader.files.list(&self.root).unwrap_or_default();
        let mut paths: Vec<String> = ["terraform.tfvars", "terraform.tfvars.json"]
            .into_iter()
            .filter(|name| names.iter().any(|found| found == name))
            .map(str::to_owned)
            .collect();
        let mut automatic: Vec<String> = names
            .into_iter()
            .filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
            .collect();
        automatic.sort();
        paths.extend(automatic);
        let mut paths: Vec<String> = paths.iter().map(|name| join(&self.root, name)).collect();
        paths.extend(options.var_files.iter().cloned());
        for path in paths {
            self.variable_file(&path);
        }
        for (name, assumed) in &options.assumed {
            let value = match assumed {
                Assumed::Value(value) => given(self.arena, value, 0),
                Assumed::Other(not) => {
                    let Some((of, span)) = self.variable_type(name) else {
                        continue;
                    };
                    self.open_variable(name, of, false, span, not)
                }
            };
            if let Some(root) = self.modules.first_mut() {
                root.given.insert(name, value);
            }
        }
    }

    fn variable_type(&self, name: &str) -> Option<(&'a Type<'a>, Span)> {
        let block = self.modules.first()?.declared.variables.get(name)?;
        let of: &'a Type<'a> = match block.body.attribute("type") {
            Some(of) => self.arena.alloc(Type::parse(self.arena, &of.value)),
            None => &Type::Any,
        };
        Some((of, block.head))
    }

    fn variable_file(&mut self, path: &str) {
        let values: Vec<(&'a str, Val<'a>)> = if path.ends_with(".json") {
            match self.loader.text(path) {
                Ok((file, text)) => match json::read(self.arena, file, text) {
                    Ok(root) => root
                        .entries()
                        .unwrap_or_default()
                        .iter()
                        .map(|entry| (entry.key, entry.value))
                        .collect(),
                    Err(refused) => return self.loader.refused(refused),
                },
                Err(message) => return self.unreadable(&message),
            }
        } else {
            let body = match self.loader.body(path) {
                Ok(body) => body,
                Err(message) => return self.unreadable(&message),
            };
            self.assignments(&body)
        };
        if let Some(root) = self.modules.first_mut() {
            root.given.extend(values);
        }
    }

    fn unreadable(&mut self, message: &str) {
        self.problem(Span::default(), message, None, ProblemKind::Unresolved);
    }

    fn assignments(&mut self, body: &Body<'a>) -> Vec<(&'a str, Val<'a>)> {
        let scope = Scope {
            module: None,
            repeat: Repeat::default(),
            names: None,
        };
        body.attributes
            .iter()
            .map(|attribute| (attribute.name, self.value(&scope, &attribute.value)))
            .collect()
    }

    /// The root's variables without a value.
    fn open(&mut self, options: &Options<'a>) -> Vec<OpenParameter<'a>> {
        let Some(root) = self.modules.first() else {
            return Vec::new();
        };
        let declared = std::rc::Rc::clone(&root.declared);
        let mut open = Vec::new();
        let mut out = Out::new(self.arena);
        for (name, block) in &declared.variables {
            let assumed = options
                .assumed
                .iter()
                .any(|(given, assumed)| given == name && matches!(assumed, Assumed::Other(_)));
            let given = self
                .modules
                .first()
                .is_some_and(|root| root.given.contains_key(name));
            let known = given || block.body.attribute("default").is_some();
            if known && !assumed {
                continue;
            }
            let bool = self
                .variable_type(name)
                .is_some_and(|(of, _)| matches!(of, Type::Bool));
            let flag = |value| Val::bool(block.head, value);
            let allowed: Vec<Val<'a>> = if bool {
                vec![flag(true), flag(false)]
            } else {
                allowed(&block.body, name)
            };
            let text = format!("var.{name}");
            let compared = self.compared.get(text.as_str()).cloned();
            open.push(OpenParameter {
                name,
                span: block.head,
                secret: block
                    .body
                    .attribute("sensitive")
                    .is_some_and(|flag| matches!(flag.value.kind, Kind::Bool(true))),
                allowed: allowed.iter().map(|value| out.value(value)).collect(),
                compared: compared
                    .unwrap_or_default()
                    .iter()
                    .map(|value| out.value(value))
                    .collect(),
            });
        }
        open
    }
}

/// The literals that a validation `contains([…], var.name)` allows.
fn allowed<'a>(body: &Body<'a>, name: &str) -> Vec<Val<'a>> {
    let of_variable = |expr: &Expr<'a>| match expr.kind {
        Kind::Attr(base, found) => found == name && matches!(base.kind, Kind::Name("var")),
        _ => false,
    };
    for block in body
        .blocks
        .iter()
        .filter(|block| block.kind == "validation")
    {
        let Some(condition) = block.body.attribute("condition") else {
            continue;
        };
        let Kind::Call(call) = condition.value.kind else {
            continue;
        };
        if let ("contains", [list, value]) = (call.name, call.args)
            && let Kind::Tuple(items) = list.kind
            && of_variable(value)
        {
            let literals: Vec<Val<'a>> = items
                .iter()
                .filter_map(|item| match item.kind {
                    Kind::Str(text) => Some(Val::new(item.span, Data::Str(text))),
                    Kind::Int(number) => Some(Val::new(item.span, Data::Int(number))),
                    _ => None,
                })
                .collect();
            if literals.len() == items.len() {
                return literals;
            }
        }
    }
    Vec::new()
}

/// Lists what modules make.
struct Walk<'a> {
    out: Out<'a>,
    resources: Vec<Resource<'a>>,
}

impl<'a> Walk<'a> {
    fn module(&mut self, engine: &mut Engine<'a, '_>, module: usize) {
        let scope = Scope {
            module: Some(module),
            repeat: Repeat::default(),
            names: None,
        };
        let Some((_, declared)) = engine.declared(&scope) else {
            return;
        };
        for item in &declared.order {
            match item {
                Declared::Resource(key) => {
                    let Some(block) = declared.resources.get(key) else {
                        continue;
                    };
                    match engine.resource(&scope, *key, block.head) {
                        Ok(value) => self.resource(engine, module, *key, &value, 0),
                        Err(_) if engine.is_full() => {}
                        Err(fault) => self.failed(engine, module, *key, block.head, fault.message),
                    }
                }
                Declared::Call(name) => {
                    let span = declared
                        .calls
                        .get(name)
                        .map_or(Span::default(), |call| call.head);
                    if let Ok(value) = engine.called(&scope, name, span) {
                        self.called(engine, &value, 0);
                    }
                }
            }
        }
    }

    fn called(&mut self, engine: &mut Engine<'a, '_>, value: &Val<'a>, depth: usize) {
        match value.data {
            Data::Module(number) => self.module(engine, number),
            Data::Uncertain(uncertain) if depth < 2 => {
                self.called(engine, &uncertain.sample, depth + 1);
            }
            Data::Seq(_, items) if depth < 2 => {
                for item in items {
                    self.called(engine, item, depth + 1);
                }
            }
            Data::Map(_, entries) if depth < 2 => {
                for entry in entries {
                    self.called(engine, &entry.value, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn resource(
        &mut self,
        engine: &mut Engine<'a, '_>,
        module: usize,
        key: ResourceKey<'a>,
        value: &Val<'a>,
        depth: usize,
    ) {
        match value.data {
            Data::Seq(_, items) if depth == 0 => {
                for item in items {
                    self.resource(engine, module, key, item, 1);
                }
            }
            Data::Map(_, entries) if depth == 0 => {
                for entry in entries {
                    self.resource(engine, module, key, &entry.value, 1);
                }
            }
            Data::Uncertain(uncertain) if depth == 0 => {
                self.resource(engine, module, key, &uncertain.sample, 2);
            }
            Data::Instance(instance) => {
                let condition = self.condition(engine, module, key, depth == 2);
                self.push(engine, module, key, instance.address, value, condition);
            }
            _ => {}
        }
    }

    fn condition(
        &mut self,
        engine: &mut Engine<'a, '_>,
        module: usize,
        key: ResourceKey<'a>,
        uncertain: bool,
    ) -> Option<Value<'a>> {
        let scope = Scope {
            module: Some(module),
            repeat: Repeat::default(),
            names: None,
        };
        let (_, declared) = engine.declared(&scope)?;
        let block = declared.resources.get(&key)?;
        let own = if uncertain {
            engine.condition(&scope, &block.body)
        } else {
            None
        };
        let outer = engine.modules.get(module).and_then(|state| state.condition);
        let both = match (outer, own) {
            (Some(outer), Some(own)) => Some(engine.both(&outer, &own)),
            (outer, own) => outer.or(own),
        };
        both.map(|value| self.out.value(&value))
    }

    /// A resource of which not even the number could be evaluated is listed with an open body.
    fn failed(
        &mut self,
        engine: &mut Engine<'a, '_>,
        module: usize,
        key: ResourceKey<'a>,
        span: Span,
        message: &'a str,
    ) {
        let prefix = if key.data { "data." } else { "" };
        let address = engine.address(module, &format!("{prefix}{}.{}", key.kind, key.name));
        let fault = crate::engine::Fault {
            span,
            message,
            reported: true,
        };
        let body = engine.refused(fault, span);
        let condition = Some(self.out.value(&body));
        self.push(engine, module, key, address, &body, condition);
    }

    fn push(
        &mut self,
        engine: &Engine<'a, '_>,
        module: usize,
        key: ResourceKey<'a>,
        address: &'a str,
        body: &Val<'a>,
        condition: Option<Value<'a>>,
    ) {
        let Some(state) = engine.modules.get(module) else {
            return;
        };
        let Some(block) = state.declared.resources.get(&key) else {
            return;
        };
        let provider = provider(engine.arena, block, key.kind);
        let id = match body.data {
            Data::Instance(instance) => engine
                .composed(instance)
                .map(|id| &*engine.arena.alloc_str(&id.text)),
            _ => None,
        };
        self.resources.push(Resource {
            address,
            kind: key.kind,
            id,
            name: key.name,
            provider,
            body: self.out.value(body),
            condition,
            existing: key.data,
            span: block.head,
            through: state.through,
        });
    }

    fn outputs(&mut self, engine: &mut Engine<'a, '_>) -> Vec<(&'a str, Value<'a>)> {
        let Some(root) = engine.modules.first() else {
            return Vec::new();
        };
        let declared = std::rc::Rc::clone(&root.declared);
        let mut outputs = Vec::new();
        for name in &declared.output_order {
            let span = declared
                .outputs
                .get(name)
                .map_or(Span::default(), |block| block.head);
            let value = engine
                .output(0, name, span)
                .unwrap_or_else(|fault| engine.refused(fault, span));
            outputs.push((*name, self.out.value(&value)));
        }
        // Variables and locals that nothing uses are evaluated too: what is wrong in them is
        // wrong, and what they are compared with is known.
        for name in declared.locals.keys() {
            let scope = Scope {
                module: Some(0),
                repeat: Repeat::default(),
                names: None,
            };
            let _ = engine.named(&scope, &local(name, engine.arena));
        }
        outputs
    }
}

fn local<'a>(name: &'a str, arena: &'a Bump) -> Expr<'a> {
    let base = arena.alloc(Expr {
        span: Span::default(),
        kind: Kind::Name("local"),
    });
    Expr {
        span: Span::default(),
        kind: Kind::Attr(base, name),
    }
}
