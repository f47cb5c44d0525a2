//! Values that a condition chooses. The condition is made to choose the other one, when it is a parameter; two that
//! are the same are no choice, so neither is overwritten.

use yaml::edit::Value;

use crate::syntax::{Expression, ExpressionKind, StatementKind, TernaryOperation, UnaryOperator};

use super::Refusal;
use super::draft::Splice;
use super::find::range;
use super::plan::{At, Planned};
use super::tree::Tree;

impl At<'_, '_> {
    /// Whether a condition chooses a value that is no object or list.
    pub(super) fn is_chosen(&self, there: &Expression<'_>) -> bool {
        !matches!(
            there.kind,
            ExpressionKind::Object(_) | ExpressionKind::Array(_)
        ) && self.index.choice(&range(there.span)).is_some()
    }

    /// Makes a condition choose the other value, when that is the one that is wanted. A choice
    /// between two that are the same is none.
    pub(super) fn choose(&self, there: &Expression<'_>, value: &Value) -> Result<Planned, Refusal> {
        let Some((of, holds)) = self.index.choice(&range(there.span)) else {
            return Err(self.decided(there, &[]));
        };
        let other = if holds {
            of.false_expression
        } else {
            of.true_expression
        };
        let wanted = Tree::of_value(value);
        if wanted.as_ref().is_some_and(|new| Tree::of(there).same(new)) {
            return Ok(Planned::Nothing);
        }
        let whole = Expression {
            kind: ExpressionKind::Ternary(&of),
            span: there.span,
        };
        wanted
            .filter(|new| Tree::of(&other).same(new))
            .and_then(|_| self.switched(&of, !holds))
            .ok_or_else(|| self.decided(&whole, &[]))
    }

    /// Makes a condition choose something where it chooses nothing.
    pub(super) fn choose_any(&self, there: &Expression<'_>) -> Option<Planned> {
        let ExpressionKind::Ternary(of) = there.inner().kind else {
            return None;
        };
        let nothing = |chosen: &Expression<'_>| match Tree::of(chosen) {
            Tree::Null => true,
            Tree::Map(entries) => entries.is_empty(),
            _ => false,
        };
        match (nothing(&of.true_expression), nothing(&of.false_expression)) {
            (false, true) => self.switched(of, true),
            (true, false) => self.switched(of, false),
            _ => None,
        }
    }

    /// Gives the parameter that is a condition the other default.
    fn switched(&self, of: &TernaryOperation<'_>, holds: bool) -> Option<Planned> {
        let (name, wanted) = match of.condition.inner().kind {
            ExpressionKind::VariableAccess(name) => (name, holds),
            ExpressionKind::Unary(unary) => match (unary.operator, unary.operand.inner().kind) {
                (UnaryOperator::Not, ExpressionKind::VariableAccess(name)) => (name, !holds),
                _ => return None,
            },
            _ => return None,
        };
        let default = self.program.statements.iter().find_map(|statement| {
            let StatementKind::Parameter(parameter) = statement.kind else {
                return None;
            };
            (parameter.name.name == name).then_some(parameter.default?)
        })?;
        match default.kind {
            ExpressionKind::Boolean(now) if now != wanted => {
                let place = range(default.span);
                let splice = Splice {
                    start: place.start,
                    end: place.end,
                    text: wanted.to_string(),
                };
                Some(Planned::Splice(splice, Tree::Bool(wanted), place))
            }
            _ => None,
        }
    }
}
