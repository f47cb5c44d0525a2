//! ValidatingAdmissionPolicies, evaluated over a pod as the API server does
//! (kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating, matching).
//!
//! What the attacker writes is unknown in a way of its own: a rule about it can be met, and a selector over labels of
//! the pod can be dodged. What else is not known (who asks, labels that were not given) makes a *perhaps*.

use std::cell::Cell;

use cel::{Budget, Bump, Env, Program, Slot, Symbols, Unknown, Val};
use model::doc::{Dialect, Doc, DocBuilder};
use model::{Estate, NodeId, Ref, Resource, ResourceRef, Within, unknown};
use serde_json::{Value, json};
use yaml::{Build as _, Entry, Span};

use super::shapes::{ANY, Wanted};
use super::{Label, Outcome, Removed, label_of, selects};

/// Those that look at pods, with the bindings that put them in force.
pub(crate) struct Policies(Vec<Policy>);

struct Policy {
    resource: ResourceRef,
    name: Box<str>,
    env: Env,
    roots: Roots,
    /// Their slots and expressions, in order.
    variables: Vec<(Slot, Program)>,
    conditions: Vec<Program>,
    validations: Vec<Program>,
    /// An expression does not compile here.
    unread: bool,
    /// An error lets the request pass.
    ignores_errors: bool,
    bindings: Vec<ResourceRef>,
    /// The kind of its parameters: API group, kind.
    params: Option<(Box<str>, Box<str>)>,
}

struct Roots {
    object: Slot,
    old: Slot,
    request: Slot,
    namespace: Slot,
    params: Slot,
    authorizer: Slot,
}

/// Deeper objects are cut off.
const DEPTH: usize = 48;

/// Why what the attacker writes is unknown: what [`DocBuilder::not_given`] says.
const CHOSEN: Unknown = unknown::NAMESPACE_NOT_GIVEN;

/// What marks an expression that the source leaves open.
const OPEN: char = '\u{2}';

impl Policies {
    pub(crate) fn read(estate: &Estate) -> Self {
        let policies = estate
            .of_kind("ValidatingAdmissionPolicy")
            .iter()
            .filter_map(|id| Policy::read(estate, *id))
            .filter(|policy| !policy.bindings.is_empty())
            .collect();
        Self(policies)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What all of them make of a pod.
    pub(super) fn judge(
        &self,
        estate: &Estate,
        namespace: &str,
        wanted: &Wanted,
        removed: &Removed,
    ) -> Outcome {
        self.0
            .iter()
            .filter(|policy| !removed.policies.has(&policy.name))
            .flat_map(|policy| {
                policy
                    .bindings
                    .iter()
                    .filter_map(move |id| Some((policy, *id, estate.get(*id)?)))
            })
            .filter(|(_, _, binding)| !removed.bindings.has(&binding.name.name))
            .map(|(policy, id, binding)| policy.judge(estate, namespace, wanted, id, binding))
            .fold(Outcome::Passes, Outcome::and)
    }
}

fn texts(value: Option<Ref<'_>>) -> impl Iterator<Item = &str> {
    value
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(Ref::as_str)
}

impl Policy {
    fn read(estate: &Estate, id: ResourceRef) -> Option<Self> {
        let resource = estate.get(id)?;
        let spec = resource.object().get("spec")?;
        let bindings = estate
            .of_kind("ValidatingAdmissionPolicyBinding")
            .iter()
            .copied()
            .filter(|binding| {
                let spec = estate
                    .get(*binding)
                    .and_then(|one| one.object().get("spec"));
                let named = spec
                    .and_then(|spec| spec.get("policyName"))
                    .and_then(Ref::as_str);
                named == Some(&resource.name.name)
                    && texts(spec.and_then(|spec| spec.get("validationActions")))
                        .any(|action| action == "Deny")
            })
            .collect();
        let mut env = Env::new();
        let roots = Roots {
            object: env.declare("object"),
            old: env.declare("oldObject"),
            request: env.declare("request"),
            namespace: env.declare("namespaceObject"),
            params: env.declare("params"),
            authorizer: env.declare("authorizer"),
        };
        let mut unread = false;
        let mut variables = Vec::new();
        for variable in list(spec, "variables") {
            let text = |key: &str| variable.get(key).and_then(Ref::as_str).unwrap_or_default();
            match env.compile(text("expression")) {
                Ok(program) => {
                    let slot = env.declare_member("variables", text("name"));
                    variables.push((slot, program));
                }
                Err(_) => unread = true,
            }
        }
        let mut compile = |key: &str| -> Vec<Program> {
            list(spec, key)
                .into_iter()
                .filter_map(|one| {
                    let text = one.get("expression").and_then(Ref::as_str);
                    let program = text.and_then(|text| env.compile(text).ok());
                    unread |= program.is_none();
                    program
                })
                .collect()
        };
        let conditions = compile("matchConditions");
        let validations = compile("validations");
        // Keys that no expression mentions stay findable by their text.
        let params = spec.get("paramKind").map(|kind| {
            let text = |key: &str| kind.get(key).and_then(Ref::as_str).unwrap_or_default();
            let group = text("apiVersion")
                .rsplit_once('/')
                .map_or("", |(group, _)| group);
            (Box::from(group), Box::from(text("kind")))
        });
        Some(Self {
            resource: id,
            name: resource.name.name.clone(),
            env,
            roots,
            variables,
            conditions,
            validations,
            unread,
            ignores_errors: spec.get("failurePolicy").and_then(Ref::as_str) == Some("Ignore"),
            bindings,
            params,
        })
    }

    /// What it makes of a pod by one of its bindings.
    fn judge(
        &self,
        estate: &Estate,
        namespace: &str,
        wanted: &Wanted,
        id: ResourceRef,
        binding: &Resource,
    ) -> Outcome {
        let by = vec![self.resource, id];
        let Some(spec) = estate
            .get(self.resource)
            .and_then(|one| one.object().get("spec"))
        else {
            return Outcome::Passes;
        };
        let constraints = [
            spec.get("matchConstraints"),
            binding.object().path(&["spec", "matchResources"]),
        ];
        let mut unsure = None;
        for (at, constraint) in constraints.into_iter().enumerate() {
            match matches(estate, namespace, wanted, constraint, at == 0) {
                Some(true) => {}
                Some(false) => return Outcome::Passes,
                None => {
                    unsure = Some(format!(
                        "whether policy {} looks at pods in {namespace} is not known",
                        self.name
                    ));
                }
            }
        }
        let params = match self.parameters(estate, namespace, binding) {
            Parameters::Are(params) => params,
            Parameters::Skip => return Outcome::Passes,
            Parameters::Deny => return soften(Outcome::Denies(by), unsure),
            Parameters::Unknown => {
                let why = format!("the parameters of policy {} were not given", self.name);
                return Outcome::Perhaps(why, by);
            }
        };
        let outcome = params
            .iter()
            .map(|params| self.evaluate(estate, namespace, wanted, params, &by))
            .fold(Outcome::Passes, Outcome::and);
        soften(outcome, unsure)
    }

    fn parameters(&self, estate: &Estate, namespace: &str, binding: &Resource) -> Parameters {
        let Some((group, kind)) = &self.params else {
            return Parameters::Are(vec![Value::Null]);
        };
        let Some(reference) = binding.object().path(&["spec", "paramRef"]) else {
            return Parameters::Are(vec![Value::Null]);
        };
        let text = |key: &str| reference.get(key).and_then(Ref::as_str);
        let Some(name) = text("name") else {
            return Parameters::Unknown;
        };
        let kind = if group.is_empty() || model::kinds::is_builtin(group, kind) {
            kind.to_string()
        } else {
            format!("{kind}.{group}")
        };
        let places = [text("namespace").unwrap_or(namespace), ""];
        let found = places
            .into_iter()
            .find_map(|place| estate.find(place, &kind, name));
        match found {
            Some(resource) => Parameters::Are(vec![written(resource.object(), 0)]),
            None if estate.absent(&kind, Within::Everywhere).is_some() => Parameters::Unknown,
            None if text("parameterNotFoundAction") == Some("Allow") => Parameters::Skip,
            None => Parameters::Deny,
        }
    }

    fn evaluate(
        &self,
        estate: &Estate,
        namespace: &str,
        wanted: &Wanted,
        params: &Value,
        by: &[ResourceRef],
    ) -> Outcome {
        if self.unread {
            let why = format!("policy {} cannot be read here", self.name);
            return Outcome::Perhaps(why, by.to_vec());
        }
        let symbols = self.env.symbols();
        let object = document(symbols, &wanted.object);
        let request = document(symbols, &request(namespace, wanted));
        let own = estate
            .find("", "Namespace", namespace)
            .map(|resource| written(resource.object(), 0));
        let about = document(symbols, &own.clone().unwrap_or_else(|| json!({})));
        let params = document(symbols, params);
        let bump = Bump::new();
        let scope = Request {
            policy: self,
            object: Val::Node(object.root()),
            old: if wanted.subresource.is_empty() {
                Val::Null
            } else {
                Val::Unknown(CHOSEN)
            },
            request: Val::Node(request.root()),
            namespace: if own.is_some() {
                Val::Node(about.root())
            } else {
                Val::Unknown(unknown::LIVE_ONLY)
            },
            params: if params.root().is_map() {
                Val::Node(params.root())
            } else {
                Val::Null
            },
            variables: self.variables.iter().map(|_| Cell::new(None)).collect(),
            bump: &bump,
            budget: Budget::new(Budget::POLICY),
        };
        self.verdict(&scope, by)
    }

    fn verdict<'a>(&'a self, scope: &Request<'a>, by: &[ResourceRef]) -> Outcome {
        let perhaps = |what: &str| {
            let why = format!("whether policy {} {what} is not known", self.name);
            Outcome::Perhaps(why, by.to_vec())
        };
        let mut outcome = Outcome::Passes;
        for condition in &self.conditions {
            match ask(condition, scope) {
                Answer::Yes => {}
                // The attacker writes it so that the policy does not look.
                Answer::No | Answer::Chosen => return Outcome::Passes,
                Answer::Error if self.ignores_errors => return Outcome::Passes,
                Answer::Error => return Outcome::Denies(by.to_vec()),
                Answer::Unknown => outcome = perhaps("looks at such pods"),
            }
        }
        let sure = outcome == Outcome::Passes;
        for validation in &self.validations {
            match ask(validation, scope) {
                Answer::Yes | Answer::Chosen => {}
                Answer::Error if self.ignores_errors => {}
                Answer::No | Answer::Error if sure => return Outcome::Denies(by.to_vec()),
                Answer::No | Answer::Error => return outcome,
                Answer::Unknown if sure => outcome = perhaps("lets such pods pass"),
                Answer::Unknown => {}
            }
        }
        // A condition that is not known matters only where a validation says no.
        if sure { outcome } else { Outcome::Passes }
    }
}

fn soften(outcome: Outcome, unsure: Option<String>) -> Outcome {
    match (outcome, unsure) {
        (Outcome::Denies(by), Some(why)) => Outcome::Perhaps(why, by),
        (outcome, _) => outcome,
    }
}

enum Parameters {
    Are(Vec<Value>),
    Skip,
    Deny,
    Unknown,
}

enum Answer {
    Yes,
    No,
    /// It hangs on what the attacker writes.
    Chosen,
    Unknown,
    Error,
}

fn ask<'a>(program: &'a Program, scope: &Request<'a>) -> Answer {
    match program
        .eval(scope, &[], scope.bump, &scope.budget)
        .resolve()
    {
        Val::Bool(true) => Answer::Yes,
        Val::Bool(false) => Answer::No,
        Val::Unknown(reason) if reason == CHOSEN => Answer::Chosen,
        Val::Unknown(_) | Val::Partial(_) => Answer::Unknown,
        _ => Answer::Error,
    }
}

/// The variables of one evaluation.
struct Request<'a> {
    policy: &'a Policy,
    object: Val<'a, Ref<'a>>,
    old: Val<'a, Ref<'a>>,
    request: Val<'a, Ref<'a>>,
    namespace: Val<'a, Ref<'a>>,
    params: Val<'a, Ref<'a>>,
    variables: Vec<Cell<Option<Val<'a, Ref<'a>>>>>,
    bump: &'a Bump,
    budget: Budget,
}

impl<'a> cel::Scope<'a, Ref<'a>> for Request<'a> {
    fn variable(&self, slot: Slot) -> Val<'a, Ref<'a>> {
        let policy = self.policy;
        let roots = &policy.roots;
        if let Some(at) = policy.variables.iter().position(|(own, _)| *own == slot) {
            let (Some(cell), Some((_, program))) =
                (self.variables.get(at), policy.variables.get(at))
            else {
                return Val::Null;
            };
            if let Some(value) = cell.get() {
                return value;
            }
            // A variable sees those before it only, so this ends.
            let value = program.eval(self, &[], self.bump, &self.budget);
            cell.set(Some(value));
            return value;
        }
        match slot {
            slot if slot == roots.object => self.object,
            slot if slot == roots.old => self.old,
            slot if slot == roots.request => self.request,
            slot if slot == roots.namespace => self.namespace,
            slot if slot == roots.params => self.params,
            slot if slot == roots.authorizer => Val::Unknown(unknown::LIVE_ONLY),
            _ => Val::Null,
        }
    }
}

/// The admission request; who asks is not known.
fn request(namespace: &str, wanted: &Wanted) -> Value {
    let creates = wanted.subresource.is_empty();
    json!({
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
        "requestResource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": wanted.subresource,
        "requestSubResource": wanted.subresource,
        "name": ANY,
        "namespace": namespace,
        "operation": if creates { "CREATE" } else { "UPDATE" },
        "userInfo": format!("{OPEN}userInfo"),
        "dryRun": false,
    })
}

fn list<'a>(holder: Ref<'a>, key: &str) -> Vec<Ref<'a>> {
    holder.get(key).into_iter().flat_map(Ref::items).collect()
}

/// Whether constraints take the request; `None` where labels are not known. A binding without any takes all.
fn matches(
    estate: &Estate,
    namespace: &str,
    wanted: &Wanted,
    constraint: Option<Ref<'_>>,
    of_policy: bool,
) -> Option<bool> {
    let Some(constraint) = constraint else {
        return Some(!of_policy);
    };
    let rules = list(constraint, "resourceRules");
    let taken = rules.iter().any(|rule| rule_takes(*rule, wanted));
    if !taken && (of_policy || !rules.is_empty()) {
        return Some(false);
    }
    let excluded = list(constraint, "excludeResourceRules")
        .iter()
        .any(|rule| rule_takes(*rule, wanted));
    if excluded {
        return Some(false);
    }
    let objects = constraint.get("objectSelector").filter(|selector| {
        !list(*selector, "matchExpressions").is_empty()
            || selector
                .path(&["matchLabels"])
                .is_some_and(|labels| labels.entries().len() > 0)
    });
    // Who writes the labels of the pod writes others; of a pod that is there they are not known.
    let by_object = match objects {
        Some(_) if wanted.subresource.is_empty() => return Some(false),
        Some(_) => None,
        None => Some(true),
    };
    let label = |key: &str| -> Label { label_of(estate, namespace, key) };
    match selects(constraint.get("namespaceSelector"), &label) {
        Some(false) => Some(false),
        Some(true) => by_object,
        None => None,
    }
}

/// Whether a rule takes requests for pods
/// (apiserver/pkg/admission/plugin/policy/matching, webhook/predicates/rules).
pub(super) fn rule_takes(rule: Ref<'_>, wanted: &Wanted) -> bool {
    let any = |key: &str, names: &[&str]| {
        texts(rule.get(key)).any(|own| own == "*" || names.contains(&own))
    };
    let resources: &[&str] = if wanted.subresource.is_empty() {
        &["pods", "*/*"]
    } else {
        &[
            "pods/ephemeralcontainers",
            "pods/*",
            "*/*",
            "*/ephemeralcontainers",
        ]
    };
    let operation = if wanted.subresource.is_empty() {
        "CREATE"
    } else {
        "UPDATE"
    };
    let of_resource = texts(rule.get("resources"))
        .any(|own| resources.contains(&own) || own == "*" && wanted.subresource.is_empty());
    // A name that is said is that of one pod.
    let unnamed = list(rule, "resourceNames").is_empty();
    let scope = rule.get("scope").and_then(Ref::as_str).unwrap_or("*");
    any("apiGroups", &[""])
        && any("apiVersions", &["v1"])
        && any("operations", &[operation])
        && of_resource
        && unnamed
        && scope != "Cluster"
}

/// An object of the estate as plain values; what is open is marked.
fn written(value: Ref<'_>, depth: usize) -> Value {
    use cel::{Node as _, View};
    if depth > DEPTH {
        return Value::Null;
    }
    match value.view() {
        View::Null => Value::Null,
        View::Unknown(_) => Value::String(format!("{OPEN}?")),
        View::Bool(value) => value.into(),
        View::Int(value) => value.into(),
        View::Uint(value) => value.into(),
        View::Double(value) => value.into(),
        View::Str(value) => value.into(),
        View::List(_) => value.items().map(|item| written(item, depth + 1)).collect(),
        View::Map(_) => Value::Object(
            value
                .entries()
                .map(|(key, _, value)| (key.to_owned(), written(value, depth + 1)))
                .collect(),
        ),
    }
}

/// Values as a document over the names that a policy's programs know.
fn document(symbols: &Symbols, value: &Value) -> Doc {
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, "".into(), 1);
    let root = put(&mut builder, value, 0);
    builder.finish(root)
}

fn put(builder: &mut DocBuilder<'_>, value: &Value, depth: usize) -> NodeId {
    let none = Span { start: 0, end: 0 };
    if depth > DEPTH + 8 {
        return builder.null(none);
    }
    match value {
        Value::Null => builder.null(none),
        Value::Bool(value) => builder.bool(*value, none),
        Value::Number(number) => match number.as_i64() {
            Some(number) => builder.int(number, none),
            None => builder.float(number.as_f64().unwrap_or_default(), none),
        },
        Value::String(text) if text == ANY => builder.not_given(),
        Value::String(text) => match text.strip_prefix(OPEN) {
            Some(expression) => builder.open(expression, none),
            None => builder.string(text, none),
        },
        Value::Array(items) => {
            let items: Vec<NodeId> = items
                .iter()
                .map(|item| put(builder, item, depth + 1))
                .collect();
            builder.list(&items, none)
        }
        Value::Object(entries) => {
            let entries: Vec<Entry<'_, NodeId>> = entries
                .iter()
                .map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    key_span: none,
                    value: put(builder, value, depth + 1),
                    merged: false,
                })
                .collect();
            builder.map(&entries, none)
        }
    }
}
