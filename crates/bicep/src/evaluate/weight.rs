//! How large and how deep values are. Values share their parts, so that a few variables can make
//! one that would fill the memory when it is written out, or be too deep to be walked through.

use crate::evaluate::engine::Engine;
use crate::value::{Data, Field, Value};

/// How deep a value may be. The API reads less.
const MAX_DEPTH: u32 = 128;

/// How many parts a value may have. Azure takes no template above 4 MB.
pub(crate) const MAX_SIZE: u64 = 500_000;

/// From which size or depth on a value's weight is kept, so that it is found without a walk.
const HEAVY: Weight = Weight {
    depth: 16,
    size: 64,
};

/// Depth and number of parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    depth: u32,
    size: u64,
}

impl Weight {
    const LEAF: Self = Self { depth: 0, size: 1 };

    fn around(self, inner: Self) -> Self {
        Self {
            depth: self.depth.max(inner.depth + 1),
            size: self.size.saturating_add(inner.size),
        }
    }
}

impl<'a> Engine<'a> {
    /// A value that is no larger and no deeper than it may be; an error in its place otherwise.
    pub(crate) fn bounded(&self, value: Value<'a>) -> Value<'a> {
        let weight = self.weight(&value);
        if weight.size > MAX_SIZE || weight.depth > MAX_DEPTH {
            return self.error(value.span, "the value is too large or too deep".to_owned());
        }
        value
    }

    /// The number of parts of a value.
    pub(crate) fn size(&self, value: &Value<'a>) -> u64 {
        self.weight(value).size
    }

    fn weight(&self, value: &Value<'a>) -> Weight {
        match value.data {
            Data::Array(items) => self.of_items(items),
            Data::Object(fields) => self.of_fields(fields),
            Data::Unknown(unknown) => Weight::LEAF
                .around(self.of_fields(unknown.fields))
                .around(self.of_items(unknown.items)),
            _ => Weight::LEAF,
        }
    }

    fn of_items(&self, items: &'a [Value<'a>]) -> Weight {
        self.of(items.as_ptr().addr(), items.len(), items.iter())
    }

    fn of_fields(&self, fields: &'a [Field<'a>]) -> Weight {
        let values = fields.iter().map(|field| &field.value);
        self.of(fields.as_ptr().addr(), fields.len(), values)
    }

    /// The weight of a list that begins at an address: nothing in the arena ever moves.
    fn of(
        &self,
        address: usize,
        length: usize,
        values: impl Iterator<Item = &'a Value<'a>>,
    ) -> Weight {
        if length == 0 {
            return Weight::LEAF;
        }
        let known = self.weights.borrow().get(&(address, length)).copied();
        if let Some(known) = known {
            return known;
        }
        self.spend(length);
        let weight = values.fold(Weight::LEAF, |sum, value| sum.around(self.weight(value)));
        if weight.size > HEAVY.size || weight.depth > HEAVY.depth {
            self.weights.borrow_mut().insert((address, length), weight);
        }
        weight
    }
}
