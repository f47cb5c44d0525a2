//! Who is meant to reach whom, as people write it down, held against who can.
//!
//! Only workloads of namespaces that an entry names as a target are judged. What passes and is not meant to is
//! surplus; what is meant to and cannot is missing.

use std::collections::{BTreeMap, HashMap};

use model::Ref;

use super::conn::Conn;
use super::exposure::Audience;
use super::policy::Direction;
use super::ports::{PortSet, Protocol};
use super::universe::End;
use super::{Reach, Workload};
use crate::roles::pattern::fits;

/// Everything outside of the cluster.
const INTERNET: &str = "internet";

/// What is meant to be: entries of `from`, `to` and `ports`.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    from: Peer,
    to: Pattern,
    ports: PortSet,
}

#[derive(Debug, Clone)]
enum Peer {
    Internet,
    Workloads(Pattern),
}

/// `namespace/name`; `*` is any text.
#[derive(Debug, Clone)]
struct Pattern {
    namespace: Box<str>,
    name: Box<str>,
}

impl Pattern {
    fn read(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        Some(Self {
            namespace: namespace.into(),
            name: name.into(),
        })
    }

    fn is(&self, workload: &Workload) -> bool {
        fits(&self.namespace, &workload.namespace) && fits(&self.name, &workload.name)
    }

    fn is_exact(&self) -> bool {
        !self.namespace.contains('*') && !self.name.contains('*')
    }
}

/// What one workload's connections differ in from what is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Who reaches it and is not meant to, with the ports in words.
    pub surplus: Vec<Apart>,
    /// Who is meant to reach it and cannot.
    pub missing: Vec<Apart>,
}

/// A connection that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// `namespace/name`, or `internet`.
    pub from: Box<str>,
    /// `TCP 5432,8000-8100`.
    pub ports: Box<str>,
    /// It does not hang on anything that was not given.
    pub certain: bool,
}

impl Intent {
    /// Reads a list of entries.
    ///
    /// # Errors
    /// Which entry is wrong, and how.
    pub fn read(list: Ref<'_>) -> Result<Self, String> {
        let mut entries = Vec::new();
        for (number, entry) in list.items().enumerate() {
            let wrong = |what: &str| format!("entry {} of `intent`: {what}", number + 1);
            let text = |key: &str| entry.get(key).and_then(Ref::as_str);
            let from = match text("from") {
                Some(INTERNET) => Peer::Internet,
                Some(from) => Peer::Workloads(
                    Pattern::read(from)
                        .ok_or_else(|| wrong("`from` is `internet` or NAMESPACE/NAME"))?,
                ),
                None => return Err(wrong("`from` is missing")),
            };
            let to = text("to")
                .and_then(Pattern::read)
                .ok_or_else(|| wrong("`to` is NAMESPACE/NAME"))?;
            let ports = match entry.get("ports") {
                None => PortSet::all(),
                Some(ports) => {
                    let mut all = PortSet::none();
                    for port in ports.items() {
                        let read = read_port(port)
                            .ok_or_else(|| wrong("a port is 5432, \"8000-8100\" or \"UDP 53\""))?;
                        all = all.union(&read);
                    }
                    all
                }
            };
            entries.push(Entry { from, to, ports });
        }
        Ok(Self { entries })
    }

    /// Whether anything is said about a namespace.
    #[must_use]
    pub fn governs(&self, namespace: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| fits(&entry.to.namespace, namespace))
    }
}

fn read_port(port: Ref<'_>) -> Option<PortSet> {
    if let Some(number) = port.as_int() {
        return Some(PortSet::port(Protocol::Tcp, u16::try_from(number).ok()?));
    }
    let text = port.as_str()?;
    let (protocol, numbers) = match text.split_once(' ') {
        Some((protocol, numbers)) => (Protocol::parse(protocol)?, numbers.trim()),
        None => (Protocol::Tcp, text),
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then(|| PortSet::range(protocol, first, last))
}

impl Reach {
    /// How the connections of a workload differ from what is meant; `None` where nothing is said about
    /// its namespace.
    #[must_use]
    pub fn difference(&self, intent: &Intent, target: &Workload) -> Option<Difference> {
        if !intent.governs(&target.namespace) {
            return None;
        }
        let about: Vec<&Entry> = intent
            .entries
            .iter()
            .filter(|entry| entry.to.is(target))
            .collect();
        let mut difference = Difference::default();
        self.inside_to(&about, target, &mut difference);
        self.outside_to(&about, target, &mut difference);
        difference.surplus.sort_by(|a, b| a.from.cmp(&b.from));
        difference.missing.sort_by(|a, b| a.from.cmp(&b.from));
        Some(difference)
    }

    fn inside_to(&self, about: &[&Entry], target: &Workload, difference: &mut Difference) {
        let to = self.end_of(target);
        let mut known: HashMap<End, (Conn, bool)> = HashMap::new();
        // Of a pattern it is enough when somebody can.
        let mut tried: BTreeMap<usize, bool> = BTreeMap::new();
        for source in self.workloads() {
            if source == target {
                continue;
            }
            let from = self.end_of(source);
            let (conn, certain) = known.entry(from).or_insert_with(|| {
                let conn = self.conn(from, to);
                let open = !conn.sure.is_empty();
                let certain = self.hangs_on(from, Direction::Egress, open).is_none()
                    && self.hangs_on(to, Direction::Ingress, open).is_none();
                (conn, certain)
            });
            let mut meant = PortSet::none();
            for (number, entry) in about.iter().enumerate() {
                let Peer::Workloads(pattern) = &entry.from else {
                    continue;
                };
                if !pattern.is(source) {
                    continue;
                }
                meant = meant.union(&entry.ports);
                let passes = conn.may.intersection(&entry.ports);
                *tried.entry(number).or_default() |= !passes.is_empty();
                // Of several ports each is meant; of all ports any will do.
                let missing = if entry.ports.is_all() && !passes.is_empty() {
                    PortSet::none()
                } else {
                    entry.ports.minus(&conn.may)
                };
                if !missing.is_empty() && pattern.is_exact() {
                    difference.missing.push(Apart {
                        from: name(source),
                        ports: words(&missing),
                        certain: *certain,
                    });
                }
            }
            let surplus = conn.sure.minus(&meant);
            let perhaps = conn.open().minus(&meant);
            if !surplus.is_empty() {
                difference.surplus.push(Apart {
                    from: name(source),
                    ports: words(&surplus),
                    certain: *certain,
                });
            } else if !perhaps.is_empty() {
                difference.surplus.push(Apart {
                    from: name(source),
                    ports: words(&perhaps),
                    certain: false,
                });
            }
        }
        for (number, reached) in tried {
            let Some(entry) = about.get(number).filter(|_| !reached) else {
                continue;
            };
            if let Peer::Workloads(pattern) = &entry.from
                && !pattern.is_exact()
            {
                difference.missing.push(Apart {
                    from: format!("{}/{}", pattern.namespace, pattern.name).into(),
                    ports: words(&entry.ports),
                    certain: true,
                });
            }
        }
    }

    fn outside_to(&self, about: &[&Entry], target: &Workload, difference: &mut Difference) {
        let meant = about
            .iter()
            .filter(|entry| matches!(entry.from, Peer::Internet))
            .fold(PortSet::none(), |all, entry| all.union(&entry.ports));
        let number = self.workloads().iter().position(|one| one == target);
        let mut sure = PortSet::none();
        let mut perhaps = PortSet::none();
        let mut reached = false;
        for exposure in number.into_iter().flat_map(|at| self.exposures_of(at)) {
            if !exposure.to_internet() {
                continue;
            }
            reached = true;
            // People mean the port that clients use as well as that of the pod behind it.
            let as_meant = exposure.front.minus(&meant).is_empty();
            let surplus = exposure.open.may.minus(&meant);
            if as_meant || surplus.is_empty() {
                continue;
            }
            if exposure.audience == Audience::Internet
                && exposure.hangs_on.is_none()
                && !exposure.open.sure.is_empty()
            {
                sure = sure.union(&surplus);
            } else {
                perhaps = perhaps.union(&surplus);
            }
        }
        for (ports, certain) in [(&sure, true), (&perhaps.minus(&sure), false)] {
            if !ports.is_empty() {
                difference.surplus.push(Apart {
                    from: INTERNET.into(),
                    ports: words(ports),
                    certain,
                });
            }
        }
        if !reached && !meant.is_empty() {
            difference.missing.push(Apart {
                from: INTERNET.into(),
                ports: words(&meant),
                certain: true,
            });
        }
    }
}

fn name(workload: &Workload) -> Box<str> {
    format!("{}/{}", workload.namespace, workload.name).into()
}

fn words(ports: &PortSet) -> Box<str> {
    if ports.is_all() {
        "all ports".into()
    } else {
        ports.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text, is) in [
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("*", "", true),
            ("shop-*", "shop-web", true),
            ("shop-*", "shop", false),
            ("*-web", "shop-web", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("ab*ba", "aba", false),
            ("a*a*a", "aa", false),
        ] {
            assert_eq!(fits(pattern, text), is, "{pattern} {text}");
        }
    }
}
