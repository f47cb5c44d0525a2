//! Where a resource or a module is deployed to, and the ids and properties that follow from it.

use crate::node::{Entry, Expr};
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind};

use super::expr;
use super::lower::Env;
use super::reference::Target;
use super::template::Template;
use super::unit::{Scope, Symbol};

/// Through how many variables and resources a scope may lead.
const MAX_SCOPE_DEPTH: usize = 64;

/// Where something is deployed to, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScopeData<'a> {
    pub(crate) kind: ScopeKind,
    management_group: Option<Expression<'a>>,
    subscription: Option<Expression<'a>>,
    group: Option<Expression<'a>>,
    /// The resource that gives the scope, and which of many.
    resource: Option<usize>,
    index: Option<Expression<'a>>,
}

/// What a [`ScopeData`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// What is deployed to, or the like of it.
    At(Scope),
    /// A resource: what is deployed extends it.
    Resource,
}

impl<'a> ScopeData<'a> {
    fn of(kind: Scope) -> Self {
        Self {
            kind: ScopeKind::At(kind),
            management_group: None,
            subscription: None,
            group: None,
            resource: None,
            index: None,
        }
    }
}

impl<'a> Template<'_, 'a> {
    /// Where a resource is deployed to; a child, where its parent is.
    pub(crate) fn resource_scope(&self, of: usize) -> ScopeData<'a> {
        let root = self
            .ancestors(of)
            .first()
            .map_or(of, |ancestor| ancestor.resource);
        self.unit
            .resources
            .get(root)
            .and_then(|resource| resource.property("scope"))
            .and_then(|scope| self.scope_of(&scope, 0))
            .unwrap_or_else(|| ScopeData::of(self.unit.target))
    }

    pub(crate) fn module_scope(&self, of: usize) -> ScopeData<'a> {
        self.unit
            .modules
            .get(of)
            .and_then(|module| module.property("scope"))
            .and_then(|scope| self.scope_of(&scope, 0))
            .unwrap_or_else(|| ScopeData::of(self.unit.target))
    }

    fn scope_of(&self, scope: &Expression<'a>, depth: usize) -> Option<ScopeData<'a>> {
        if depth > MAX_SCOPE_DEPTH {
            return None;
        }
        let (name, arguments) = match scope.kind {
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                return self.scope_of(inner, depth + 1);
            }
            ExpressionKind::FunctionCall(call) => (call.name.name, call.arguments),
            ExpressionKind::InstanceFunctionCall(call) => (call.name.name, call.arguments),
            ExpressionKind::VariableAccess(name) => match self.named(scope, name)? {
                Symbol::Variable(at) => {
                    let value = self.unit.variables.get(at)?.of.value;
                    return self.scope_of(&value, depth + 1);
                }
                _ => return self.scope_of_resource(scope, None, depth),
            },
            ExpressionKind::ResourceAccess(_) => return self.scope_of_resource(scope, None, depth),
            ExpressionKind::ArrayAccess(access) => {
                return self.scope_of_resource(&access.base, Some(access.index), depth);
            }
            _ => return None,
        };
        let first = arguments.first().copied();
        Some(match name {
            "tenant" => ScopeData::of(Scope::Tenant),
            "managementGroup" => ScopeData {
                management_group: first,
                ..ScopeData::of(Scope::ManagementGroup)
            },
            "subscription" => ScopeData {
                subscription: first,
                ..ScopeData::of(Scope::Subscription)
            },
            "resourceGroup" => match arguments {
                [subscription, group, ..] => ScopeData {
                    subscription: Some(*subscription),
                    group: Some(*group),
                    ..ScopeData::of(Scope::ResourceGroup)
                },
                _ => ScopeData {
                    group: first,
                    ..ScopeData::of(Scope::ResourceGroup)
                },
            },
            _ => return None,
        })
    }

    fn scope_of_resource(
        &self,
        base: &Expression<'a>,
        index: Option<Expression<'a>>,
        depth: usize,
    ) -> Option<ScopeData<'a>> {
        let Target::Resource(at) = self.plain_reference(base)? else {
            return None;
        };
        let resource = self.unit.resources.get(at)?;
        if resource.is_collection() && index.is_none() {
            return None;
        }
        let kind = self.resource_type(at).name;
        let name = resource.property("name");
        // These two are scopes themselves.
        if kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") {
            let subscription = resource
                .property("scope")
                .and_then(|scope| self.scope_of(&scope, depth + 1))
                .and_then(|scope| scope.subscription);
            return Some(ScopeData {
                subscription,
                group: name,
                resource: Some(at),
                index,
                ..ScopeData::of(Scope::ResourceGroup)
            });
        }
        if kind.eq_ignore_ascii_case("Microsoft.Management/managementGroups") {
            return Some(ScopeData {
                management_group: name,
                resource: Some(at),
                index,
                ..ScopeData::of(Scope::ManagementGroup)
            });
        }
        Some(ScopeData {
            kind: ScopeKind::Resource,
            resource: Some(at),
            index,
            ..ScopeData::of(self.unit.target)
        })
    }

    /// The id of a resource in the scope of its outermost ancestor.
    pub(crate) fn scoped_id(
        &self,
        span: Span,
        of: usize,
        kind: &'a str,
        names: &[Expr<'a>],
        env: Env<'a>,
    ) -> Expr<'a> {
        let scope = self.resource_scope(of);
        let ancestors = self.ancestors(of);
        let env = self
            .ancestor_envs(&ancestors, env)
            .first()
            .copied()
            .unwrap_or(env);
        self.id_in(span, &scope, kind, names, env)
    }

    /// An id in a scope.
    pub(crate) fn id_in(
        &self,
        span: Span,
        scope: &ScopeData<'a>,
        kind: &'a str,
        names: &[Expr<'a>],
        env: Env<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let Some(_deeper) = self.session.deeper(span) else {
            return make.null(span);
        };
        let with = |name: &'a str, before: Option<Expr<'a>>| {
            let mut args: Vec<_> = before.into_iter().collect();
            args.push(expr::string(span, kind));
            args.extend_from_slice(names);
            make.call(span, name, &args)
        };
        let ScopeKind::At(at) = scope.kind else {
            let base = scope.resource.unwrap_or_default();
            let base = self.resource_id(span, base, env);
            return with("extensionResourceId", Some(base));
        };
        match at {
            Scope::Tenant => with("tenantResourceId", None),
            Scope::Subscription => {
                let subscription = scope.subscription.map(|id| self.expr(&id, env));
                with("subscriptionResourceId", subscription)
            }
            Scope::ResourceGroup => match (scope.subscription, scope.group) {
                (_, None) => with("resourceId", None),
                (subscription, Some(group)) => {
                    let subscription = match subscription {
                        Some(id) => self.expr(&id, env),
                        None => {
                            let here = make.call(span, "subscription", &[]);
                            make.property(span, here, "subscriptionId")
                        }
                    };
                    let group = self.expr(&group, env);
                    let format = expr::string(span, "/subscriptions/{0}/resourceGroups/{1}");
                    let id = make.call(span, "format", &[format, subscription, group]);
                    with("extensionResourceId", Some(id))
                }
            },
            Scope::ManagementGroup => {
                let id = match scope.management_group {
                    Some(name) => self.management_group_id(span, &name, env, true),
                    None => {
                        let here = make.call(span, "managementGroup", &[]);
                        make.property(span, here, "id")
                    }
                };
                with("extensionResourceId", Some(id))
            }
        }
    }

    fn management_group_id(
        &self,
        span: Span,
        name: &Expression<'a>,
        env: Env<'a>,
        whole: bool,
    ) -> Expr<'a> {
        const KIND: &str = "Microsoft.Management/managementGroups";
        let make = self.make();
        let name = self.expr(name, env);
        if whole {
            make.call(span, "tenantResourceId", &[expr::string(span, KIND), name])
        } else {
            let format = make.string(span, &format!("{KIND}/{{0}}"));
            make.call(span, "format", &[format, name])
        }
    }

    /// The properties that say where a resource or module is deployed to.
    pub(crate) fn scope_properties(
        &self,
        span: Span,
        scope: &ScopeData<'a>,
        env: Env<'a>,
        out: &mut Vec<Entry<'a>>,
    ) {
        let make = self.make();
        let indexed = match (scope.resource, &scope.index) {
            (Some(of), Some(index)) => {
                let index = self.expr(index, env);
                self.indexed(Target::Resource(of), index, env).env
            }
            _ => env,
        };
        let mut add = |key: &'a str, value: Expr<'a>| {
            out.push(expr::entry(key, span, make.value(value)));
        };
        let ScopeKind::At(at) = scope.kind else {
            let base = scope.resource.unwrap_or_default();
            add("scope", self.resource_id(span, base, indexed));
            return;
        };
        let here = self.unit.target;
        match at {
            Scope::Tenant => {
                if here != Scope::Tenant {
                    add("scope", expr::string(span, "/"));
                }
            }
            Scope::ManagementGroup => {
                if let Some(name) = &scope.management_group {
                    let whole = !matches!(here, Scope::Tenant | Scope::ManagementGroup);
                    add(
                        "scope",
                        self.management_group_id(span, name, indexed, whole),
                    );
                }
            }
            Scope::Subscription => {
                if let Some(id) = &scope.subscription {
                    add("subscriptionId", self.expr(id, env));
                } else if here == Scope::ResourceGroup {
                    let subscription = make.call(span, "subscription", &[]);
                    let id = make.property(span, subscription, "subscriptionId");
                    add("subscriptionId", id);
                }
            }
            Scope::ResourceGroup => {
                if let Some(id) = &scope.subscription {
                    add("subscriptionId", self.expr(id, indexed));
                }
                if let Some(group) = &scope.group {
                    add("resourceGroup", self.expr(group, indexed));
                }
            }
        }
    }
}
