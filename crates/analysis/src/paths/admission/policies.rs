//! ValidatingAdmissionPolicies, evaluated over a pod as the API server does
//! (kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating, matching).
//!
//! What the attacker writes is unknown in a way of its own: a rule about it can be met, and a selector over labels of
//! the pod can be dodged. What else is not known (who asks, labels that were not given) makes a *perhaps*.

use std::cell::Cell;

use cel::{Budget, Bump, Env, Program, Slot, Unknown, Val};
use model::doc::Doc;
use model::{Estate, Ref, Resource, ResourceRef, Within, unknown};
use serde_json::{Value, json};

use super::choices::Choices;
use super::matching::{list, matches, rule_takes_namespaces, texts};
use super::shapes::{OPEN, Wanted};
use super::values::{document, written};
use super::{Label, Outcome, Removed, label_in, selects};

/// Those that look at pods, with the bindings that put them in force.
pub(crate) struct Policies {
    /// One for all, so that a pod is one document for all.
    env: Env,
    roots: Roots,
    all: Vec<Policy>,
    choices: Choices,
}

struct Policy {
    resource: ResourceRef,
    name: Box<str>,
    /// Their slots and expressions, in order.
    variables: Vec<(Slot, Program)>,
    conditions: Vec<Program>,
    validations: Vec<Program>,
    /// An expression does not compile here.
    unread: bool,
    /// An error lets the request pass.
    ignores_errors: bool,
    /// Whether each denies what does not meet the policy.
    bindings: Vec<(ResourceRef, bool)>,
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

/// Why what the attacker writes is unknown: what [`model::doc::DocBuilder::not_given`] says.
const CHOSEN: Unknown = unknown::NAMESPACE_NOT_GIVEN;

impl Policies {
    pub(crate) fn read(estate: &Estate) -> Self {
        let mut env = Env::new();
        let roots = Roots {
            object: env.declare("object"),
            old: env.declare("oldObject"),
            request: env.declare("request"),
            namespace: env.declare("namespaceObject"),
            params: env.declare("params"),
            authorizer: env.declare("authorizer"),
        };
        let policies = estate
            .of_kind("ValidatingAdmissionPolicy")
            .iter()
            .filter_map(|id| Policy::read(estate, *id, &mut env))
            .filter(|policy| !policy.bindings.is_empty())
            .collect();
        let mut own = Self {
            env,
            roots,
            all: policies,
            choices: Choices::default(),
        };
        for policy in &own.all {
            let bindings = policy.bindings.iter().map(|(id, _)| *id);
            for id in std::iter::once(policy.resource).chain(bindings) {
                if let Some(spec) = estate.get(id).and_then(|one| one.object().get("spec")) {
                    own.choices.read(&written(spec, 0));
                }
            }
        }
        own
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What all of them make of a pod. Where more than one of them hangs on what the attacker writes, one pod must
    /// be found that all let pass.
    pub(super) fn judge(
        &self,
        estate: &Estate,
        namespace: &str,
        wanted: &Wanted,
        removed: &Removed,
    ) -> Outcome {
        // Those that hang on what the attacker writes; what the others say holds for every pod.
        let mut hung = Vec::new();
        let mut rules = 0;
        let mut outcome = Outcome::Passes;
        let asked = self.asked(estate, namespace, wanted);
        for one in self.standing(estate, removed) {
            let (policy, id, binding) = one;
            let chosen = Cell::new(0);
            let about = About {
                estate,
                namespace,
                wanted,
                asked: &asked,
                chosen: &chosen,
            };
            outcome = outcome.and(policy.judge(&about, id, binding));
            if chosen.get() > 0 {
                rules += chosen.get();
                hung.push(one);
            }
        }
        if rules < 2 || matches!(outcome, Outcome::Denies(_)) {
            return outcome;
        }
        // Whose refusal it would be.
        let mut by = Vec::new();
        for pod in self.choices.pods(wanted) {
            let left = Cell::new(0);
            let asked = self.asked(estate, namespace, &pod);
            let about = About {
                estate,
                namespace,
                wanted: &pod,
                asked: &asked,
                chosen: &left,
            };
            let refused = hung.iter().find_map(|(policy, id, binding)| {
                match policy.judge(&about, *id, binding) {
                    Outcome::Passes => None,
                    Outcome::Denies(own) | Outcome::Perhaps(_, own) => Some(own),
                }
            });
            match refused {
                None if left.get() < 2 => return outcome,
                Some(own) if by.is_empty() => by = own,
                _ => {}
            }
        }
        outcome.and(Outcome::Perhaps(MEET.to_owned(), by))
    }

    /// What policies are asked about a pod.
    fn asked<'p>(&'p self, estate: &Estate, namespace: &str, wanted: &Wanted) -> Asked<'p> {
        let symbols = self.env.symbols();
        let space = estate.find("", "Namespace", namespace);
        Asked {
            policies: self,
            object: document(symbols, &wanted.object),
            old: wanted.old.as_ref().map(|old| document(symbols, old)),
            request: document(symbols, &request(namespace, wanted)),
            space: space.map(|space| document(symbols, &written(space.object(), 0))),
        }
    }

    /// Those that nobody took away, by each of their bindings.
    fn standing<'a>(
        &'a self,
        estate: &'a Estate,
        removed: &'a Removed,
    ) -> impl Iterator<Item = (&'a Policy, (ResourceRef, bool), &'a Resource)> {
        self.all
            .iter()
            .filter(|policy| !removed.policies.has(&policy.name))
            .flat_map(move |policy| {
                let bindings = policy.bindings.iter();
                bindings.filter_map(move |id| Some((policy, *id, estate.get(id.0)?)))
            })
            .filter(|(_, _, binding)| !removed.bindings.has(&binding.name.name))
    }

    /// One that is asked about changes of namespaces, and its name: where it stands, labels may not simply be
    /// written. What it makes of the change is not asked. Webhooks are left out: their code is not known, and
    /// that of Gatekeeper is asked about namespaces everywhere and keeps only its own label.
    pub(super) fn of_namespaces<'a>(
        &'a self,
        estate: &'a Estate,
        removed: &'a Removed,
    ) -> Option<(ResourceRef, &'a str)> {
        let rules = |policy: &Policy| {
            let spec = estate.get(policy.resource)?.object().get("spec")?;
            Some(list(spec.get("matchConstraints")?, "resourceRules"))
        };
        self.standing(estate, removed)
            .map(|(policy, ..)| policy)
            .find(|policy| {
                rules(policy)
                    .into_iter()
                    .flatten()
                    .any(rule_takes_namespaces)
            })
            .map(|policy| (policy.resource, &*policy.name))
    }
}

/// Why no pod was found that several rules let pass.
const MEET: &str = "whether one pod meets all policies at once is not known";

/// What is judged.
pub(super) struct About<'e> {
    pub(super) estate: &'e Estate,
    pub(super) namespace: &'e str,
    pub(super) wanted: &'e Wanted,
    asked: &'e Asked<'e>,
    /// How many rules hang on what the attacker writes.
    chosen: &'e Cell<u32>,
}

/// A request as documents over the names that policies know.
struct Asked<'p> {
    policies: &'p Policies,
    object: Doc,
    old: Option<Doc>,
    request: Doc,
    /// The namespace, where it was given.
    space: Option<Doc>,
}

impl About<'_> {
    /// One more does.
    pub(super) fn choose(&self) {
        self.chosen.set(self.chosen.get() + 1);
    }
}

impl Policy {
    fn read(estate: &Estate, id: ResourceRef, env: &mut Env) -> Option<Self> {
        let resource = estate.get(id)?;
        let spec = resource.object().get("spec")?;
        let bindings = estate
            .of_kind("ValidatingAdmissionPolicyBinding")
            .iter()
            .filter_map(|binding| {
                let spec = estate.get(*binding)?.object().get("spec")?;
                let named = spec.get("policyName").and_then(Ref::as_str);
                let denies = texts(spec.get("validationActions")).any(|action| action == "Deny");
                // What cannot be asked is refused, whatever the actions are.
                let counts = denies || spec.get("paramRef").is_some();
                (named == Some(&resource.name.name) && counts).then_some((*binding, denies))
            })
            .collect();
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
        about: &About<'_>,
        (id, denies): (ResourceRef, bool),
        binding: &Resource,
    ) -> Outcome {
        let estate = about.estate;
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
            match matches(about, constraint, at == 0) {
                Some(true) => {}
                Some(false) => return Outcome::Passes,
                None => {
                    unsure = Some(format!(
                        "whether policy {} looks at pods in {} is not known",
                        self.name, about.namespace
                    ));
                }
            }
        }
        let params = match self.parameters(about, binding) {
            Parameters::Are(params) => params,
            // A fault of the set-up, not of the pod (policy/validating/dispatcher.go, `addConfigError`).
            Parameters::Deny if self.ignores_errors => return Outcome::Passes,
            Parameters::Deny => return soften(Outcome::Denies(by), unsure),
            Parameters::Unknown if denies || !self.ignores_errors => {
                let why = format!("the parameters of policy {} were not given", self.name);
                return Outcome::Perhaps(why, by);
            }
            Parameters::Unknown => return Outcome::Passes,
        };
        if !denies {
            return Outcome::Passes;
        }
        let outcome = params
            .iter()
            .map(|params| self.evaluate(about, params, &by))
            .fold(Outcome::Passes, Outcome::and);
        soften(outcome, unsure)
    }

    /// Those of a name, or all with some labels (policy/generic/policy_dispatcher.go, `CollectParams`).
    fn parameters(&self, about: &About<'_>, binding: &Resource) -> Parameters {
        let estate = about.estate;
        let Some((group, kind)) = &self.params else {
            return Parameters::Are(vec![Value::Null]);
        };
        let Some(reference) = binding.object().path(&["spec", "paramRef"]) else {
            return Parameters::Are(vec![Value::Null]);
        };
        let text = |key: &str| reference.get(key).and_then(Ref::as_str);
        let kind = if group.is_empty() || model::kinds::is_builtin(group, kind) {
            kind.to_string()
        } else {
            format!("{kind}.{group}")
        };
        let place = text("namespace").unwrap_or(about.namespace);
        let mut unsure = estate.absent(&kind, Within::Everywhere).is_some();
        let mut found = Vec::new();
        let mut implied = None;
        if let Some(name) = text("name") {
            let one = estate.find(place, &kind, name);
            found.extend(one.or_else(|| estate.find("", &kind, name)));
            unsure &= found.is_empty();
        } else if let Some(selector) = reference.get("selector") {
            let all = estate
                .of_kind(&kind)
                .iter()
                .filter_map(|id| estate.get(*id));
            for resource in all.filter(|one| {
                let own = one.name.namespace.as_deref().unwrap_or_default();
                own == place || own.is_empty()
            }) {
                let labels = resource.object().path(&["metadata", "labels"]);
                match selects(Some(selector), &|key| label_in(labels, key)) {
                    Some(true) => found.push(resource),
                    Some(false) => {}
                    None => unsure = true,
                }
            }
            // Every namespace has it (kubernetes pkg/controller/certificates/rootcacertpublisher).
            let root = "kube-root-ca.crt";
            if kind == "ConfigMap"
                && estate.find(place, &kind, root).is_none()
                && selects(Some(selector), &|_| Label::Absent) == Some(true)
            {
                implied = Some(json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": root, "namespace": place},
                    "data": {"ca.crt": format!("{OPEN}ca.crt")},
                }));
            }
        } else {
            return Parameters::Unknown;
        }
        if unsure {
            return Parameters::Unknown;
        }
        // With none there is nothing to evaluate.
        if found.is_empty() && implied.is_none() && text("parameterNotFoundAction") == Some("Deny")
        {
            return Parameters::Deny;
        }
        let mut values: Vec<Value> = found.iter().map(|one| written(one.object(), 0)).collect();
        values.extend(implied);
        Parameters::Are(values)
    }

    fn evaluate(&self, about: &About<'_>, params: &Value, by: &[ResourceRef]) -> Outcome {
        if self.unread {
            let why = format!("policy {} cannot be read here", self.name);
            return Outcome::Perhaps(why, by.to_vec());
        }
        let asked = about.asked;
        let params = params
            .is_object()
            .then(|| document(asked.policies.env.symbols(), params));
        let bump = Bump::new();
        let scope = Request {
            policy: self,
            roots: &asked.policies.roots,
            object: Val::Node(asked.object.root()),
            old: node(asked.old.as_ref()).unwrap_or(Val::Null),
            request: Val::Node(asked.request.root()),
            namespace: node(asked.space.as_ref()).unwrap_or(Val::Unknown(unknown::LIVE_ONLY)),
            params: node(params.as_ref()).unwrap_or(Val::Null),
            variables: self.variables.iter().map(|_| Cell::new(None)).collect(),
            bump: &bump,
            budget: Budget::new(Budget::POLICY),
        };
        self.verdict(about, &scope, by)
    }

    fn verdict<'a>(
        &'a self,
        about: &About<'_>,
        scope: &Request<'a>,
        by: &[ResourceRef],
    ) -> Outcome {
        let perhaps = |what: &str| {
            let why = format!("whether policy {} {what} is not known", self.name);
            Outcome::Perhaps(why, by.to_vec())
        };
        let mut outcome = Outcome::Passes;
        let mut wrong = false;
        for condition in &self.conditions {
            match ask(condition, scope) {
                Answer::Yes => {}
                // One that says no decides, whatever the others come to (webhook/matchconditions/matcher.go).
                Answer::No => return Outcome::Passes,
                // The attacker writes it so that the policy does not look.
                Answer::Chosen => {
                    about.choose();
                    return Outcome::Passes;
                }
                Answer::Error => wrong = true,
                Answer::Unknown => outcome = perhaps("looks at such pods"),
            }
        }
        if wrong {
            return match outcome {
                _ if self.ignores_errors => Outcome::Passes,
                Outcome::Passes => Outcome::Denies(by.to_vec()),
                outcome => outcome,
            };
        }
        let sure = outcome == Outcome::Passes;
        for validation in &self.validations {
            match ask(validation, scope) {
                Answer::Yes => {}
                Answer::Chosen => about.choose(),
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

/// A document that may be there.
fn node(doc: Option<&Doc>) -> Option<Val<'_, Ref<'_>>> {
    doc.map(|doc| Val::Node(doc.root()))
}

fn soften(outcome: Outcome, unsure: Option<String>) -> Outcome {
    match (outcome, unsure) {
        (Outcome::Denies(by), Some(why)) => Outcome::Perhaps(why, by),
        (outcome, _) => outcome,
    }
}

enum Parameters {
    Are(Vec<Value>),
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
    roots: &'a Roots,
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
        let (policy, roots) = (self.policy, self.roots);
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
    let name = wanted.object.pointer("/metadata/name");
    let creates = wanted.subresource.is_empty();
    json!({
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
        "requestResource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": wanted.subresource,
        "requestSubResource": wanted.subresource,
        "name": name,
        "namespace": namespace,
        "operation": if creates { "CREATE" } else { "UPDATE" },
        "userInfo": format!("{OPEN}userInfo"),
        "dryRun": false,
    })
}
