//! The resources of an estate, one after the other.

use crate::resource::{Resource, ResourceRef};

/// All resources of an estate in its order.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'e> {
    slots: &'e [Option<Resource>],
    order: &'e [ResourceRef],
}

impl<'e> Resources<'e> {
    pub(super) const fn of(slots: &'e [Option<Resource>], order: &'e [ResourceRef]) -> Self {
        Self { slots, order }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<&'e Resource> {
        self.iter().next()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'e Resource> + use<'e> {
        self.numbered().map(|(_, resource)| resource)
    }

    /// The same with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (ResourceRef, &'e Resource)> + use<'e> {
        let slots = self.slots;
        let get = move |id: &ResourceRef| Some((*id, slots.get(id.0 as usize)?.as_ref()?));
        self.order.iter().filter_map(get)
    }

    /// The same, so many at a time.
    pub fn chunks(&self, many: usize) -> impl Iterator<Item = Vec<(ResourceRef, &'e Resource)>> {
        let slots = self.slots;
        let get = move |id: &ResourceRef| Some((*id, slots.get(id.0 as usize)?.as_ref()?));
        let parts = self.order.chunks(many.max(1));
        parts.map(move |part| part.iter().filter_map(get).collect())
    }
}

impl<'e> IntoIterator for Resources<'e> {
    type Item = &'e Resource;
    type IntoIter = Iter<'e>;

    fn into_iter(self) -> Self::IntoIter {
        Iter {
            slots: self.slots,
            order: self.order.iter(),
        }
    }
}

/// See [`Resources`].
#[derive(Debug, Clone)]
pub struct Iter<'e> {
    slots: &'e [Option<Resource>],
    order: std::slice::Iter<'e, ResourceRef>,
}

impl<'e> Iterator for Iter<'e> {
    type Item = &'e Resource;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let id = self.order.next()?;
            if let Some(Some(resource)) = self.slots.get(id.0 as usize) {
                return Some(resource);
            }
        }
    }
}
