//! The template that a Bicep file comes to: what must be known before anything is written, and
//! the order in which its parts are written.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::{Rc, Weak};

use crate::deployment::{Problem, ProblemKind};
use crate::node::{Entry, Expr, Node};
use crate::source::{FileId, Span};
use crate::syntax::Expression;

use super::expr::{Maker, entry, text};
use super::imports::{Closure, Names};
use super::lower::Env;
use super::reference::Target;
use super::session::Session;
use super::unit::{Scope, Unit};

/// The type of a deployment.
pub(crate) const DEPLOYMENT_TYPE: &str = "Microsoft.Resources/deployments";

/// The API version that the official compiler gives to the deployments of modules (since 0.38).
pub(crate) const DEPLOYMENT_API: &str = "2025-04-01";

/// A file on its way to a template; or a file that a template imports from.
pub(crate) struct Template<'s, 'a> {
    pub(crate) session: &'s Session<'s, 'a>,
    pub(crate) unit: Rc<Unit<'a>>,
    pub(crate) plan: Plan<'a>,
    /// What the template imports.
    pub(crate) closure: Weak<Closure<'s, 'a>>,
}

/// What is decided about a file before it is written.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    /// Resources are written as a map by their symbolic names.
    pub(crate) symbolic: Cell<bool>,
    /// Variables that are written out where they are used: they read resources.
    pub(crate) inline: HashSet<usize>,
    /// Existing resources that are left out: their names read resources.
    pub(crate) hidden: HashSet<usize>,
    /// The variables that hold what `load…` calls read, by where the calls start.
    pub(crate) loads: HashMap<u32, &'a str>,
    pub(crate) names: Names<'a>,
    /// Variables that only name a resource or module, as far as it was asked for.
    pub(crate) aliases: RefCell<HashMap<usize, Option<Target>>>,
    pub(crate) types: Vec<ResourceType<'a>>,
    /// Of each module its template, when it was found.
    pub(crate) modules: Vec<Option<Module<'a>>>,
    /// Of a parameters file that extends another: what that one gives.
    pub(crate) base: Option<Vec<Entry<'a>>>,
}

/// A resource's type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceType<'a> {
    /// `Microsoft.Network/virtualNetworks/subnets`
    pub(crate) name: &'a str,
    /// `2024-05-01`
    pub(crate) version: &'a str,
    /// The extension it belongs to.
    pub(crate) extension: Option<usize>,
}

/// A module's template.
#[derive(Debug, Clone)]
pub(crate) struct Module<'a> {
    pub(crate) template: Node<'a>,
    /// Its outputs whose values must not be shown.
    pub(crate) secure: HashSet<&'a str>,
    /// It is a template spec: linked, not written in place.
    pub(crate) link: Option<&'a str>,
}

impl<'s, 'a> Template<'s, 'a> {
    pub(crate) fn make(&self) -> Maker<'a> {
        Maker(self.session.bump)
    }

    /// A file that is only imported from: nothing of it is deployed.
    pub(crate) fn imported(session: &'s Session<'s, 'a>, file: FileId) -> Self {
        let mut template = Self {
            session,
            unit: session.unit(file),
            plan: Plan::default(),
            closure: super::imports::none(),
        };
        template.plan.types = template.resource_types();
        template.plan.modules = template.unit.modules.iter().map(|_| None).collect();
        template.plan.inline = template.symbols_to_inline().0;
        template.plan.loads = template.load_variables();
        template
    }

    pub(crate) fn inlined(&self, variable: usize) -> bool {
        self.plan.inline.contains(&variable)
    }

    pub(crate) fn resource_type(&self, of: usize) -> ResourceType<'a> {
        self.plan.types.get(of).copied().unwrap_or(ResourceType {
            name: "",
            version: "",
            extension: None,
        })
    }

    pub(crate) fn load_variable(&self, span: Span) -> Option<&'a str> {
        self.plan.loads.get(&span.start).copied()
    }

    pub(crate) fn is_secure_output(&self, module: usize, name: &str) -> bool {
        matches!(
            self.plan.modules.get(module),
            Some(Some(found)) if found.secure.contains(name)
        )
    }

    pub(crate) fn has_secure_outputs(&self, module: usize) -> bool {
        matches!(
            self.plan.modules.get(module),
            Some(Some(found)) if !found.secure.is_empty()
        )
    }

    pub(crate) fn unresolved_import(&self, span: Span, name: &str) -> Expr<'a> {
        self.unknown_name(
            span,
            &format!("`{name}` is imported from what was not found"),
        )
    }

    /// The types of all resources, in order.
    pub(crate) fn resource_types(&self) -> Vec<ResourceType<'a>> {
        let mut types: Vec<ResourceType<'a>> = Vec::with_capacity(self.unit.resources.len());
        for resource in &self.unit.resources {
            let (name, version) = match resource.written_type().split_once('@') {
                Some((name, version)) => (name, version),
                None => (resource.written_type(), ""),
            };
            let kind = match resource.within.and_then(|within| types.get(within)) {
                Some(above) => ResourceType {
                    name: self.make().text(&format!("{}/{name}", above.name)),
                    version: if version.is_empty() {
                        above.version
                    } else {
                        version
                    },
                    extension: above.extension,
                },
                None => ResourceType {
                    name,
                    version,
                    extension: self.extension_of(name),
                },
            };
            types.push(self.as_defined(kind));
        }
        types
    }

    /// With the capitals of its definition.
    fn as_defined(&self, kind: ResourceType<'a>) -> ResourceType<'a> {
        let written = format!("{}@{}", kind.name, kind.version);
        let defined = kind
            .extension
            .is_none()
            .then(|| self.session.files.resource_type(&written))
            .flatten();
        match defined.as_deref().and_then(|name| name.split_once('@')) {
            Some((name, _)) => ResourceType {
                name: self.make().text(name),
                ..kind
            },
            None => kind,
        }
    }

    /// The extension that a type belongs to. Azure's own types start with a provider with a dot
    /// in its name; Microsoft Graph's and Kubernetes' are known by their first segment.
    fn extension_of(&self, kind: &str) -> Option<usize> {
        let provider = kind.split('/').next().unwrap_or_default();
        let graph = provider.eq_ignore_ascii_case("Microsoft.Graph");
        let azure = provider.contains('.') && !provider.ends_with(".k8s.io");
        if azure && !graph {
            return None;
        }
        let position = |wanted: &dyn Fn(&str) -> bool| {
            self.unit
                .extensions
                .iter()
                .position(|extension| wanted(&extension.specification.to_ascii_lowercase()))
        };
        if graph {
            return position(&|name| name.contains("graph"))
                .or_else(|| (!self.unit.extensions.is_empty()).then_some(0));
        }
        position(&|name| name.contains("kubernetes"))
            .or_else(|| (!self.unit.extensions.is_empty()).then_some(0))
    }

    /// Whether forms are used that Azure only knows as experiments.
    pub(crate) fn is_experimental(&self) -> bool {
        self.unit.traits.this
            || self
                .unit
                .resources
                .iter()
                .any(|resource| resource.statement.decorator("nullIfNotFound").is_some())
    }

    /// Whether resources are written by their symbolic names.
    pub(crate) fn needs_symbolic_names(&self, secure_outputs: bool) -> bool {
        let unit = &self.unit;
        self.is_experimental()
            || unit.traits.types
            || unit.traits.collections
            || !unit.extensions.is_empty()
            || !unit.types.is_empty()
            || !unit.functions.is_empty()
            || !unit.imports.is_empty()
            || secure_outputs
            || self
                .plan
                .modules
                .iter()
                .flatten()
                .any(|module| !module.secure.is_empty())
            || unit
                .modules
                .iter()
                .any(|module| module.property("name").is_none())
            || unit.resources.iter().any(|resource| {
                let decorated = |name| resource.statement.decorator(name).is_some();
                decorated("onlyIfNotExists")
                    || decorated("retryOn")
                    || (resource.of.existing.is_some() && resource.property("dependsOn").is_some())
            })
    }

    pub(crate) fn schema_address(&self) -> &'static str {
        match self.unit.target {
            Scope::Tenant => {
                "https://schema.management.azure.com/schemas/2019-08-01/tenantDeploymentTemplate.json#"
            }
            Scope::ManagementGroup => {
                "https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#"
            }
            Scope::Subscription => {
                "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
            }
            Scope::ResourceGroup => {
                "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
            }
        }
    }

    /// The condition of a resource, with those of the resources it stands in.
    pub(crate) fn resource_condition(&self, of: usize, env: Env<'a>) -> Option<Expr<'a>> {
        let mut conditions = Vec::new();
        let mut at = self.unit.resources.get(of).and_then(|own| own.within);
        while let Some(resource) = at.and_then(|at| self.unit.resources.get(at)) {
            if let crate::syntax::ExpressionKind::If(condition) = resource.of.value.kind {
                conditions.push(condition.condition);
            }
            at = resource.within;
        }
        conditions.reverse();
        conditions.extend(
            self.unit
                .resources
                .get(of)
                .and_then(|own| own_condition(&own.of.value)),
        );
        let mut conditions = conditions.into_iter();
        let first = self.expr(&conditions.next()?, env);
        Some(conditions.fold(first, |all, next| {
            let next = self.expr(&next, env);
            self.make().call(next.span, "and", &[all, next])
        }))
    }

    pub(crate) fn module_condition(&self, of: usize, env: Env<'a>) -> Option<Expr<'a>> {
        let condition = own_condition(&self.unit.modules.get(of)?.of.value)?;
        Some(self.expr(&condition, env))
    }

    /// A module or import that was not found.
    pub(crate) fn unresolved(&self, span: Span, path: &str, why: &str) {
        let help = if super::session::is_published(path) {
            "restore it with `bicep restore`, or name a folder that holds it with `--module-cache`"
        } else {
            "check the path; it is relative to the file that names it"
        };
        self.session.problem(Problem {
            span,
            message: format!("`{path}` was not found: {why}"),
            help: Some(help.to_owned()),
            kind: ProblemKind::Unresolved,
        });
    }

    /// `metadata`, without the hash, which only the official compiler needs.
    pub(crate) fn metadata(self: &Rc<Self>) -> Node<'a> {
        let make = self.make();
        let here = self.start();
        let generator = make.object(here, &[entry("name", here, text(here, "bicep"))]);
        let mut entries = Vec::new();
        if self.is_experimental() {
            // What Azure's own tools say there.
            let warning = "This template uses ARM features that are experimental. Experimental features should be enabled for testing purposes only, as there are no guarantees about the quality or stability of these features. Do not enable these settings for any production usage, or your production environment may be subject to breaking.";
            entries.push(entry("_EXPERIMENTAL_WARNING", here, text(here, warning)));
            let features = make.array(here, &[]);
            entries.push(entry("_EXPERIMENTAL_FEATURES_ENABLED", here, features));
        }
        entries.push(entry("_generator", here, generator));
        if let Some(exported) = self.exported_variables() {
            entries.push(exported);
        }
        for metadata in &self.unit.metadata {
            let value = self.node(&metadata.of.value, Env::default());
            entries.push(self.entry(metadata.of.name.name, metadata.of.name.span, value));
        }
        make.object(here, &entries)
    }

    /// The first place of the file.
    pub(crate) fn start(&self) -> Span {
        Span {
            file: self.unit.file,
            start: 0,
            end: 0,
        }
    }

    fn exported_variables(self: &Rc<Self>) -> Option<Entry<'a>> {
        let make = self.make();
        let here = self.start();
        let mut exported: Vec<_> = self
            .unit
            .variables
            .iter()
            .filter(|variable| variable.statement.decorator("export").is_some())
            .collect();
        exported.sort_by_key(|variable| variable.of.name.name);
        let items: Vec<_> = exported
            .into_iter()
            .map(|variable| {
                let name = variable.of.name;
                let mut entries = vec![entry("name", name.span, text(name.span, name.name))];
                if let Some(description) = super::types::description(variable.statement.decorators)
                {
                    let value = self.description_text(&description);
                    entries.push(entry("description", description.span, value));
                }
                if let Some(ty) = &variable.of.ty {
                    let schema = self.schema(ty, None);
                    entries.push(entry("type", ty.span, make.object(ty.span, &schema)));
                }
                make.object(name.span, &entries)
            })
            .collect();
        (!items.is_empty()).then(|| {
            entry(
                "__bicep_exported_variables!",
                here,
                make.array(here, &items),
            )
        })
    }
}

/// What `if` says of a resource or module, also within its loop.
pub(crate) fn own_condition<'a>(value: &Expression<'a>) -> Option<Expression<'a>> {
    use crate::syntax::ExpressionKind;
    match value.kind {
        ExpressionKind::If(condition) => Some(condition.condition),
        ExpressionKind::For(each) => own_condition(&each.body),
        _ => None,
    }
}
