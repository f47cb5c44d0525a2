//! One guideline as the parts of a policy, before they are written down.

use std::collections::BTreeSet;

use cel::Program;
use cel::ast::{BinaryOp, Expr, ExprKind, Literal, Macro};
use model::Severity;

use super::fold::{
    self, Constants, call, constant, either, ident, is_text, not, over, select, text,
};
use super::mutate::{self, Mutation};
use super::resources::{self, Rule, Subresources};
use super::settings;
use super::{ConfigMap, Enforce, Fixes, Options, waiver};
use crate::catalogue::Guide;
use crate::guideline::{Check, Guideline};
use crate::judge::Setting;
use crate::message::{Piece, Template};
use crate::unjudged::how_given;

/// Up to this many bytes a message stays whole: the API server drops one of more than 5 KiB
/// (`MaxEvaluatedMessageExpressionSizeBytes`) and cuts warnings of more than 4096 characters.
const WHOLE: i64 = 3800;
/// Of a longer message this many characters stay; a character takes up to 4 bytes.
const CUT: i64 = 900;

/// The parts of a policy and its binding.
pub(crate) struct Draft<'a> {
    pub(crate) guideline: &'a Guideline,
    pub(crate) severity: Severity,
    pub(crate) minor: u8,
    pub(crate) actions: &'static [&'static str],
    pub(crate) rules: Vec<Rule>,
    pub(crate) conditions: Vec<waiver::Condition>,
    pub(crate) variables: Vec<(String, Expr)>,
    pub(crate) validations: Vec<Validation>,
    /// Namespaces that the binding leaves alone.
    pub(crate) spared: Option<&'a BTreeSet<Box<str>>>,
    /// The label of namespaces that says what bindings do there.
    pub(crate) label: Option<&'a str>,
    /// Where it reads settings, when it reads any.
    pub(crate) config_map: Option<ConfigMap<'a>>,
    /// The settings that it reads there.
    pub(crate) settings: Vec<Box<str>>,
    /// Changes of what fails, and why there are none.
    pub(crate) mutations: Result<(Vec<Mutation>, Vec<String>), String>,
}

/// A check that must hold.
pub(crate) struct Validation {
    pub(crate) expression: Expr,
    pub(crate) message: String,
    pub(crate) message_expression: Option<Expr>,
}

/// Makes the parts of a policy. `stricter` takes the waivers that it cannot hold.
///
/// # Errors
/// Says why the guideline has no policy.
pub(crate) fn draft<'a>(
    guide: &'a Guide,
    guideline: &'a Guideline,
    setting: &Setting,
    options: Options<'a>,
    namespaces: &'a BTreeSet<Box<str>>,
    stricter: &mut Vec<String>,
) -> Result<Draft<'a>, String> {
    if let Some(reason) = guideline.needs.not_enforceable {
        return Err(reason.to_owned());
    }
    if let Some(key) = guideline
        .needs
        .params
        .iter()
        .find(|key| !setting.set.contains(*key))
    {
        return Err(format!("it needs {}", how_given(guide, key)));
    }
    let mut maker = Maker {
        guide,
        constants: Constants {
            minor: setting.kubernetes_minor,
            params: setting.params.root(),
            live: options.settings.is_some(),
            resource: false,
        },
        variables: Vec::new(),
        needed: 0,
        parts: Vec::new(),
    };
    let validations = maker.validations(guideline)?;
    let mutations = match options.fixes {
        Some(fixes) => mutate::mutations(&mut maker, guideline, fixes == Fixes::All),
        None => Ok((Vec::new(), Vec::new())),
    };
    maker.versions(options.server_minor)?;
    maker.definitions()?;
    let rules = resources::rules(guideline, maker.subresources())?;
    if maker.judges_only(namespaces) {
        return Err(
            "it judges the namespaces that bindings leave alone, kube-system among them".to_owned(),
        );
    }
    let read = maker.settings()?;
    let severity = setting
        .severities
        .get(&*guideline.id.0)
        .copied()
        .unwrap_or(guideline.severity);
    Ok(Draft {
        guideline,
        severity,
        minor: options.server_minor,
        actions: Enforce::actions(options.enforce, severity),
        rules,
        conditions: waiver::conditions(guideline, options.waivers, stricter)?,
        variables: maker.variables,
        validations,
        spared: resources::is_namespaced(guideline).then_some(namespaces),
        label: options.namespace_label,
        config_map: options.settings.filter(|_| !read.is_empty()),
        settings: read,
        mutations,
    })
}

impl Draft<'_> {
    /// Every expression of it that is one of the guide's.
    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let validations = self.validations.iter().flat_map(|validation| {
            std::iter::once(&validation.expression).chain(&validation.message_expression)
        });
        self.variables
            .iter()
            .map(|(_, expr)| expr)
            .chain(validations)
    }

    /// Whether an expression reads a variable of admission.
    pub(crate) fn reads(&self, variable: &str) -> bool {
        let mut found = false;
        for expr in self.expressions() {
            walk(expr, &mut |expr| found |= expr.as_ident() == Some(variable));
        }
        found
    }

    /// The API groups that it is about.
    pub(crate) fn groups(&self) -> Vec<String> {
        let groups: BTreeSet<&str> = self.rules.iter().map(|rule| rule.group.as_str()).collect();
        groups.into_iter().map(str::to_owned).collect()
    }

    /// The kinds that it is about.
    pub(crate) fn kinds(&self) -> Vec<String> {
        resources::kinds(self.guideline)
    }

    /// Whether a loop has two variables: Kyverno's environment leaves that library out
    /// (`pkg/cel/compiler/env.go` of kyverno 1.19).
    pub(crate) fn has_loops_of_two(&self) -> bool {
        let mut found = false;
        for expr in self.expressions() {
            walk(expr, &mut |expr| {
                found |= matches!(&expr.kind, ExprKind::Macro { vars, .. } if vars.len() > 1);
            });
        }
        found
    }
}

pub(crate) struct Maker<'g, 'c> {
    pub(crate) guide: &'g Guide,
    constants: Constants<'c>,
    /// The policy's own variables, then those of the guide before them.
    variables: Vec<(String, Expr)>,
    /// The lowest Kubernetes minor that knows every function.
    needed: u8,
    /// Every expression of the guideline, rewritten.
    parts: Vec<Expr>,
}

impl<'g> Maker<'g, '_> {
    /// Rewrites a program and notes which Kubernetes it needs.
    ///
    /// # Errors
    /// Says what no API server knows.
    pub(crate) fn rewrite(&mut self, program: &Program, locals: &[&str]) -> Result<Expr, String> {
        let expr = fold::rewrite(program.expr(), self.constants)?;
        // The guide does not know the variables that settings are read into.
        let known = self.guide.params.iter();
        let known: Vec<String> = known.map(|param| settings::variable(&param.key)).collect();
        let mut names = locals.to_vec();
        let mut source = expr.to_string();
        if self.constants.live {
            names.extend(known.iter().map(String::as_str));
            source = source.replace("variables.setting", "setting");
        }
        let again = self
            .guide
            .compile_in(&source, &names)
            .map_err(|error| format!("its rewritten expression does not compile: {error}"))?;
        self.needed = self.needed.max(again.minimum_minor());
        self.parts.push(expr.clone());
        Ok(expr)
    }

    fn validations(&mut self, guideline: &Guideline) -> Result<Vec<Validation>, String> {
        let item = guideline.each.as_ref().map(|each| &*each.name);
        let locals: Vec<&str> = item.into_iter().collect();
        let when = match &guideline.when {
            Some(program) => Some(self.rewrite(program, &locals)?),
            None => None,
        };
        let when = match when.as_ref().map(|when| (constant(when), when)) {
            Some((Some(false), _)) => return Err(self.never()),
            None | Some((Some(true), _)) => None,
            Some((None, when)) => Some(when.clone()),
        };
        let mut checks = Vec::new();
        for check in &guideline.checks {
            let expr = self.rewrite(&check.program, &locals)?;
            if constant(&expr) != Some(true) {
                checks.push((expr, check));
            }
        }
        if checks.is_empty() {
            return Err(self.never());
        }
        match &guideline.each {
            Some(each) => {
                let mut list = self.rewrite(&each.program, &[])?;
                let simple = when.is_none()
                    && used(&list).len() == 1
                    && matches!(list.kind, ExprKind::Select { .. });
                if let Some(when) = when {
                    list = over(Macro::Filter, list, &each.name, when);
                }
                let list = if simple {
                    list
                } else {
                    self.own("items", list)
                };
                checks
                    .into_iter()
                    .map(|(expr, check)| self.for_each(&list, &each.name, expr, check, guideline))
                    .collect()
            }
            None => {
                let when = match when {
                    Some(when) if checks.len() > 1 => Some(self.own("applies", when)),
                    other => other,
                };
                checks
                    .into_iter()
                    .map(|(expr, check)| self.once(when.as_ref(), expr, check, guideline))
                    .collect()
            }
        }
    }

    fn never(&self) -> String {
        format!(
            "it asks nothing of Kubernetes 1.{} with this configuration",
            self.constants.minor
        )
    }

    /// A variable of the policy itself.
    fn own(&mut self, name: &str, expr: Expr) -> Expr {
        let mut name = name.to_owned();
        while self
            .guide
            .variables
            .iter()
            .any(|variable| *variable.name == *name)
        {
            name.push('_');
        }
        self.variables.push((name.clone(), expr));
        select(ident("variables"), &name)
    }

    fn for_each(
        &mut self,
        list: &Expr,
        item: &str,
        expr: Expr,
        check: &Check,
        guideline: &Guideline,
    ) -> Result<Validation, String> {
        let message = self.message(&check.message, &[item])?.map(|message| {
            let failing = over(Macro::Filter, list.clone(), item, not(expr.clone()));
            shortened(call(
                over(Macro::Map, failing, item, message),
                "join",
                vec![text("; ")],
            ))
        });
        let expression = over(Macro::All, list.clone(), item, expr);
        Ok(validation(expression, message, check, guideline))
    }

    fn once(
        &mut self,
        when: Option<&Expr>,
        expr: Expr,
        check: &Check,
        guideline: &Guideline,
    ) -> Result<Validation, String> {
        let message = self.message(&check.message, &[])?;
        let expression = match when {
            Some(when) => either(not(when.clone()), expr),
            None => expr,
        };
        Ok(validation(expression, message, check, guideline))
    }

    /// A message as an expression; none when it is the same for everything.
    fn message(&mut self, template: &Template, locals: &[&str]) -> Result<Option<Expr>, String> {
        let mut whole: Option<Expr> = None;
        for piece in &template.pieces {
            let part = match piece {
                Piece::Text(words) => text(words),
                Piece::Value(program) => {
                    let value = self.rewrite(program, locals)?;
                    if is_text(&value) {
                        value
                    } else {
                        string(value)
                    }
                }
            };
            whole = Some(match whole {
                None => part,
                Some(before) => sum(before, part),
            });
        }
        Ok(whole.filter(|whole| !matches!(whole.kind, ExprKind::Literal(_))))
    }

    /// A server accepts new expressions in the language of the version before its own, so that
    /// it can be rolled back: `MinCompatibilityVersion` in `k8s.io/apiserver/pkg/cel/environment`.
    fn versions(&self, server: u8) -> Result<(), String> {
        match self.needed {
            Program::NO_MINOR => {
                Err("it uses a function that no Kubernetes version knows".to_owned())
            }
            needed if needed >= server => Err(format!(
                "it uses a function of Kubernetes 1.{needed}, which servers accept in policies from 1.{} on",
                needed + 1
            )),
            _ => Ok(()),
        }
    }

    /// Puts the definitions of the guide that are used before the policy's own variables.
    fn definitions(&mut self) -> Result<(), String> {
        let mut wanted: BTreeSet<String> = self.parts.iter().flat_map(used).collect();
        let mut found = Vec::new();
        for variable in self.guide.variables.iter().rev() {
            if wanted.contains(&*variable.name) {
                let expr = fold::rewrite(variable.program.expr(), self.constants)?;
                wanted.extend(used(&expr));
                self.parts.push(expr.clone());
                found.push((variable.name.to_string(), expr));
            }
        }
        found.reverse();
        found.append(&mut self.variables);
        self.variables = found;
        Ok(())
    }

    /// Puts the settings that are read before everything that may read them, and names them.
    fn settings(&mut self) -> Result<Vec<Box<str>>, String> {
        let wanted: BTreeSet<String> = self.parts.iter().flat_map(used).collect();
        let mut keys = Vec::new();
        let mut variables = Vec::new();
        for param in self.guide.params.iter().filter(|_| self.constants.live) {
            let name = settings::variable(&param.key);
            if let Some(value) = self.constants.params.get(&param.key)
                && wanted.contains(&name)
                && let Some(expr) = settings::definition(&param.key, value)?
            {
                variables.push((name, expr));
                keys.push(param.key.clone());
            }
        }
        variables.append(&mut self.variables);
        self.variables = variables;
        Ok(keys)
    }

    /// A pod's ephemeral containers and resources change through requests of their own.
    fn subresources(&self) -> Subresources {
        let mut found = Subresources::default();
        for part in &self.parts {
            walk(part, &mut |expr| {
                if let ExprKind::Select { field, .. } | ExprKind::Has { field, .. } = &expr.kind {
                    found.ephemeral_containers |= &**field == "ephemeralContainers";
                    found.resize |= &**field == "resources";
                }
            });
        }
        found
    }

    /// Whether it asks for the namespace, and names nothing but these.
    fn judges_only(&self, namespaces: &BTreeSet<Box<str>>) -> bool {
        let mut asks = false;
        let mut names = Vec::new();
        for part in &self.parts {
            walk(part, &mut |expr| match &expr.kind {
                ExprKind::Select { operand, field, .. } if &**field == "namespace" => {
                    asks |= operand.as_ident() == Some("request");
                }
                ExprKind::Literal(Literal::Str(name)) if !name.is_empty() => {
                    names.push(name.clone())
                }
                _ => {}
            });
        }
        asks && !names.is_empty() && names.iter().all(|name| namespaces.contains(name))
    }
}

fn validation(
    expression: Expr,
    message: Option<Expr>,
    check: &Check,
    guideline: &Guideline,
) -> Validation {
    let fixed: String = check
        .message
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(words) => &**words,
            Piece::Value(_) => "",
        })
        .collect();
    Validation {
        expression: fold::truth(expression),
        message: if message.is_none() {
            fixed
        } else {
            format!("does not follow {}: {}", guideline.id, guideline.title)
        },
        message_expression: message,
    }
}

fn string(value: Expr) -> Expr {
    let span = value.span;
    Expr::new(
        ExprKind::Call {
            target: None,
            function: "string".into(),
            args: vec![value],
        },
        span,
    )
}

/// `a + b`; two constants become one.
pub(crate) fn sum(a: Expr, b: Expr) -> Expr {
    if let (ExprKind::Literal(Literal::Str(x)), ExprKind::Literal(Literal::Str(y))) =
        (&a.kind, &b.kind)
    {
        return text(&format!("{x}{y}"));
    }
    let span = a.span;
    Expr::new(
        ExprKind::Binary {
            op: BinaryOp::Add,
            left: a.into(),
            right: b.into(),
        },
        span,
    )
}

/// A text, cut where it is too long. Without `cel.bind`, a list of one item names the text.
fn shortened(whole: Expr) -> Expr {
    let span = whole.span;
    let new = |kind| Expr::new(kind, span);
    let int = |value| new(ExprKind::Literal(Literal::Int(value)));
    let all = ident("text");
    let bytes = new(ExprKind::Call {
        target: None,
        function: "bytes".into(),
        args: vec![all.clone()],
    });
    let long = ExprKind::Binary {
        op: BinaryOp::Gt,
        left: call(bytes, "size", Vec::new()).into(),
        right: int(WHOLE).into(),
    };
    let cut = sum(
        call(all.clone(), "substring", vec![int(0), int(CUT)]),
        text(" …"),
    );
    let chosen = ExprKind::Ternary {
        condition: new(long).into(),
        then: cut.into(),
        otherwise: all.into(),
    };
    let one = new(ExprKind::List(vec![cel::ast::Element {
        optional: false,
        value: whole,
    }]));
    let target = over(Macro::Map, one, "text", new(chosen));
    new(ExprKind::Index {
        operand: target.into(),
        index: int(0).into(),
        optional: false,
    })
}

/// The names behind `variables.` in an expression.
fn used(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    walk(expr, &mut |expr| {
        if let ExprKind::Select { operand, field, .. } = &expr.kind
            && operand.as_ident() == Some("variables")
        {
            found.push(field.to_string());
        }
    });
    found
}

fn walk(expr: &Expr, f: &mut dyn FnMut(&Expr)) {
    f(expr);
    expr.children(&mut |child| walk(child, f));
}
