//! Compiles Bicep to the template that the official compiler makes of it: the tree that the
//! evaluator reads, with the places of the Bicep text.
//!
//! Followed: Azure/bicep, `src/Bicep.Core/{Emit,Intermediate,Semantics}`, in how resources are
//! named and ordered, which variables are written out in place, what waits for what, and how
//! imports are called. Left out: its diagnostics (what it would refuse is compiled as far as it
//! goes, with a problem where nothing can be made of it), the types of Azure's resources beyond
//! what [`Files::property_type`] says, `templateHash`, and features that are switched on as
//! experiments.

mod bind;
mod compiled;
mod depend;
mod deploy;
mod expr;
mod imports;
mod inline;
mod json_path;
mod literals;
mod load;
mod lower;
mod parameters_file;
mod reference;
mod resolve;
mod scope;
mod session;
mod template;
mod types;
mod unit;
mod value;
mod walk;
mod write;
mod yaml;

use std::collections::HashSet;
use std::rc::Rc;

use bumpalo::Bump;

use crate::deployment::Problem;
use crate::node::{Node, NodeKind};
use crate::source::{FileId, Files, Sources};

pub use parameters_file::{ParametersFile, compile_parameters};

use expr::{entry, text};
use session::Session;
use template::{Module, Plan, Template};
use unit::Declared;

/// How long the texts of a template may be with all modules written out: they may double with
/// every level. Azure takes 4 MB.
const MAX_WEIGHT: u64 = 256 << 20;

/// Compiles a Bicep file that is among the sources, with all modules that it leads to.
///
/// What cannot be compiled is a problem at its place, and costs only itself: the template has all
/// the rest. A module that is not found stays in the template as a deployment without a template.
pub fn compile<'a>(
    bump: &'a Bump,
    sources: &mut Sources<'a>,
    files: &dyn Files,
    file: FileId,
) -> (Node<'a>, Vec<Problem>) {
    let session = Session::new(bump, std::mem::take(sources), files);
    let node = of_file(&session, file);
    let problems;
    (*sources, problems) = session.end();
    (node, problems)
}

/// The template of a Bicep or JSON file; compiled only once.
fn of_file<'s, 'a>(session: &'s Session<'s, 'a>, file: FileId) -> Node<'a> {
    if let Some(node) = session.templates.borrow().get(&file) {
        return *node;
    }
    let text = session.source(file).map_or("", |source| source.text);
    session.weights.borrow_mut().insert(file, text.len() as u64);
    let node = if session.is_json(file) {
        session.json(file)
    } else {
        write(session, file)
    };
    session.templates.borrow_mut().insert(file, node);
    node
}

fn write<'s, 'a>(session: &'s Session<'s, 'a>, file: FileId) -> Node<'a> {
    let unit = session.unit(file);
    let closure = imports::closure(session, &unit);
    let mut template = Template {
        session,
        unit,
        plan: Plan::default(),
        closure: Rc::downgrade(&closure),
    };
    template.check_imports();
    template.plan.types = template.resource_types();
    template.plan.modules = modules(&template);
    template.plan.loads = template.load_variables();
    (template.plan.inline, template.plan.hidden) = template.symbols_to_inline();
    let template = Rc::new(template);
    let make = template.make();
    let here = template.start();

    // Types decide whether an output is secret, and that decides how resources are named.
    let definitions = template.definitions(&closure);
    let outputs = secure_schemas(&template, &definitions);
    let symbolic = template.needs_symbolic_names(outputs);
    template.plan.symbolic.set(symbolic);
    let mut out = vec![entry(
        "$schema",
        here,
        text(here, template.schema_address()),
    )];
    if symbolic {
        let version = if template.is_experimental() {
            "2.1-experimental"
        } else {
            "2.0"
        };
        out.push(entry("languageVersion", here, text(here, version)));
    }
    out.push(entry("contentVersion", here, text(here, "1.0.0.0")));
    out.push(entry("metadata", here, template.metadata()));
    let mut section = |key: &'static str, node: Node<'a>| {
        let empty = matches!(node.kind, NodeKind::Object([]) | NodeKind::Array([]));
        if !empty || key == "resources" {
            out.push(entry(key, node.span, node));
        }
    };
    section("definitions", make.object(here, &definitions));
    section("functions", make.array(here, &template.functions(&closure)));
    section("parameters", make.object(here, &template.parameters()));
    section(
        "variables",
        make.object(here, &template.variables(&closure)),
    );
    section("imports", make.object(here, &template.extensions()));
    section("resources", template.resources());
    section("outputs", make.object(here, &template.outputs()));
    section("asserts", make.object(here, &template.asserts()));
    make.object(here, &out)
}

/// Whether an output of the file itself is secret.
fn secure_schemas<'a>(
    template: &Rc<Template<'_, 'a>>,
    definitions: &[crate::node::Entry<'a>],
) -> bool {
    let make = template.make();
    let here = template.start();
    let root = make.object(
        here,
        &[entry("definitions", here, make.object(here, definitions))],
    );
    template.unit.outputs.iter().any(|output| {
        let decorators = output.statement.decorators;
        let mut schema = template.schema(&output.of.ty, types::discriminator(decorators));
        template.decorate(&mut schema, decorators, false);
        let schema = make.object(here, &schema);
        write::is_secure(&root, &schema, &mut HashSet::new())
    })
}

/// The templates of all modules; those that are not found are problems.
fn modules<'a>(template: &Template<'_, 'a>) -> Vec<Option<Module<'a>>> {
    template
        .unit
        .modules
        .iter()
        .map(|module| find_module(template, module))
        .collect()
}

fn find_module<'a>(
    template: &Template<'_, 'a>,
    module: &Declared<'a, crate::syntax::ModuleDeclaration<'a>>,
) -> Option<Module<'a>> {
    let session = template.session;
    let span = module.of.path.span;
    let Some(path) = module.of.path.as_str() else {
        template.unresolved(span, "", "the path of a module is a string without holes");
        return None;
    };
    let file = match session.find(template.unit.name, path) {
        Ok(file) => file,
        Err(why) => {
            template.unresolved(span, path, &why);
            return None;
        }
    };
    let Some(node) = session.inside(file, || of_file(session, file)) else {
        template.unresolved(
            span,
            path,
            "it leads back to this file, or is nested too deeply",
        );
        return None;
    };
    let mut weights = session.weights.borrow_mut();
    let weight = weights.get(&file).copied().unwrap_or_default();
    let own = weights.entry(template.unit.file).or_default();
    if *own + weight > MAX_WEIGHT {
        if !session.too_large.replace(true) {
            template.unresolved(span, path, "with it the template becomes too large");
        }
        return None;
    }
    *own += weight;
    Some(Module {
        template: node,
        secure: write::secure_outputs(&node),
        link: spec_id(session.file_name(file)).map(|id| template.make().text(&id)),
    })
}

/// The id of the template spec that a reference without aliases names.
fn spec_id(name: &str) -> Option<String> {
    let (path, version) = name.strip_prefix("ts:")?.rsplit_once(':')?;
    let mut segments = path.split('/');
    let (subscription, group, name) = (segments.next()?, segments.next()?, segments.next()?);
    Some(format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Resources/templateSpecs/{name}/versions/{version}"
    ))
}

/// How a template calls an extension: its name and version. They stand in the extension's own
/// package; these are those that Azure offers.
fn extension_settings(specification: &str) -> (&str, &str) {
    let lower = specification.to_ascii_lowercase();
    if lower.contains("kubernetes") {
        return ("Kubernetes", "1.0.0");
    }
    if lower.contains("graph") {
        return ("MicrosoftGraph", "1.0.0");
    }
    let name = specification.split('@').next().unwrap_or_default();
    let version = specification
        .rsplit_once(['@', ':'])
        .map_or("1.0.0", |(_, version)| version);
    (name, version)
}
