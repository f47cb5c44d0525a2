//! Objects that a powerful controller carries out.

use super::Hands;
use crate::paths::builder::Builder;

pub(super) fn add(_builder: &mut Builder<'_>, _hands: &mut Hands) {}
