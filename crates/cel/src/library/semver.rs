//! Placeholder.
use super::{Call, Given};
use crate::functions::Func;
use crate::{Node, Val};
pub(crate) fn call<'a, N: Node<'a>>(_c: Call<'_, 'a, N>, _func: Func, _args: &[Val<'a, N>]) -> Given<'a, N> { None }
/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semver<'a>(&'a str);
impl Semver<'_> { pub(crate) fn compare(&self, o: &Self) -> std::cmp::Ordering { self.0.cmp(o.0) } }
impl std::fmt::Display for Semver<'_> { fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
