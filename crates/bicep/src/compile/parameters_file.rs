//! Compiles a `.bicepparam` file to what the official tool makes of it: a parameters file in
//! JSON, its expressions evaluated. What only the machine that deploys knows (environment
//! variables, external inputs) stays an expression.

use std::rc::Rc;

use bumpalo::Bump;

use crate::deployment::Problem;
use crate::expand::Options;
use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::{FileId, Files, Sources, Span};
use crate::syntax::{Expression, ExpressionKind};
use crate::value::{Data, Value};

use super::expr::{entry, text};
use super::imports;
use super::lower::Env;
use super::session::Session;
use super::template::{Plan, Template};
use super::unit::for_of;

/// What a parameters file comes to.
#[derive(Debug)]
pub struct ParametersFile<'a> {
    /// `{ "$schema", "contentVersion", "parameters": { name: { "value" } or { "reference" } } }`,
    /// as [`Options::parameter_files`] takes it. A value that is not known here is an expression.
    pub root: Node<'a>,
    /// The path of the template it is for, as it is written; nothing after `using none`.
    pub using: Option<&'a str>,
    /// That template among the sources, when it was found.
    pub template: Option<FileId>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}

/// Compiles a parameters file that is among the sources. Its name ends with `.bicepparam`.
pub fn compile_parameters<'a>(
    bump: &'a Bump,
    sources: &mut Sources<'a>,
    files: &'a dyn Files,
    file: FileId,
) -> ParametersFile<'a> {
    let session = Session::new(bump, std::mem::take(sources), files);
    let (root, using, template) = whole(&session, files, file);
    let problems;
    (*sources, problems) = session.end();
    ParametersFile {
        root,
        using,
        template,
        problems,
    }
}

fn whole<'s, 'a>(
    session: &'s Session<'s, 'a>,
    files: &'a dyn Files,
    file: FileId,
) -> (Node<'a>, Option<&'a str>, Option<FileId>) {
    let mut entries = session
        .inside(file, || given(session, files, file))
        .unwrap_or_default();
    let unit = session.unit(file);
    let path = unit.using.and_then(|using| using.path);
    let using = path.as_ref().and_then(Expression::as_str);
    let mut template = None;
    if let (Some(path), Some(using)) = (path, using) {
        match session.find(unit.name, using) {
            Ok(found) => {
                template = Some(found);
                keep_declared(session, found, &mut entries);
            }
            Err(why) => {
                bare(session, file).unresolved(path.span, using, &why);
            }
        }
    }
    let own = bare(session, file);
    let (make, here) = (own.make(), own.start());
    let schema =
        "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";
    let root = make.object(
        here,
        &[
            entry("$schema", here, text(here, schema)),
            entry("contentVersion", here, text(here, "1.0.0.0")),
            entry("parameters", here, make.object(here, &entries)),
        ],
    );
    (root, using, template)
}

/// A file that extends another may give more than its template takes.
fn keep_declared(session: &Session<'_, '_>, template: FileId, entries: &mut Vec<Entry<'_>>) {
    if session.is_json(template) {
        let root = session.json(template);
        if let Some(parameters) = root.get("parameters") {
            entries.retain(|entry| parameters.get(entry.key).is_some());
        }
    } else {
        let unit = session.unit(template);
        entries.retain(|entry| {
            unit.parameters
                .iter()
                .any(|parameter| parameter.of.name.name == entry.key)
        });
    }
}

/// A file by itself.
fn bare<'s, 'a>(session: &'s Session<'s, 'a>, file: FileId) -> Template<'s, 'a> {
    Template {
        session,
        unit: session.unit(file),
        plan: Plan::default(),
        closure: imports::none(),
    }
}

/// What a file gives, with what it extends: `name: { "value": … }`.
fn given<'s, 'a>(
    session: &'s Session<'s, 'a>,
    files: &'a dyn Files,
    file: FileId,
) -> Vec<Entry<'a>> {
    let unit = session.unit(file);
    let closure = imports::closure(session, &unit);
    let mut template = bare(session, file);
    template.closure = Rc::downgrade(&closure);
    template.check_imports();
    let mut entries = Vec::new();
    if let Some(extends) = unit.extends
        && let Some(path) = extends.as_str()
    {
        match session.find(unit.name, path) {
            Ok(base) => match session.inside(base, || given(session, files, base)) {
                Some(base) => entries = base,
                None => template.unresolved(extends.span, path, "it leads back to this file"),
            },
            Err(why) => template.unresolved(extends.span, path, &why),
        }
        template.plan.base = Some(entries.clone());
    }
    template.plan.loads = template.load_variables();
    // There is no deployment whose variables could hold what is not known.
    template.plan.inline = (0..unit.variables.len())
        .filter(|at| {
            unit.variables
                .get(*at)
                .is_some_and(|variable| for_of(&variable.of.value).is_none())
        })
        .collect();
    let template = Rc::new(template);
    for own in template.evaluated(files, &closure) {
        match entries.iter_mut().find(|entry| entry.key == own.key) {
            Some(old) => *old = own,
            None => entries.push(own),
        }
    }
    entries
}

impl<'s, 'a> Template<'s, 'a> {
    /// What the file that this one extends gives, as a map.
    pub(crate) fn base(&self, span: Span) -> Node<'a> {
        let entries: Vec<_> = self
            .plan
            .base
            .iter()
            .flatten()
            .filter_map(|given| Some(entry(given.key, given.key_span, *given.value.get("value")?)))
            .collect();
        self.make().object(span, &entries)
    }

    /// `base.name`
    pub(crate) fn base_property(&self, base: &Expression<'a>, name: &str) -> Option<Node<'a>> {
        let given = self.plan.base.as_ref()?;
        if !matches!(base.kind, ExpressionKind::VariableAccess("base"))
            || self.unit.symbols.contains_key("base")
            || self.unit.bound.contains_key(&base.span.start)
        {
            return None;
        }
        let found = given.iter().find(|given| given.key == name)?;
        found.value.get("value").copied()
    }

    /// What this file itself gives: a deployment with nothing but outputs is evaluated.
    fn evaluated(
        self: &Rc<Self>,
        files: &'a dyn Files,
        closure: &Rc<imports::Closure<'s, 'a>>,
    ) -> Vec<Entry<'a>> {
        let make = self.make();
        let here = self.start();
        let env = Env::default();
        let mut outputs = Vec::new();
        let mut secrets = Vec::new();
        for given in &self.unit.assignments {
            let (name, value) = (given.of.name, &given.of.value);
            if let Some(secret) = self.secret(value) {
                secrets.push((name.name, secret));
                continue;
            }
            let part = match for_of(value) {
                Some(each) => {
                    let copy = self.copy(value.span, None, each, None, Some(&each.body), env);
                    entry("copy", value.span, copy)
                }
                None => entry("value", value.span, self.node(value, env)),
            };
            outputs.push(entry(
                name.name,
                name.span,
                make.object(value.span, &[part]),
            ));
        }
        let root = make.object(
            here,
            &[
                entry("$schema", here, text(here, self.schema_address())),
                entry(
                    "functions",
                    here,
                    make.array(here, &self.functions(closure)),
                ),
                entry(
                    "variables",
                    here,
                    make.object(here, &self.variables(closure)),
                ),
                entry("resources", here, make.array(here, &[])),
                entry("outputs", here, make.object(here, &outputs)),
            ],
        );
        let values = self.session.expand(files, make.0.alloc(root)).outputs;
        let mut out = Vec::new();
        for given in &self.unit.assignments {
            let name = given.of.name;
            let secret = secrets.iter().find(|(own, _)| *own == name.name);
            let part = match secret {
                Some((_, secret)) => entry("reference", secret.span, *secret),
                None => {
                    let written = outputs
                        .iter()
                        .find(|output| output.key == name.name)
                        .and_then(|output| output.value.get("value"));
                    let Some((_, value)) = values.iter().find(|(own, _)| *own == name.name) else {
                        continue;
                    };
                    entry("value", value.span, self.known(value, written))
                }
            };
            out.push(entry(
                name.name,
                name.span,
                make.object(part.value.span, &[part]),
            ));
        }
        out
    }

    /// A value as it is known; what is not stays as it was written.
    fn known(&self, value: &Value<'a>, written: Option<&Node<'a>>) -> Node<'a> {
        let make = self.make();
        let span = value.span;
        let kind = match value.data {
            Data::Null => NodeKind::Null,
            Data::Bool(value) => NodeKind::Bool(value),
            Data::Int(value) => NodeKind::Int(value),
            Data::Float(value) => NodeKind::Float(value),
            Data::Str(text) => NodeKind::Str(text),
            Data::Array(items) => {
                let all = written.map(Node::items).unwrap_or_default();
                let same = all.len() == items.len();
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.known(item, all.get(at).filter(|_| same)))
                    .collect();
                return make.array(span, &items);
            }
            Data::Object(fields) => {
                let entries: Vec<_> = fields
                    .iter()
                    .map(|field| {
                        let written = written.and_then(|written| written.get(field.key));
                        entry(field.key, field.key_span, self.known(&field.value, written))
                    })
                    .collect();
                return make.object(span, &entries);
            }
            Data::Unknown(unknown) => match written.map(|written| written.kind) {
                Some(NodeKind::Expr(expr)) => NodeKind::Expr(expr),
                _ => NodeKind::Expr(make.expr(Expr {
                    span,
                    kind: ExprKind::Call {
                        namespace: None,
                        name: unknown.text,
                        args: &[],
                    },
                })),
            },
        };
        Node { span, kind }
    }

    /// `az.getSecret(subscription, group, vault, name, version)`
    fn secret(&self, value: &Expression<'a>) -> Option<Node<'a>> {
        let make = self.make();
        let value = value.inner();
        let (name, arguments) = match value.kind {
            ExpressionKind::FunctionCall(call) => (call.name.name, call.arguments),
            ExpressionKind::InstanceFunctionCall(call) => (call.name.name, call.arguments),
            _ => return None,
        };
        if name != "getSecret" {
            return None;
        }
        let constant = |at: usize| self.constant(arguments.get(at)?, 0);
        let span = value.span;
        let string = |of: &str| text(span, make.text(of));
        let id = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/vaults/{}",
            constant(0)?,
            constant(1)?,
            constant(2)?
        );
        let vault = make.object(span, &[entry("id", span, string(&id))]);
        let mut entries = vec![
            entry("keyVault", span, vault),
            entry("secretName", span, string(&constant(3)?)),
        ];
        if let Some(version) = constant(4) {
            entries.push(entry("secretVersion", span, string(&version)));
        }
        Some(make.object(span, &entries))
    }
}

/// With what a file is deployed.
impl<'a> From<&ParametersFile<'a>> for Options<'a> {
    fn from(file: &ParametersFile<'a>) -> Self {
        Self {
            parameter_files: vec![file.root],
            ..Self::default()
        }
    }
}
