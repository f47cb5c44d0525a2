//! A guideline's fixes as a MutatingAdmissionPolicy: what `seawall fix` changes in a file, the API
//! server changes in the request, before policies judge it.
//!
//! Each fix becomes one list of JSON patches for the items that fail. A fix that makes other
//! objects, or picks places of its own, has no such form. What has been written is never refused
//! because of it: a patch that fails is left out, and the policies that judge decide.

use std::fmt::Write as _;

use cel::ast::{BinaryOp, Element, Expr, ExprKind, Literal, Macro};
use model::Safety;

use super::fold::{call, ident, not, over, select, text};
use super::layout::lay_out;
use super::policy::{Draft, Maker, sum};
use super::resources::Rule;
use super::write::{about, field, header, resource_rules, selector};
use super::{bindings, fold};
use crate::fix::{Fix, Given, Key, Operation, Route};
use crate::front_matter;
use crate::guideline::Guideline;

/// The first minor that has MutatingAdmissionPolicy switched on unless asked otherwise
/// (`pkg/features/kube_features.go` of Kubernetes: beta and off in 1.34, stable in 1.36).
const STABLE: u8 = 36;

/// The variable that says where a pod's spec stands, and its metadata.
const POD_AT: &str = "podAt";
const POD_METADATA_AT: &str = "podMetadataAt";

/// What a definition of the guide may be unfolded before a loop is suspected.
const DEPTH: usize = 8;

/// A change for the items that fail.
pub(crate) struct Mutation {
    /// A list of JSON patches.
    pub(crate) expression: Expr,
}

/// Where items stand.
struct Site {
    /// The items.
    items: Expr,
    /// A JSON pointer to their list, or to the one that there is, as an expression.
    at: Expr,
    /// Whether they are a list there.
    many: bool,
}

/// The mutations of a guideline, and why some of its fixes have none.
///
/// # Errors
/// Says why there is none at all.
pub(crate) fn mutations(
    maker: &mut Maker<'_, '_>,
    guideline: &Guideline,
    unsafe_too: bool,
) -> Result<(Vec<Mutation>, Vec<String>), String> {
    let chosen: Vec<&Fix> = guideline
        .fixes
        .iter()
        .filter(|fix| unsafe_too || fix.safety == Safety::Safe)
        .collect();
    if chosen.is_empty() {
        return Err(if guideline.fixes.is_empty() {
            "no machine can fix it".to_owned()
        } else {
            "its fix is not safe without asking: `--unsafe` takes it".to_owned()
        });
    }
    let (mut made, mut reasons) = (Vec::new(), Vec::new());
    for fix in chosen {
        match mutation(maker, guideline, fix) {
            Ok(mutation) => made.push(mutation),
            Err(reason) => reasons.push(reason),
        }
    }
    match reasons.first() {
        Some(reason) if made.is_empty() => Err(reason.clone()),
        _ => Ok((made, reasons)),
    }
}

fn mutation(
    maker: &mut Maker<'_, '_>,
    guideline: &Guideline,
    fix: &Fix,
) -> Result<Mutation, String> {
    if !fix.new.is_empty() {
        return Err("its fix makes another object".to_owned());
    }
    if !fix.asks.is_empty() {
        return Err("its fix asks what only the owner knows".to_owned());
    }
    if !fix.with.is_empty() {
        return Err("its fix looks at other objects".to_owned());
    }
    if fix.each.is_some() {
        return Err("its fix picks places of its own".to_owned());
    }
    let item = guideline.each.as_ref().map(|each| &*each.name);
    let locals: Vec<&str> = item.into_iter().collect();
    let mut failing = Vec::new();
    for check in guideline
        .checks
        .get(fix.checks.clone())
        .unwrap_or_else(|| guideline.checks.get(fix.checks.start..).unwrap_or_default())
    {
        failing.push(not(maker.rewrite(&check.program, &locals)?));
    }
    let mut conditions = vec![any(failing)];
    if let Some(when) = &guideline.when {
        conditions.push(maker.rewrite(when, &locals)?);
    }
    if let Some(when) = &fix.when {
        conditions.push(maker.rewrite(when, &locals)?);
    }
    if let Some((unless, _)) = &fix.unless {
        conditions.push(not(maker.rewrite(unless, &locals)?));
    }
    let condition = all(conditions);
    if fold::constant(&condition) == Some(false) {
        return Err("it asks nothing with this configuration".to_owned());
    }
    let list = match &guideline.each {
        Some(each) => Some(maker.rewrite(&each.program, &[])?),
        None => None,
    };
    let mut writer = Writer {
        maker,
        item,
        list,
        condition,
        made: Vec::new(),
        parents: Vec::new(),
    };
    for operation in &fix.operations {
        writer.operation(operation)?;
    }
    let expression = writer
        .made
        .into_iter()
        .reduce(sum)
        .ok_or_else(|| "its fix changes nothing in the object".to_owned())?;
    Ok(Mutation { expression })
}

struct Writer<'w, 'g, 'c> {
    maker: &'w mut Maker<'g, 'c>,
    /// The name of the guideline's items.
    item: Option<&'w str>,
    list: Option<Expr>,
    /// True of what is to be changed.
    condition: Expr,
    /// Lists of patches.
    made: Vec<Expr>,
    /// What has been made on the way to values, by root and keys.
    parents: Vec<(String, Vec<Box<str>>)>,
}

impl Writer<'_, '_, '_> {
    fn operation(&mut self, operation: &Operation) -> Result<(), String> {
        let route = operation.route();
        let keys = keys(route)?;
        settled(route, &keys)?;
        match operation {
            Operation::Set { value, .. } => {
                let value = self.given(value)?;
                self.parents_of(route, &keys)?;
                self.patch(route, &keys, "add", Some(value), self.condition.clone())
            }
            Operation::Add { value, .. } => {
                let value = self.given(value)?;
                self.parents_of(route, &keys)?;
                let found = optional(self.root(route), &keys);
                let has = call(found.clone(), "hasValue", Vec::new());
                let missing = all(vec![self.condition.clone(), not(has)]);
                self.patch(route, &keys, "add", Some(list(value.clone())), missing)?;
                let there = call(found, "orValue", vec![list(value.clone())]);
                let without = all(vec![
                    self.condition.clone(),
                    not(within(value.clone(), there)),
                ]);
                let mut end = keys.clone();
                end.push("-".into());
                self.patch(route, &end, "add", Some(value), without)
            }
            Operation::Wrap { .. } => {
                Err("its fix makes it an object of another kind or version".to_owned())
            }
            Operation::Remove { .. } if keys.is_empty() => self.remove_items(route),
            Operation::Remove { .. } => self.remove(route, &keys),
            Operation::Replace { key, value, .. } => {
                let value = literal(value)?;
                self.remove(route, &keys)?;
                let mut beside = keys.clone();
                beside.pop();
                beside.push(key.clone());
                self.patch(route, &beside, "add", Some(value), self.condition.clone())
            }
        }
    }

    fn given(&mut self, value: &Given) -> Result<Expr, String> {
        match value {
            Given::Written(yaml) => literal(yaml),
            Given::Computed(program, _) => {
                let locals: Vec<&str> = self.item.into_iter().collect();
                self.maker.rewrite(program, &locals)
            }
        }
    }

    /// What a route begins with, as an expression.
    fn root(&self, route: &Route) -> Expr {
        match &*route.root {
            "pod" | "podMetadata" => select(ident("variables"), &route.root),
            name => ident(name),
        }
    }

    /// Maps that are missing on the way, once for all operations.
    fn parents_of(&mut self, route: &Route, keys: &[Box<str>]) -> Result<(), String> {
        for depth in 1..keys.len() {
            let way = keys.get(..depth).unwrap_or_default().to_vec();
            let known = (route.root.to_string(), way.clone());
            if self.parents.contains(&known) {
                continue;
            }
            let has = call(optional(self.root(route), &way), "hasValue", Vec::new());
            let missing = all(vec![self.condition.clone(), not(has)]);
            self.patch(
                route,
                &way,
                "add",
                Some(new(ExprKind::Map(Vec::new()))),
                missing,
            )?;
            self.parents.push(known);
        }
        Ok(())
    }

    fn remove(&mut self, route: &Route, keys: &[Box<str>]) -> Result<(), String> {
        let has = call(optional(self.root(route), keys), "hasValue", Vec::new());
        let there = all(vec![self.condition.clone(), has]);
        self.patch(route, keys, "remove", None, there)
    }

    /// Items go all at once, or the places of those behind them would shift.
    fn remove_items(&mut self, route: &Route) -> Result<(), String> {
        let (Some(item), Some(items)) = (self.item, self.list.clone()) else {
            return Err("its fix removes the object".to_owned());
        };
        if item != &*route.root {
            return Err("its fix removes the object".to_owned());
        }
        for site in self.sites(&items)? {
            if !site.many {
                return Err("its fix removes the object".to_owned());
            }
            let some = over(
                Macro::Exists,
                site.items.clone(),
                item,
                self.condition.clone(),
            );
            let rest = over(Macro::Filter, site.items, item, not(self.condition.clone()));
            let patch = list(json_patch("replace", site.at, Some(rest)));
            self.made
                .push(ternary(some, patch, new(ExprKind::List(Vec::new()))));
        }
        Ok(())
    }

    /// One patch for each place where the condition holds.
    fn patch(
        &mut self,
        route: &Route,
        keys: &[Box<str>],
        op: &str,
        value: Option<Expr>,
        condition: Expr,
    ) -> Result<(), String> {
        let pointer: String = keys
            .iter()
            .map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            .collect();
        if self.item == Some(&*route.root) {
            let items = self.list.clone().unwrap_or_else(|| ident("object"));
            for site in self.sites(&items)? {
                self.made.push(at_items(
                    &site,
                    &route.root,
                    &pointer,
                    op,
                    value.clone(),
                    &condition,
                ));
            }
            return Ok(());
        }
        let at = match &*route.root {
            "object" => text(""),
            "pod" => select(ident("variables"), POD_AT),
            "podMetadata" => select(ident("variables"), POD_METADATA_AT),
            _ => return Err("its fix is for Azure resources".to_owned()),
        };
        let wanted = match (self.item, &self.list) {
            (Some(item), Some(items)) => over(Macro::Exists, items.clone(), item, condition),
            _ => condition,
        };
        let patch = list(json_patch(op, sum(at, text(&pointer)), value));
        self.made
            .push(ternary(wanted, patch, new(ExprKind::List(Vec::new()))));
        Ok(())
    }

    /// Where the items of a list stand in the object.
    fn sites(&self, items: &Expr) -> Result<Vec<Site>, String> {
        let mut found = Vec::new();
        self.gather(items, &mut found, 0)?;
        Ok(found)
    }

    fn gather(&self, items: &Expr, found: &mut Vec<Site>, depth: usize) -> Result<(), String> {
        let unclear = || Err("its fix is for items that stand in no list of the object".to_owned());
        if depth > DEPTH {
            return unclear();
        }
        match &items.kind {
            ExprKind::Binary {
                op: BinaryOp::Add,
                left,
                right,
            } => {
                self.gather(left, found, depth + 1)?;
                self.gather(right, found, depth + 1)
            }
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                for (side, wanted) in [
                    (then, (**condition).clone()),
                    (otherwise, not((**condition).clone())),
                ] {
                    let start = found.len();
                    self.gather(side, found, depth + 1)?;
                    for site in found.iter_mut().skip(start) {
                        let none = new(ExprKind::List(Vec::new()));
                        site.items = ternary(wanted.clone(), site.items.clone(), none);
                    }
                }
                Ok(())
            }
            ExprKind::List(one) => {
                for element in one {
                    let Some(at) = place(&element.value) else {
                        return unclear();
                    };
                    found.push(Site {
                        items: list(element.value.clone()),
                        at,
                        many: false,
                    });
                }
                Ok(())
            }
            ExprKind::Select { operand, field, .. }
                if operand.as_ident() == Some("variables") && place(items).is_none() =>
            {
                let mut variables = self.maker.guide.variables.iter();
                match variables.find(|variable| variable.name == *field) {
                    Some(variable) => self.gather(variable.program.expr(), found, depth + 1),
                    None => unclear(),
                }
            }
            _ => match place(items) {
                // They come in a request of their own, which nobody but a debugger makes.
                Some(at) if at.to_string().contains("/ephemeralContainers") => Ok(()),
                Some(at) => {
                    found.push(Site {
                        items: items.clone(),
                        at,
                        many: true,
                    });
                    Ok(())
                }
                None => unclear(),
            },
        }
    }
}

/// A JSON pointer to the value of an expression, when it is one of the object's.
fn place(expr: &Expr) -> Option<Expr> {
    match &expr.kind {
        ExprKind::Ident(name) if &**name == "object" => Some(text("")),
        ExprKind::Select { operand, field, .. } if operand.as_ident() == Some("variables") => {
            match &**field {
                "pod" => Some(select(ident("variables"), POD_AT)),
                "podMetadata" => Some(select(ident("variables"), POD_METADATA_AT)),
                _ => None,
            }
        }
        ExprKind::Select { operand, field, .. } => {
            Some(joined(place(operand)?, text(&format!("/{field}"))))
        }
        ExprKind::Call {
            target: Some(target),
            function,
            ..
        } if &**function == "orValue" => place(target),
        _ => None,
    }
}

/// `a + b`, where `(x + "y") + "z"` becomes `x + "yz"`.
fn joined(a: Expr, b: Expr) -> Expr {
    match a.kind {
        ExprKind::Binary {
            op: BinaryOp::Add,
            left,
            right,
        } if matches!(right.kind, ExprKind::Literal(Literal::Str(_))) => sum(*left, sum(*right, b)),
        kind => sum(Expr::new(kind, a.span), b),
    }
}

fn at_items(
    site: &Site,
    item: &str,
    pointer: &str,
    op: &str,
    value: Option<Expr>,
    condition: &Expr,
) -> Expr {
    if !site.many {
        let wanted = over(Macro::Filter, site.items.clone(), item, condition.clone());
        let patch = json_patch(op, joined(site.at.clone(), text(pointer)), value);
        return over(Macro::Map, wanted, item, patch);
    }
    let number = new(ExprKind::Call {
        target: None,
        function: "string".into(),
        args: vec![ident("index")],
    });
    let before = joined(site.at.clone(), text("/"));
    let path = sum(sum(before, number), text(pointer));
    new(ExprKind::Macro {
        kind: Macro::TransformList,
        target: site.items.clone().into(),
        vars: vec!["index".into(), item.into()],
        args: vec![condition.clone(), json_patch(op, path, value)],
    })
}

fn json_patch(op: &str, path: Expr, value: Option<Expr>) -> Expr {
    let mut fields = vec![("op".into(), text(op)), ("path".into(), path)];
    if let Some(value) = value {
        fields.push(("value".into(), value));
    }
    new(ExprKind::Message("JSONPatch".into(), fields))
}

fn keys(route: &Route) -> Result<Vec<Box<str>>, String> {
    route
        .keys
        .iter()
        .map(|key| match key {
            Key::Written(key) => Ok(key.clone()),
            Key::Item(_) => Err("its fix picks places of its own".to_owned()),
        })
        .collect()
}

/// What admission cannot change, or only for the worse.
///
/// # Errors
/// Says why.
fn settled(route: &Route, keys: &[Box<str>]) -> Result<(), String> {
    let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
    match (&*route.root, keys.as_slice()) {
        ("object", ["apiVersion" | "kind"]) => {
            Err("its fix makes it an object of another kind or version".to_owned())
        }
        // `SetDefaults_Service` in `k8s.io/kubernetes/pkg/apis/core/v1/defaults.go` sets
        // `externalTrafficPolicy` for services that are reached from outside, before admission.
        ("object", ["spec", "type" | "externalIPs"]) => Err(
            "the API server has filled in what hangs on it before, and refuses what its fix leaves"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// `root.?a.?b`; a key that is no name is looked up.
fn optional(root: Expr, keys: &[Box<str>]) -> Expr {
    keys.iter().fold(root, |operand, key| {
        let plain = key.bytes().enumerate().all(|(at, byte)| {
            byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit())
        });
        if plain {
            new(ExprKind::Select {
                operand: operand.into(),
                field: key.clone(),
                optional: true,
            })
        } else {
            new(ExprKind::Index {
                operand: operand.into(),
                index: text(key).into(),
                optional: true,
            })
        }
    })
}

/// YAML in flow style as an expression.
fn literal(yaml: &str) -> Result<Expr, String> {
    let doc = front_matter::read(&format!("value: {yaml}"), 1).map_err(|(_, message)| message)?;
    let value = doc
        .root()
        .get("value")
        .ok_or_else(|| "its fix gives no value".to_owned())?;
    fold::literal(value)
}

fn list(value: Expr) -> Expr {
    new(ExprKind::List(vec![Element {
        optional: false,
        value,
    }]))
}

fn within(value: Expr, list: Expr) -> Expr {
    new(ExprKind::Binary {
        op: BinaryOp::In,
        left: value.into(),
        right: list.into(),
    })
}

fn ternary(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    new(ExprKind::Ternary {
        condition: condition.into(),
        then: then.into(),
        otherwise: otherwise.into(),
    })
}

fn any(parts: Vec<Expr>) -> Expr {
    parts
        .into_iter()
        .reduce(fold::either)
        .unwrap_or_else(|| new(ExprKind::Literal(Literal::Bool(false))))
}

fn all(parts: Vec<Expr>) -> Expr {
    not(any(parts.into_iter().map(not).collect()))
}

fn new(kind: ExprKind) -> Expr {
    Expr::new(kind, cel::Span { start: 0, end: 0 })
}

/// Where a pod's spec and metadata stand in the object, as variables.
pub(crate) fn places(expressions: &[Mutation]) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let used = |name: &str| {
        let name = format!("variables.{name}");
        expressions.iter().any(|mutation| {
            let source = mutation.expression.to_string();
            source
                .split(&name)
                .skip(1)
                .any(|rest| !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric()))
        })
    };
    for (name, expression) in [
        (
            POD_AT,
            "object.kind == \"Pod\" ? \"/spec\"\n: object.kind == \"CronJob\" ? \"/spec/jobTemplate/spec/template/spec\"\n: object.kind == \"PodTemplate\" ? \"/template/spec\" : \"/spec/template/spec\"",
        ),
        (
            POD_METADATA_AT,
            "object.kind == \"Pod\" ? \"/metadata\"\n: object.kind == \"CronJob\" ? \"/spec/jobTemplate/spec/template/metadata\"\n: object.kind == \"PodTemplate\" ? \"/template/metadata\" : \"/spec/template/metadata\"",
        ),
    ] {
        if used(name) {
            found.push((name.to_owned(), expression));
        }
    }
    found
}

/// A change that nobody asked for would come with every update of status and labels, and most of a
/// Pod and of a Job cannot be changed later.
const TOUCHED: &str = "request.operation != \"UPDATE\"
|| !object.all(key, key in [\"metadata\", \"status\"] || key in oldObject && oldObject[key] == object[key])";

/// The policy and its binding.
pub(crate) fn documents(name: &str, draft: &Draft<'_>, mutations: &[Mutation]) -> String {
    let api = if draft.minor < STABLE {
        "admissionregistration.k8s.io/v1beta1"
    } else {
        "admissionregistration.k8s.io/v1"
    };
    let name = format!("{name}-fix");
    let mut out = about(draft);
    header(&mut out, api, "MutatingAdmissionPolicy", &name, draft);
    out.push_str("spec:\n  # a change that cannot be made is no reason to refuse\n  failurePolicy: Ignore\n  reinvocationPolicy: IfNeeded\n  matchConstraints:\n");
    resource_rules(&mut out, &rules(&draft.rules));
    out.push_str("  matchConditions:\n");
    for condition in &draft.conditions {
        let _ = writeln!(out, "  # not changed: {}", condition.about);
        let _ = writeln!(out, "  - name: {}", condition.name);
        field(&mut out, "    expression", &condition.expression);
    }
    out.push_str("  # not changed: what only gets another status, labels or annotations\n  - name: touched\n");
    field(&mut out, "    expression", TOUCHED);
    let places = places(mutations);
    if !places.is_empty() || !draft.variables.is_empty() {
        out.push_str("  variables:\n");
    }
    for (name, expression) in &places {
        let _ = writeln!(out, "  - name: {name}");
        field(&mut out, "    expression", expression);
    }
    for (name, expr) in &draft.variables {
        let _ = writeln!(out, "  - name: {name}");
        field(&mut out, "    expression", &lay_out(expr));
    }
    out.push_str("  mutations:\n");
    for mutation in mutations {
        out.push_str("  - patchType: JSONPatch\n    jsonPatch:\n");
        field(&mut out, "      expression", &lay_out(&mutation.expression));
    }
    out.push_str("---\n");
    header(
        &mut out,
        api,
        "MutatingAdmissionPolicyBinding",
        &name,
        draft,
    );
    let _ = writeln!(out, "spec:\n  policyName: {name}");
    let mut entries = bindings::spared(draft);
    if let Some(key) = draft.label.filter(|_| draft.spared.is_some()) {
        entries.push(bindings::Selector {
            about: "namespaces that want to be left as they are",
            key: key.to_owned(),
            operator: "NotIn",
            values: vec!["audit".to_owned(), "off".to_owned()],
        });
    }
    if !entries.is_empty() {
        out.push_str("  matchResources:\n");
        selector(&mut out, &entries);
    }
    out
}

/// Pods and Jobs only when they are made; no subresources.
fn rules(rules: &[Rule]) -> Vec<Rule> {
    let once = ["pods", "jobs"];
    let mut made = Vec::new();
    for rule in rules {
        let whole = rule
            .resources
            .iter()
            .filter(|name| !name.contains('/'))
            .cloned();
        let (fixed, free): (Vec<String>, Vec<String>) =
            whole.partition(|name| once.contains(&name.as_str()));
        for (resources, operations) in [
            (fixed, &["CREATE"] as &'static [&'static str]),
            (free, &["CREATE", "UPDATE"]),
        ] {
            if !resources.is_empty() {
                made.push(Rule {
                    group: rule.group.clone(),
                    resources,
                    operations,
                    scope: rule.scope,
                });
            }
        }
    }
    made
}
