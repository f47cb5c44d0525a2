//! What the names in expressions stand for: variables, locals, outputs, resources, modules.

use bicep::deployment::ProblemKind;
use bicep::source::Span;
use bicep::value::{Shape, Why};

use crate::engine::{Engine, Eval, Key, Repeat, Scope};
use crate::identity::{self, Piece};
use crate::load::ResourceKey;
use crate::syntax::{Block, Expr, Kind};
use crate::table::Id;
use crate::types::Type;
use crate::value::{Data, Instance, Unknown, Val};

/// Attributes whose values must not be shown.
const SECRET: &[&str] = &[
    "kube_config",
    "kube_admin_config",
    "password",
    "access_key",
    "shared_key",
    "connection_string",
    "client_secret",
    "private_key",
    "sas_token",
];

impl<'a> Engine<'a, '_> {
    /// A name alone: only what is bound has a value of its own.
    pub(crate) fn name(&mut self, scope: &Scope<'_, 'a>, name: &'a str, span: Span) -> Eval<'a> {
        let mut names = scope.names;
        while let Some(bound) = names {
            if bound.name == name {
                return Ok(bound.value);
            }
            names = bound.up;
        }
        Err(self.fault(span, format!("`{name}` is not declared")))
    }

    /// What `var.x`, `local.x`, `data.a.b`, `a.b`, … stand for; nothing when the expression is
    /// not the beginning of a reference.
    pub(crate) fn named(&mut self, scope: &Scope<'_, 'a>, expr: &Expr<'a>) -> Option<Eval<'a>> {
        let Kind::Attr(base, name) = expr.kind else {
            return None;
        };
        let span = expr.span;
        match base.kind {
            Kind::Name(root) => {
                let mut names = scope.names;
                while let Some(bound) = names {
                    if bound.name == root {
                        return None;
                    }
                    names = bound.up;
                }
                if root == "data" || root == "ephemeral" {
                    return None;
                }
                Some(self.rooted(scope, root, name, span))
            }
            Kind::Attr(outer, kind) => match outer.kind {
                Kind::Name(root @ ("data" | "ephemeral")) => {
                    let key = ResourceKey {
                        data: root == "data",
                        kind,
                        name,
                    };
                    Some(self.resource(scope, key, span))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn rooted(
        &mut self,
        scope: &Scope<'_, 'a>,
        root: &'a str,
        name: &'a str,
        span: Span,
    ) -> Eval<'a> {
        match (root, name) {
            ("each", "key") => match scope.repeat.each {
                Some((key, _)) => Ok(key),
                None => Err(self.fault(span, "there is no `for_each` here")),
            },
            ("each", "value") => match scope.repeat.each {
                Some((_, value)) => Ok(value),
                None => Err(self.fault(span, "there is no `for_each` here")),
            },
            ("count", "index") => match scope.repeat.count {
                Some(index) => Ok(index),
                None => Err(self.fault(span, "there is no `count` here")),
            },
            ("path", "module") => {
                let path = scope
                    .module
                    .map_or(".".to_owned(), |module| self.module_path(module));
                Ok(Val::new(span, Data::Str(self.arena.alloc_str(&path))))
            }
            ("path", "root") => Ok(Val::new(span, Data::Str("."))),
            ("path", _) | ("terraform" | "tofu", _) => {
                let text = format!("{root}.{name}");
                let why = vec![Why::Scope(self.arena.alloc_str(&text))];
                Ok(self.unknown(span, &text, Shape::String, why, None))
            }
            ("self", _) => {
                let why = vec![Why::Unsupported("self")];
                Ok(self.unknown(span, &format!("self.{name}"), Shape::Any, why, None))
            }
            ("var", _) => self.variable(scope, name, span),
            ("local", _) => self.local(scope, name, span),
            ("module", _) => self.called(scope, name, span),
            _ => {
                let key = ResourceKey {
                    data: false,
                    kind: root,
                    name,
                };
                self.resource(scope, key, span)
            }
        }
    }

    fn local(&mut self, scope: &Scope<'_, 'a>, name: &'a str, span: Span) -> Eval<'a> {
        let Some((module, declared)) = self.declared(scope) else {
            return Err(self.fault(span, "only the given variables can be used here"));
        };
        let Some(attribute) = declared.locals.get(name).copied() else {
            return Err(self.fault(span, format!("local `{name}` is not declared")));
        };
        self.remembered(module, Key::Local(name), span, |engine| {
            let scope = Scope {
                module: Some(module),
                repeat: Repeat::default(),
                names: None,
            };
            let value = engine.eval(&scope, &attribute.value);
            engine.once(value)
        })
    }

    /// Reports a fault where it arose, so that who depends on it need not.
    pub(crate) fn once(&mut self, value: Eval<'a>) -> Eval<'a> {
        value.map_err(|mut fault| {
            if !fault.reported {
                self.problem(fault.span, fault.message, None, ProblemKind::Expression);
                fault.reported = true;
            }
            fault
        })
    }

    pub(crate) fn declared(
        &self,
        scope: &Scope<'_, 'a>,
    ) -> Option<(usize, std::rc::Rc<crate::load::Module<'a>>)> {
        let module = scope.module?;
        let state = self.modules.get(module)?;
        Some((module, std::rc::Rc::clone(&state.declared)))
    }

    fn variable(&mut self, scope: &Scope<'_, 'a>, name: &'a str, span: Span) -> Eval<'a> {
        let Some((module, declared)) = self.declared(scope) else {
            // In a template `var` may be one of the given variables.
            let base = self.name(scope, "var", span)?;
            return self.attribute(&base, name, span);
        };
        let Some(block) = declared.variables.get(name).copied() else {
            return Err(self.fault(span, format!("variable `{name}` is not declared")));
        };
        self.remembered(module, Key::Variable(name), span, |engine| {
            let value = engine.variable_value(module, name, &block);
            engine.once(value)
        })
    }

    fn variable_value(&mut self, module: usize, name: &'a str, block: &Block<'a>) -> Eval<'a> {
        let scope = Scope {
            module: None,
            repeat: Repeat::default(),
            names: None,
        };
        let of: &'a Type<'a> = match block.body.attribute("type") {
            Some(attribute) => self.arena.alloc(Type::parse(self.arena, &attribute.value)),
            None => &Type::Any,
        };
        let flag = |engine: &mut Self, name: &str, default: bool| {
            block.body.attribute(name).map_or(default, |attribute| {
                match engine.value(&scope, &attribute.value).data {
                    Data::Bool(flag) => flag,
                    _ => default,
                }
            })
        };
        let nullable = flag(self, "nullable", true);
        let sensitive = flag(self, "sensitive", false);
        let given = self.argument(module, name);
        let given = match given {
            Some(Ok(value)) if value.is_null() && !nullable => None,
            other => other,
        };
        let root = module == 0;
        let (value, place) = match given {
            Some(value) => {
                let value = value?;
                (value, value.span)
            }
            None => match block.body.attribute("default") {
                Some(default) => (self.eval(&scope, &default.value)?, default.value.span),
                None => {
                    if !root {
                        let message = format!("variable `{name}` of this module has no value");
                        return Err(self.fault(block.head, message));
                    }
                    return Ok(self.open_variable(name, of, sensitive, block.head, &[]));
                }
            },
        };
        let value = match value.data {
            Data::Unknown(unknown) if unknown.of.is_none() && !matches!(of, Type::Any) => {
                // The declaration says what kind of value it is.
                let shape = match unknown.shape {
                    Shape::Any => of.shape(),
                    shape => shape,
                };
                let known = self.arena.alloc(Unknown {
                    of: Some(of),
                    shape,
                    ..*unknown
                });
                Val {
                    data: Data::Unknown(known),
                    ..value
                }
            }
            _ => value,
        };
        let arena = self.arena;
        let mut default = |expr: &Expr<'a>| self.value(&scope, expr);
        let converted = of.convert(arena, value, &mut default);
        let value = converted
            .map_err(|message| self.fault(place, format!("variable `{name}`: {message}")))?;
        let mark = sensitive.then(|| self.address(module, &format!("var.{name}")));
        Ok(value.marked(mark))
    }

    /// A variable of the root that has no value.
    pub(crate) fn open_variable(
        &self,
        name: &'a str,
        of: &'a Type<'a>,
        secret: bool,
        span: Span,
        not: &'a [bicep::value::Value<'a>],
    ) -> Val<'a> {
        let unknown = self.arena.alloc(Unknown {
            text: self.arena.alloc_str(&format!("var.{name}")),
            partial: false,
            shape: of.shape(),
            why: self.arena.alloc_slice_copy(&[Why::Parameter(name)]),
            secret,
            not,
            of: Some(of),
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }

    /// What the caller gives a variable.
    fn argument(&mut self, module: usize, name: &str) -> Option<Eval<'a>> {
        let state = self.modules.get(module)?;
        if let Some(value) = state.given.get(name) {
            return Some(Ok(*value));
        }
        let (parent, block, repeat) = state.call?;
        let attribute = block.body.attribute(name)?;
        let scope = Scope {
            module: Some(parent),
            repeat,
            names: None,
        };
        Some(self.eval(&scope, &attribute.value))
    }

    /// An output of an instance of a module.
    pub(crate) fn output(&mut self, module: usize, name: &str, span: Span) -> Eval<'a> {
        let found = self.modules.get(module).and_then(|state| {
            state
                .declared
                .outputs
                .get_key_value(name)
                .map(|(name, block)| (*name, *block))
        });
        let Some((name, block)) = found else {
            return Err(self.fault(span, format!("the module has no output `{name}`")));
        };
        self.remembered(module, Key::Output(name), span, |engine| {
            let scope = Scope {
                module: Some(module),
                repeat: Repeat::default(),
                names: None,
            };
            let Some(value) = block.body.attribute("value") else {
                return Ok(Val::null(block.head));
            };
            let value = engine.eval(&scope, &value.value);
            let value = engine.once(value)?;
            let sensitive = block
                .body
                .attribute("sensitive")
                .is_some_and(|flag| matches!(flag.value.kind, Kind::Bool(true)));
            let text = engine.address(module, &format!("output.{name}"));
            Ok(value.marked(sensitive.then_some(text)))
        })
    }

    /// An attribute that Azure or the provider gives.
    pub(crate) fn known_later(
        &self,
        instance: &'a Instance<'a>,
        name: &str,
        span: Span,
    ) -> Val<'a> {
        let composed = self.composed(instance);
        let kind = instance
            .of
            .and_then(|(kind, _)| self.table?.kinds.get(kind));
        let attribute = kind.map_or("id", |kind| kind.attribute.as_str());
        if name == attribute
            && let Some(id) = composed
        {
            return Val::new(span, id.id(self.arena));
        }
        let fixed = kind.and_then(|kind| kind.computed.get(name));
        if let Some(scope) = fixed.and_then(|fixed| fixed.strip_prefix('=')) {
            let scope = self.arena.alloc_str(scope);
            return self.unknown(span, scope, Shape::String, vec![Why::Scope(scope)], None);
        }
        let address = instance.address;
        let text = format!("{address}.{name}");
        let shape = match name {
            "id" if attribute == "id" => Shape::Id,
            "id" | "name" | "location" | "principal_id" | "client_id" | "tenant_id"
            | "object_id" | "fqdn" | "login_server" | "oidc_issuer_url" => Shape::String,
            _ => Shape::Any,
        };
        let secret = SECRET.iter().any(|word| name.contains(word));
        let kept = self.arena.alloc_str(&text);
        let why = match composed {
            Some(id) => Why::Reference(self.arena.alloc_str(&id.text)),
            None => Why::Reference(self.owner(address)),
        };
        self.unknown(span, &text, shape, vec![why], secret.then_some(&*kept))
    }

    /// The id of the resource that a block stands in, or the block's own address.
    fn owner(&self, address: &'a str) -> &'a str {
        let mut outer = address;
        while let Some((before, _)) = outer.rsplit_once('.') {
            outer = before;
            if let Some(id) = self.ids.get(outer) {
                return id;
            }
        }
        address
    }

    /// The id in Azure of a resource that the table knows.
    pub(crate) fn composed(&self, instance: &Instance<'a>) -> Option<Piece<'a>> {
        let (kind, provider) = instance.of?;
        let table = self.table?;
        let get = |name: &str| {
            let field = instance.fields.iter().find(|field| field.key == name)?;
            Piece::of_val(&field.value)
        };
        if kind.starts_with("azapi_") {
            return identity::azapi(self.arena, instance.address, &get);
        }
        let kind = table.kinds.get(kind)?;
        if matches!(kind.id, Id::PatchNamed(_)) {
            return None;
        }
        identity::id(self.arena, kind, instance.address, provider, &get)
    }
}
