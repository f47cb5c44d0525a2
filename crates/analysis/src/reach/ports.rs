//! Protocols and ports, and the text of a set of them.
//!
//! Leaves out ICMP and everything else that has no ports: network policies say nothing of it, and
//! plugins differ (Kubernetes documentation, concepts/services-networking/network-policies).

use std::fmt::{self, Write as _};

use super::ranges::Ranges;

/// A transport protocol that network policies know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, the default everywhere.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All of them, in the order in which they are printed.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// As manifests write it; Azure and people are not strict about case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(text))
    }

    /// As manifests write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }

    const fn base(self) -> u128 {
        (self as u128) << 16
    }
}

/// A set of ports of each protocol. Port 0 is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortSet(pub(crate) Ranges);

impl PortSet {
    /// No port of any protocol.
    #[must_use]
    pub const fn none() -> Self {
        Self(Ranges::empty())
    }

    /// Every port of every protocol.
    #[must_use]
    pub fn all() -> Self {
        Protocol::ALL
            .into_iter()
            .map(Self::protocol)
            .fold(Self::none(), |all, one| all.union(&one))
    }

    /// Every port of a protocol.
    #[must_use]
    pub fn protocol(protocol: Protocol) -> Self {
        Self::range(protocol, 1, u16::MAX)
    }

    /// One port.
    #[must_use]
    pub fn port(protocol: Protocol, port: u16) -> Self {
        Self::range(protocol, port, port)
    }

    /// The ports from `first` to `last`.
    #[must_use]
    pub fn range(protocol: Protocol, first: u16, last: u16) -> Self {
        Self(Ranges::of(
            protocol.base() + u128::from(first.max(1)),
            protocol.base() + u128::from(last),
        ))
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.minus(&other.0))
    }

    /// Whether there is no port in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every port of every protocol is in it.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::all()
    }

    /// Whether a port is in it.
    #[must_use]
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        self.0.contains(protocol.base() + u128::from(port))
    }

    /// Its ranges by protocol.
    pub fn ranges(&self) -> impl Iterator<Item = (Protocol, u16, u16)> + '_ {
        self.0.parts().iter().filter_map(|(first, last)| {
            let protocol = *Protocol::ALL.get((*first >> 16) as usize)?;
            Some((protocol, *first as u16, *last as u16))
        })
    }
}

/// `All Connections`, `No Connections`, or `TCP 80,8000-9100,UDP 53`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("No Connections");
        }
        if self.is_all() {
            return f.write_str("All Connections");
        }
        let mut before = None;
        for (protocol, first, last) in self.ranges() {
            if before.is_some() {
                f.write_char(',')?;
            }
            if before != Some(protocol) {
                write!(f, "{} ", protocol.name())?;
                before = Some(protocol);
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{PortSet, Protocol};

    #[test]
    fn sets_of_ports_are_written_shortly() {
        let web = PortSet::port(Protocol::Tcp, 80)
            .union(&PortSet::range(Protocol::Tcp, 8000, 9100))
            .union(&PortSet::port(Protocol::Udp, 53));
        assert_eq!(web.to_string(), "TCP 80,8000-9100,UDP 53");
        assert_eq!(PortSet::all().to_string(), "All Connections");
        assert_eq!(PortSet::none().to_string(), "No Connections");
        assert_eq!(
            PortSet::protocol(Protocol::Sctp).to_string(),
            "SCTP 1-65535"
        );
        assert!(PortSet::all().minus(&web).contains(Protocol::Sctp, 80));
        assert!(!PortSet::all().minus(&web).contains(Protocol::Tcp, 8080));
    }
}
