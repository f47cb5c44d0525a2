//! What enforces network policies, and how the engines differ.

/// What enforces network policies in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Engine {
    /// Nothing: policies are objects without effect.
    None,
    /// Azure Network Policy Manager.
    Azure,
    /// Calico.
    Calico,
    /// Cilium (Azure CNI powered by Cilium).
    Cilium,
    /// What Kubernetes' documentation says, where the engine is not known.
    #[default]
    Upstream,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Azure,
        Self::Calico,
        Self::Cilium,
        Self::Upstream,
    ];

    /// As the command line and AKS write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Azure => "azure",
            Self::Calico => "calico",
            Self::Cilium => "cilium",
            Self::Upstream => "upstream",
        }
    }

    /// The engine of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.name().eq_ignore_ascii_case(name))
    }
}
