//! A compiled expression: what it is, what it reads, and how it is run.

use crate::ast::Expr;
use crate::blame::{self, Blame};
use crate::error::ErrorKind;
use crate::eval::Machine;
use crate::ir::Ir;
use crate::{Budget, Node, Reference, Scope, Val, functions, references};
use bumpalo::Bump;
use std::sync::OnceLock;

type Both = (Vec<Reference>, Vec<Reference>);

/// A compiled expression. Evaluation borrows it, so it must outlive the values it gives.
#[derive(Debug)]
pub struct Program {
    pub(crate) source: Box<str>,
    pub(crate) expr: Expr,
    pub(crate) ir: Ir,
    /// the most locals alive at once
    pub(crate) frame: usize,
    pub(crate) since: u8,
    /// how many of its locals are names that it was given
    pub(crate) given: u16,
    /// below variables and below names, found when first asked for
    pub(crate) references: OnceLock<Both>,
    /// what is read, and what its result can be; likewise
    pub(crate) apart: OnceLock<Both>,
}

impl Program {
    /// What [`Self::minimum_minor`] gives for a program that uses a function no Kubernetes
    /// version's admission policies know.
    pub const NO_MINOR: u8 = functions::NEVER;

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its syntax tree.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The lowest minor version of Kubernetes 1 whose ValidatingAdmissionPolicies know every
    /// function and macro it uses: at least 26, or [`Self::NO_MINOR`].
    #[must_use]
    pub fn minimum_minor(&self) -> u8 {
        self.since
    }

    fn all(&self) -> &Both {
        self.references
            .get_or_init(|| references::all(&self.ir, self.given))
    }

    fn apart(&self) -> &Both {
        self.apart
            .get_or_init(|| references::apart(&self.ir, self.given))
    }

    /// Which paths below the variables it can read, its result included: an over-approximation.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.all().0
    }

    /// As [`Self::references`] below the names given to [`crate::Env::compile_in`]: the root's
    /// number is the name's place among them.
    #[must_use]
    pub fn local_references(&self) -> &[Reference] {
        &self.all().1
    }

    /// As [`Self::references`], without what only becomes the result.
    #[must_use]
    pub fn reads(&self) -> &[Reference] {
        &self.apart().0
    }

    /// The places that its result, or an item of its result, can be.
    #[must_use]
    pub fn yields(&self) -> &[Reference] {
        &self.apart().1
    }

    /// Evaluates it. `locals` are the values of the names given to
    /// [`crate::Env::compile_in`]. Errors and unknowns are values. A scalar of the caller's
    /// tree may come back as [`Val::Node`]; [`Val::resolve`] looks at it.
    pub fn eval<'a, N: Node<'a>>(
        &'a self,
        scope: &dyn Scope<'a, N>,
        locals: &[Val<'a, N>],
        bump: &'a Bump,
        budget: &Budget,
    ) -> Val<'a, N> {
        let mut machine = Machine::new(self, scope, locals, bump, budget);
        let value = machine.eval(&self.ir);
        if budget.exhausted() {
            return Val::error(bump, ErrorKind::CostLimit, "", self.ir.span);
        }
        value
    }

    /// Evaluates it again, slower, and says which values decided.
    pub fn blame<'a, N: Node<'a>>(
        &'a self,
        scope: &dyn Scope<'a, N>,
        locals: &[Val<'a, N>],
        bump: &'a Bump,
        budget: &Budget,
    ) -> Blame<'a, N> {
        blame::of(self, scope, locals, bump, budget)
    }
}
