//! Documents that show only a part of what there is: of a record that was cut, its beginning; of a patch, what it
//! changes. It leaves out reading them, which `yaml::json::prefix` does.

use super::{Doc, Kind, NodeId};

impl Doc {
    /// Whether the text ends before the value does.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.binary_search(&self.root).is_ok()
    }

    /// Says that a value shows only a part of what is there, at every level: a patch, of the object that it changes.
    pub fn leave_open(&mut self, value: NodeId) {
        let mut waiting = vec![value.0];
        while let Some(id) = waiting.pop() {
            let node = self.at(id);
            match node.kind {
                Kind::Map => waiting.extend(self.map_entries(node).iter().map(|entry| entry.value)),
                Kind::List => waiting.extend(self.list_items(node)),
                _ => continue,
            }
            self.cut.push(id);
        }
        self.cut.sort_unstable();
        self.cut.dedup();
    }

    /// Says that a map has entries that are not shown; what is shown of it is all there.
    pub fn leave_map_open(&mut self, map: NodeId) {
        if let Err(at) = self.cut.binary_search(&map.0) {
            self.cut.insert(at, map.0);
        }
    }
}
