//! Address ranges: `parseCidr`, `cidrSubnet`, `cidrHost`.

use crate::functions::Function;

pub(crate) const FUNCTIONS: &[Function] = &[];
