//! Resources and module calls: how many there are of each, and what stands in their bodies.

use std::rc::Rc;

use bicep::deployment::ProblemKind;
use bicep::source::Span;
use bicep::value::{Shape, Why};
use bumpalo::Bump;

use crate::engine::{Engine, Eval, Key, MAX_INSTANCES, Names, Repeat, Scope};
use crate::evaluate::pairs;
use crate::files::join;
use crate::load::ResourceKey;
use crate::syntax::{Block, Body, Kind};
use crate::types;
use crate::value::{Data, Entry, Instance, Map, Seq, Uncertain, Unknown, Val};

/// Modules within modules.
const MAX_MODULES: usize = 16;

/// What is written in a resource or module call for Terraform itself.
const META: &[&str] = &[
    "count",
    "for_each",
    "depends_on",
    "provider",
    "providers",
    "lifecycle",
    "provisioner",
    "connection",
];

/// How often a block counts.
enum Times<'a> {
    Once,
    Indexed(i64),
    Keyed(Vec<(Val<'a>, Val<'a>)>),
    Open { all: Val<'a>, keyed: bool },
}

impl<'a> Engine<'a, '_> {
    /// What a resource's name stands for.
    pub(crate) fn resource(
        &mut self,
        scope: &Scope<'_, 'a>,
        key: ResourceKey<'a>,
        span: Span,
    ) -> Eval<'a> {
        let Some((module, declared)) = self.declared(scope) else {
            let base = self.name(scope, key.kind, span)?;
            return self.attribute(&base, key.name, span);
        };
        let Some(block) = declared.resources.get(&key).copied() else {
            let what = if key.data { "data." } else { "" };
            let message = format!("`{what}{}.{}` is not declared", key.kind, key.name);
            return Err(self.fault(span, message));
        };
        self.remembered(module, Key::Resource(key), span, |engine| {
            let value = engine.instances(module, key, &block);
            engine.once(value)
        })
    }

    fn times(
        &mut self,
        scope: &Scope<'_, 'a>,
        body: &Body<'a>,
    ) -> Result<Times<'a>, crate::engine::Fault<'a>> {
        if let Some(count) = body.attribute("count") {
            let value = self.eval(scope, &count.value)?;
            return match types::to_number(&value) {
                Some(Data::Int(number)) if number >= 0 => {
                    if usize::try_from(number).is_ok_and(|number| number <= MAX_INSTANCES) {
                        Ok(Times::Indexed(number))
                    } else {
                        Err(self.fault(count.value.span, "`count` is too large to be evaluated"))
                    }
                }
                _ if value.unknown().is_some() => Ok(Times::Open {
                    all: value,
                    keyed: false,
                }),
                _ => Err(self.fault(count.value.span, "`count` takes a whole number")),
            };
        }
        if let Some(each) = body.attribute("for_each") {
            let value = self.eval(scope, &each.value)?;
            let list = matches!(value.data, Data::Seq(Seq::Tuple | Seq::List, _));
            return match pairs(&value) {
                Some(pairs)
                    if value.secret.is_some()
                        || pairs.iter().any(|(key, _)| key.secret.is_some()) =>
                {
                    Err(self.fault(
                        each.value.span,
                        "`for_each` takes no sensitive keys: addresses would show them",
                    ))
                }
                Some(_) if list => Err(self.fault(
                    each.value.span,
                    "`for_each` takes a map or a set of strings, no list",
                )),
                Some(pairs) if pairs.len() <= MAX_INSTANCES => Ok(Times::Keyed(pairs)),
                Some(_) => {
                    Err(self.fault(each.value.span, "`for_each` is too large to be evaluated"))
                }
                None if value.unknown().is_some() => Ok(Times::Open {
                    all: value,
                    keyed: true,
                }),
                None => Err(self.fault(
                    each.value.span,
                    "`for_each` takes a map or a set of strings",
                )),
            };
        }
        Ok(Times::Once)
    }

    fn instances(&mut self, module: usize, key: ResourceKey<'a>, block: &Block<'a>) -> Eval<'a> {
        let block = *block;
        let scope = Scope {
            module: Some(module),
            repeat: Repeat::default(),
            names: None,
        };
        let prefix = if key.data { "data." } else { "" };
        let address = self.address(module, &format!("{prefix}{}.{}", key.kind, key.name));
        let times = self.times(&scope, &block.body)?;
        self.each_instance(&times, address, block.head, |engine, repeat, address| {
            let scope = Scope {
                module: Some(module),
                repeat,
                names: None,
            };
            engine.count_resource(block.head)?;
            let fields = engine.fields(&scope, &block.body, &address, true)?;
            let instance = engine.arena.alloc(Instance {
                address: engine.arena.alloc_str(&address),
                of: Some((key.kind, provider(engine.arena, &block, key.kind))),
                fields,
            });
            if let Some(id) = engine.composed(instance) {
                engine
                    .ids
                    .insert(instance.address, engine.arena.alloc_str(&id.text));
            }
            Ok(Val::new(block.head, Data::Instance(instance)))
        })
    }

    /// Makes the instances that there are, or one that stands for them.
    fn each_instance(
        &mut self,
        times: &Times<'a>,
        address: &'a str,
        span: Span,
        mut make: impl FnMut(&mut Self, Repeat<'a>, String) -> Eval<'a>,
    ) -> Eval<'a> {
        match times {
            Times::Once => make(self, Repeat::default(), address.to_owned()),
            Times::Indexed(count) => {
                let mut made = Vec::new();
                for at in 0..*count {
                    let repeat = Repeat {
                        count: Some(Val::new(span, Data::Int(at))),
                        each: None,
                    };
                    made.push(make(self, repeat, format!("{address}[{at}]"))?);
                }
                Ok(self.seq(Seq::Tuple, made, span))
            }
            Times::Keyed(pairs) => {
                let mut made = Vec::new();
                for (key, value) in pairs {
                    let repeat = Repeat {
                        count: None,
                        each: Some((*key, *value)),
                    };
                    let entry = self.entry(key, *value, key.span)?;
                    let value = make(self, repeat, format!("{address}[{:?}]", entry.key))?;
                    made.push(Entry { value, ..entry });
                }
                Ok(self.map(Map::Object, &made, span))
            }
            Times::Open { all, keyed } => {
                let (repeat, index) = if *keyed {
                    let each = |engine: &Self, what: &str, shape| {
                        let (mut why, mut secret) = (Vec::new(), None);
                        all.gather(&mut why, &mut secret);
                        let text = format!("{address}.each.{what}");
                        engine.unknown(span, &text, shape, why, secret)
                    };
                    let key = each(self, "key", Shape::String);
                    let value = each(self, "value", Shape::Any);
                    let repeat = Repeat {
                        count: None,
                        each: Some((key, value)),
                    };
                    (repeat, "each.key")
                } else {
                    let zero = Val::new(span, Data::Int(0));
                    let repeat = Repeat {
                        count: Some(zero),
                        each: None,
                    };
                    (repeat, "0")
                };
                let sample = make(self, repeat, format!("{address}[{index}]"))?;
                let all = self.collection(all, address, span);
                let uncertain = self.arena.alloc(Uncertain { sample, all });
                Ok(Val::new(span, Data::Uncertain(uncertain)))
            }
        }
    }

    fn collection(&self, count: &Val<'a>, address: &'a str, span: Span) -> &'a Unknown<'a> {
        let (mut why, mut secret) = (Vec::new(), None);
        count.gather(&mut why, &mut secret);
        let made = self.unknown(span, address, Shape::Any, why, secret);
        match made.data {
            Data::Unknown(unknown) => unknown,
            // `unknown` makes nothing else.
            _ => self.arena.alloc(Unknown {
                text: address,
                partial: false,
                shape: Shape::Any,
                why: &[],
                secret: false,
                not: &[],
                of: None,
                fields: &[],
                items: &[],
            }),
        }
    }

    /// When a declaration makes anything, as far as it is not known.
    pub(crate) fn condition(&mut self, scope: &Scope<'_, 'a>, body: &Body<'a>) -> Option<Val<'a>> {
        let (attribute, keyed) = match body.attribute("count") {
            Some(attribute) => (attribute, false),
            None => (body.attribute("for_each")?, true),
        };
        let value = self.eval(scope, &attribute.value).ok()?;
        let unknown = value.unknown()?;
        let text = if keyed {
            format!("length({}) > 0", unknown.text)
        } else if let Some(condition) = unknown.text.strip_suffix(" ? 1 : 0") {
            condition.to_owned()
        } else if let Some(condition) = unknown.text.strip_suffix(" ? 0 : 1") {
            format!("!({condition})")
        } else {
            format!("{} > 0", unknown.text)
        };
        let secret = unknown.secret.then_some(unknown.text);
        Some(self.unknown(value.span, &text, Shape::Bool, unknown.why.to_vec(), secret))
    }

    /// The attributes and blocks of a body by name.
    fn fields(
        &mut self,
        scope: &Scope<'_, 'a>,
        body: &Body<'a>,
        address: &str,
        top: bool,
    ) -> Result<&'a [Entry<'a>], crate::engine::Fault<'a>> {
        let mut fields: Vec<Entry<'a>> = Vec::new();
        for attribute in body.attributes {
            if top && META.contains(&attribute.name) {
                continue;
            }
            fields.push(Entry {
                key: attribute.name,
                key_span: attribute.name_span,
                open: None,
                value: self.value(scope, &attribute.value),
            });
        }
        let mut groups: Vec<Group<'a>> = Vec::new();
        for block in body.blocks {
            if top && META.contains(&block.kind) {
                continue;
            }
            let dynamic = block.kind == "dynamic";
            let kind = match block.labels {
                [label, ..] if dynamic => label,
                _ => block.kind,
            };
            let at = match groups.iter().position(|group| group.kind == kind) {
                Some(at) => at,
                None => {
                    groups.push(Group {
                        kind,
                        head: block.head,
                        items: Vec::new(),
                        open: None,
                    });
                    groups.len() - 1
                }
            };
            let Some(group) = groups.get_mut(at) else {
                continue;
            };
            let mut taken = std::mem::take(&mut group.items);
            let mut open = group.open;
            self.enter(block.head)?;
            let place = format!("{address}.{kind}");
            let result = if dynamic {
                self.dynamic(scope, block, kind, &place, &mut taken, &mut open)
            } else {
                self.block(scope, &block.body, block.head, &place, &mut taken)
            };
            self.levels -= 1;
            if let Some(group) = groups.get_mut(at) {
                group.items = taken;
                group.open = open;
            }
            result?;
        }
        for group in groups {
            let value = match group.open {
                Some(open) => open,
                // No block at all: the provider may fill it in.
                None if group.items.is_empty() => continue,
                None => self.seq(Seq::List, group.items, group.head),
            };
            fields.push(Entry {
                key: group.kind,
                key_span: group.head,
                open: None,
                value,
            });
        }
        Ok(self.arena.alloc_slice_copy(&fields))
    }

    fn block(
        &mut self,
        scope: &Scope<'_, 'a>,
        body: &Body<'a>,
        head: Span,
        place: &str,
        items: &mut Vec<Val<'a>>,
    ) -> Result<(), crate::engine::Fault<'a>> {
        let address = format!("{place}[{}]", items.len());
        let fields = self.fields(scope, body, &address, false)?;
        let instance = self.arena.alloc(Instance {
            address: self.arena.alloc_str(&address),
            of: None,
            fields,
        });
        items.push(Val::new(head, Data::Instance(instance)));
        Ok(())
    }

    fn dynamic(
        &mut self,
        scope: &Scope<'_, 'a>,
        block: &Block<'a>,
        kind: &'a str,
        place: &str,
        items: &mut Vec<Val<'a>>,
        open: &mut Option<Val<'a>>,
    ) -> Result<(), crate::engine::Fault<'a>> {
        let Some(each) = block.body.attribute("for_each") else {
            return Err(self.fault(block.head, "a dynamic block needs `for_each`"));
        };
        let Some(content) = block.body.block("content") else {
            return Err(self.fault(block.head, "a dynamic block needs `content`"));
        };
        let iterator = match block
            .body
            .attribute("iterator")
            .map(|found| found.value.kind)
        {
            Some(Kind::Name(name) | Kind::Str(name)) => name,
            _ => kind,
        };
        let all = self.value(scope, &each.value);
        let Some(pairs) = pairs(&all) else {
            if let Some(unknown) = all.unknown() {
                let text = format!("dynamic {kind} for {}", unknown.text);
                let secret = unknown.secret.then_some(unknown.text);
                let why = unknown.why.to_vec();
                *open = Some(self.unknown(block.head, &text, Shape::Array, why, secret));
                return Ok(());
            }
            if all.is_null() {
                return Err(self.fault(each.value.span, "`for_each` must not be null"));
            }
            return Err(self.fault(each.value.span, "`for_each` takes a list, a map or a set"));
        };
        if let (true, Kind::Conditional([condition, ..])) = (pairs.is_empty(), each.value.kind)
            && let Val {
                span,
                data: Data::Bool(known),
                ..
            } = self.value(scope, condition)
        {
            self.switches.push((block.head, span, known));
        }
        if pairs.len() + items.len() > MAX_INSTANCES {
            return Err(self.fault(each.value.span, "`for_each` is too large to be evaluated"));
        }
        for (key, value) in pairs {
            let entry = |key, value: Val<'a>| Entry {
                key,
                key_span: value.span,
                open: None,
                value,
            };
            let bound = self.map(
                Map::Object,
                &[entry("key", key), entry("value", value)],
                value.span,
            );
            let names = Names {
                name: iterator,
                value: bound,
                up: scope.names,
            };
            let inner = Scope {
                names: Some(&names),
                ..*scope
            };
            self.block(&inner, &content.body, block.head, place, items)?;
        }
        Ok(())
    }

    /// What a module call's name stands for.
    pub(crate) fn called(&mut self, scope: &Scope<'_, 'a>, name: &'a str, span: Span) -> Eval<'a> {
        let Some((module, declared)) = self.declared(scope) else {
            let base = self.name(scope, "module", span)?;
            return self.attribute(&base, name, span);
        };
        let Some(block) = declared.calls.get(name).copied() else {
            return Err(self.fault(span, format!("module `{name}` is not declared")));
        };
        self.remembered(module, Key::Call(name), span, |engine| {
            let value = engine.call_module(module, name, &block);
            engine.once(value)
        })
    }

    fn call_module(&mut self, module: usize, name: &'a str, block: &Block<'a>) -> Eval<'a> {
        let scope = Scope {
            module: Some(module),
            repeat: Repeat::default(),
            names: None,
        };
        let Some(state) = self.modules.get(module) else {
            return Err(self.fault(block.head, "no such module"));
        };
        let outer = state.condition;
        let mut through = state.through.to_vec();
        through.push(block.head);
        let key = match state.key.as_str() {
            "" => name.to_owned(),
            outer => format!("{outer}.{name}"),
        };
        if through.len() > MAX_MODULES {
            return Err(self.fault(block.head, "modules are nested too deeply to be evaluated"));
        }
        let declared = Rc::clone(&state.declared);
        let folder = match self.source(&declared.folder, &key, block) {
            Ok(folder) => folder,
            Err(source) => return Ok(self.unresolved(module, name, &source, block)),
        };
        if let Some(ring) = self.ring(module, &folder) {
            return Ok(self.ringed(module, name, ring, block));
        }
        if let Err(message) = self.load(&folder) {
            let help = format!("check the path that `source` of module `{name}` gives");
            return Ok(self.not_there(module, name, &message, &help, block));
        }
        let times = self.times(&scope, &block.body)?;
        let mut condition = match times {
            Times::Open { .. } => self.condition(&scope, &block.body),
            _ => None,
        };
        condition = match (outer, condition) {
            (Some(outer), Some(inner)) => Some(self.both(&outer, &inner)),
            (outer, inner) => outer.or(inner),
        };
        let address = self.address(module, &format!("module.{name}"));
        let (block, mut failed) = (*block, None);
        let result = self.each_instance(&times, address, block.head, |engine, repeat, address| {
            let call = Some((module, block, repeat));
            let made = engine.instantiate(&folder, &address, key.clone(), through.clone(), call);
            match made {
                Ok(number) => {
                    if let Some(state) = engine.modules.get_mut(number) {
                        state.condition = condition;
                    }
                    Ok(Val::new(block.head, Data::Module(number)))
                }
                // The other instances would fail for the same reason.
                Err(message) => {
                    let fault = engine.fault(block.head, &message);
                    failed = Some(message);
                    Err(fault)
                }
            }
        });
        match failed {
            Some(message) => {
                self.problem(block.head, &message, None, ProblemKind::Unresolved);
                let why = vec![Why::Unresolved(self.arena.alloc_str(&folder))];
                Ok(self.unknown(block.head, address, Shape::Object, why, None))
            }
            None => result,
        }
    }

    /// Two conditions at once.
    pub(crate) fn both(&self, one: &Val<'a>, other: &Val<'a>) -> Val<'a> {
        let (mut why, mut secret) = (Vec::new(), None);
        one.gather(&mut why, &mut secret);
        other.gather(&mut why, &mut secret);
        let text = format!("{} && {}", one.text(), other.text());
        self.unknown(other.span, &text, Shape::Bool, why, secret)
    }

    /// The folder of a module, or its source when it is not on disk.
    fn source(&self, folder: &str, key: &str, block: &Block<'a>) -> Result<String, String> {
        let source = match block.body.attribute("source").map(|found| found.value.kind) {
            Some(Kind::Str(source)) => source,
            _ => return Err("a source that is no plain string".to_owned()),
        };
        if source.starts_with("./") || source.starts_with("../") || matches!(source, "." | "..") {
            return Ok(join(folder, source));
        }
        match self.downloaded.get(key) {
            Some(found) => Ok(join(&self.root, found)),
            // `terraform get` links to such a folder.
            None if source.starts_with('/') => Ok(join(folder, source)),
            None => Err(source.to_owned()),
        }
    }

    fn unresolved(
        &mut self,
        module: usize,
        name: &str,
        source: &str,
        block: &Block<'a>,
    ) -> Val<'a> {
        let message =
            format!("module `{name}` (`{source}`) is not on disk: what it makes is missing");
        let help = "run `terraform get` (or `terraform init`) in the root module and try again";
        self.not_there(module, name, &message, help, block)
    }

    /// A module that leads back to itself, told once for each ring.
    fn ringed(
        &mut self,
        module: usize,
        name: &str,
        ring: Vec<String>,
        block: &Block<'a>,
    ) -> Val<'a> {
        let (message, help) = if let [_] = ring.as_slice() {
            let message = format!("module `{name}` calls itself");
            (message, "give the `source` of another module")
        } else {
            let back = ring.first().cloned();
            let chain: Vec<String> = ring
                .iter()
                .chain(&back)
                .map(|folder| format!("`{folder}`"))
                .collect();
            let message = format!(
                "module `{name}` leads back to itself: {}",
                chain.join(" calls ")
            );
            (message, "one of these calls must go")
        };
        let mut folders = ring;
        folders.sort();
        if self.rings.insert(folders) {
            return self.not_there(module, name, &message, help, block);
        }
        self.unknown_module(module, name, &message, block)
    }

    /// A module of which nothing is known, and why.
    fn not_there(
        &mut self,
        module: usize,
        name: &str,
        message: &str,
        help: &str,
        block: &Block<'a>,
    ) -> Val<'a> {
        let place = block
            .body
            .attribute("source")
            .map_or(block.head, |source| source.value.span);
        self.problem(place, message, Some(help), ProblemKind::Unresolved);
        let source = match block.body.attribute("source").map(|found| found.value.kind) {
            Some(Kind::Str(source)) => source,
            _ => message,
        };
        self.unknown_module(module, name, source, block)
    }

    fn unknown_module(
        &self,
        module: usize,
        name: &str,
        source: &str,
        block: &Block<'a>,
    ) -> Val<'a> {
        let address = self.address(module, &format!("module.{name}"));
        let why = vec![Why::Unresolved(self.arena.alloc_str(source))];
        self.unknown(block.head, address, Shape::Object, why, None)
    }
}

/// Which configuration of which provider makes a resource.
pub(crate) fn provider<'a>(arena: &'a Bump, block: &Block<'a>, kind: &'a str) -> &'a str {
    match block
        .body
        .attribute("provider")
        .map(|found| found.value.kind)
    {
        Some(Kind::Attr(base, alias)) => match base.kind {
            Kind::Name(name) => arena.alloc_str(&format!("{name}.{alias}")),
            _ => alias,
        },
        Some(Kind::Name(name) | Kind::Str(name)) => name,
        _ => kind.split('_').next().unwrap_or(kind),
    }
}

struct Group<'a> {
    kind: &'a str,
    head: Span,
    items: Vec<Val<'a>>,
    open: Option<Val<'a>>,
}
