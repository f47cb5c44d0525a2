//! Who can talk to whom, and under which numbers: in an estate, or namespace by namespace.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::{Estate, ResourceRef};

use crate::reach::{Around, Options, Reach, Routes, Touched};

/// Who can talk to whom, and under which numbers.
#[derive(Debug)]
pub struct Network {
    pub(crate) reach: Reach,
    workloads: HashMap<ResourceRef, usize>,
}

impl Network {
    pub(crate) fn of(reach: Reach) -> Self {
        let numbers = reach.workloads().iter().enumerate();
        let workloads = numbers.map(|(number, workload)| (workload.resource, number));
        Self {
            workloads: workloads.collect(),
            reach,
        }
    }

    /// Who can talk to whom.
    #[must_use]
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The number of a workload.
    #[must_use]
    pub fn workload(&self, resource: ResourceRef) -> Option<usize> {
        self.workloads.get(&resource).copied()
    }
}

/// What the workloads of each namespace reach outside of the cluster and how they are exposed, worked out when it is
/// first asked for and kept as long as it holds.
#[derive(Debug, Default)]
pub struct Networks {
    around: Option<Arc<Around>>,
    routes: Routes,
    of: HashMap<Box<str>, Arc<Network>>,
}

impl Networks {
    /// Follows an estate in which this changed. The namespaces of which something else may be said; none: of all.
    pub(crate) fn follow(
        &mut self,
        estate: &Estate,
        options: &Options,
        touched: Touched,
    ) -> Option<BTreeSet<Box<str>>> {
        let mut everywhere = touched.everywhere || self.around.is_none();
        if touched.around || everywhere {
            let now = Around::read(estate, options);
            let same = self.around.as_deref() == Some(&now);
            if !same {
                everywhere = true;
                self.around = Some(Arc::new(now));
            }
        }
        if touched.routes || everywhere {
            self.routes = Routes::read(estate);
        }
        if everywhere {
            self.of.clear();
            return None;
        }
        for namespace in &touched.namespaces {
            self.of.remove(namespace);
        }
        Some(touched.namespaces)
    }

    /// The network as the workloads of a namespace see it.
    pub(crate) fn of(
        &mut self,
        estate: &Estate,
        options: &Options,
        namespace: &str,
    ) -> Arc<Network> {
        if let Some(known) = self.of.get(namespace) {
            return Arc::clone(known);
        }
        let around = self
            .around
            .get_or_insert_with(|| Arc::new(Around::read(estate, options)));
        let around = Arc::clone(around);
        let reach = Reach::of_namespace(estate, around, &self.routes, namespace);
        let network = Arc::new(Network::of(reach));
        // Nobody asks again where nothing runs, and it may be gone.
        if !network.workloads.is_empty() {
            self.of.insert(namespace.into(), Arc::clone(&network));
        }
        network
    }
}

/// The namespaces of an estate that workloads can be in.
pub(crate) fn namespaces(estate: &Estate) -> BTreeSet<Box<str>> {
    let named = estate.namespaces();
    let named = named.map(|name| if name.is_empty() { "default" } else { name });
    named.map(Box::from).collect()
}
