//! Who can talk to whom, as far as somebody sees it: the ends of connections, what passes between them, and why.
//!
//! Workloads that no policy tells apart are one end. Of ends in namespaces that somebody does not see nothing is told,
//! not even that there are any.
//!
//! What it deliberately leaves out: finding it out (`analysis::reach`), and how it is drawn (`pages::map`).

use analysis::reach::{
    Audience, Conn, ConnId, End, Exposure, Facts, Matrix, PortSet, Reach, Verdict, Workload,
    address, metadata_ports,
};
use model::{Estate, ResourceRef};

use super::sight::Sight;

mod fold;

pub(super) use self::fold::Folded;

/// Whether something passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Passes {
    No,
    /// It hangs on something that is not known.
    Perhaps,
    Yes,
}

impl Passes {
    pub(super) fn of(conn: &Conn) -> Self {
        if !conn.sure.is_empty() {
            Self::Yes
        } else if conn.is_none() {
            Self::No
        } else {
            Self::Perhaps
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Perhaps => "perhaps",
            Self::Yes => "yes",
        }
    }
}

/// A place that is no workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outside {
    Internet,
    Metadata,
    ApiServer,
}

impl Outside {
    pub(super) const ALL: [Self; 3] = [Self::Internet, Self::Metadata, Self::ApiServer];

    /// As addresses name it.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Metadata => "metadata",
            Self::ApiServer => "api-server",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Internet => "the internet",
            Self::Metadata => "instance metadata",
            Self::ApiServer => "the API server",
        }
    }
}

/// An end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// Workloads that no policy tells apart: a place in [`Network::groups`].
    Pods(usize),
    Outside(Outside),
}

/// Workloads that no policy tells apart.
#[derive(Debug)]
pub(super) struct Group<'f> {
    class: usize,
    pub(super) namespace: &'f str,
    /// The first by name first; never empty.
    pub(super) members: Vec<&'f Workload>,
    first: &'f Workload,
    /// Their row and column.
    number: usize,
}

impl Group<'_> {
    /// As addresses name it.
    pub(super) fn id(&self) -> String {
        self.first.label()
    }

    /// `web`, `web and 3 more`.
    pub(super) fn title(&self) -> String {
        match self.members.len() - 1 {
            0 => self.first.name.to_string(),
            more => format!("{} and {more} more", self.first.name),
        }
    }
}

/// What somebody sees of who can talk to whom.
pub(super) struct Network<'f> {
    pub(super) reach: &'f Reach,
    pub(super) estate: &'f Estate,
    pub(super) sight: &'f Sight,
    /// By namespace and name.
    pub(super) groups: Vec<Group<'f>>,
}

impl<'f> Network<'f> {
    pub(super) fn of(reach: &'f Reach, estate: &'f Estate, sight: &'f Sight) -> Self {
        // Workloads come by namespace, name and kind.
        let mut groups: Vec<Group<'f>> = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        let seen = |one: &&Workload| sight.sees_namespace(&one.namespace);
        for workload in reach.workloads().iter().filter(seen) {
            let at = *places.entry(workload.class).or_insert_with(|| {
                groups.push(Group {
                    class: workload.class,
                    namespace: &workload.namespace,
                    members: Vec::new(),
                    first: workload,
                    number: reach.number(reach.end_of(workload)),
                });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.members.push(workload);
            }
        }
        Self {
            reach,
            estate,
            sight,
            groups,
        }
    }

    pub(super) fn end(&self, group: &Group<'_>) -> End {
        self.reach.end_of(group.first)
    }

    /// The group that a workload is in.
    pub(super) fn group_of(&self, workload: &Workload) -> Option<usize> {
        let here = |group: &Group<'_>| group.class == workload.class;
        self.groups.iter().position(here)
    }

    /// What an address names: a place outside, a workload, or all of a namespace (`shop/`).
    pub(super) fn find(&self, id: &str) -> Vec<Spot> {
        if let Some(outside) = Outside::ALL.into_iter().find(|one| one.id() == id) {
            return vec![Spot::Outside(outside)];
        }
        let named = |group: &Group<'_>| match id.strip_suffix('/') {
            Some(namespace) => group.namespace == namespace,
            None => group.members.iter().any(|one| one.label() == id),
        };
        let groups = self.groups.iter().enumerate();
        let found = groups.filter(|(_, group)| named(group));
        found.map(|(at, _)| Spot::Pods(at)).collect()
    }

    /// As addresses name an end.
    pub(super) fn id(&self, spot: Spot) -> String {
        match spot {
            Spot::Outside(outside) => outside.id().to_owned(),
            Spot::Pods(at) => self.groups.get(at).map(Group::id).unwrap_or_default(),
        }
    }

    /// What people call it.
    pub(super) fn title(&self, spot: Spot) -> String {
        match spot {
            Spot::Outside(outside) => outside.title().to_owned(),
            Spot::Pods(at) => self.groups.get(at).map_or_else(String::new, |group| {
                format!("{}/{}", group.namespace, group.title())
            }),
        }
    }

    /// What leads from the internet, or may, to pods of a group.
    pub(super) fn entrances(&self, at: usize) -> Vec<&'f Exposure> {
        let reach = self.reach;
        let Some(group) = self.groups.get(at) else {
            return Vec::new();
        };
        let members = group.members.iter();
        let numbers = members.filter_map(|one| {
            let all = reach.workloads();
            all.binary_search_by(|other| order(other).cmp(&order(one)))
                .ok()
        });
        let found = numbers.flat_map(|number| reach.exposures_of(number));
        found.filter(|exposure| exposure.to_internet()).collect()
    }

    /// What pods of a group reach outside.
    pub(super) fn facts(&self, at: usize) -> Option<&Facts> {
        let group = self.groups.get(at)?;
        Some(self.reach.facts(group.first))
    }

    /// Begins to compute rows of what passes between groups.
    pub(super) fn rows(&self) -> Rows<'_, 'f> {
        Rows {
            network: self,
            matrix: self.reach.matrix(),
            known: Vec::new(),
        }
    }

    /// What an object is called, and where it is, for who sees it.
    pub(super) fn object(&self, id: ResourceRef) -> Option<(String, &'f str)> {
        let resource = self.estate.get(id)?;
        let name = &resource.name;
        let seen = self.sight.sees(name);
        seen.then(|| {
            let shown = match &name.namespace {
                Some(namespace) => format!("{} {namespace}/{}", name.kind.name(), name.name),
                None => format!("{} {}", name.kind.name(), name.name),
            };
            (shown, &*resource.origin.path)
        })
    }
}

/// The order of workloads in [`Reach::workloads`].
fn order(workload: &Workload) -> (&str, &str, &str) {
    (&workload.namespace, &workload.name, &workload.kind)
}

/// Whether nothing that is missing could close a way in.
pub(super) fn is_sure(exposure: &Exposure) -> bool {
    exposure.audience == Audience::Internet
        && !exposure.open.sure.is_empty()
        && exposure.hangs_on.is_none()
}

/// Rows of connections, computed as they are asked for.
pub(super) struct Rows<'n, 'f> {
    network: &'n Network<'f>,
    matrix: Matrix<'n>,
    /// By the number of a connection.
    known: Vec<Option<Passes>>,
}

impl Rows<'_, '_> {
    /// What can go from a group to every end.
    pub(super) fn from(&mut self, at: usize) -> Vec<ConnId> {
        let group = self.network.groups.get(at);
        group.map_or_else(Vec::new, |group| self.matrix.from(group.number))
    }

    /// Of a row what goes to a group.
    pub(super) fn to(&self, row: &[ConnId], at: usize) -> ConnId {
        let group = self.network.groups.get(at);
        let id = group.and_then(|group| row.get(group.number));
        id.copied().unwrap_or(ConnId::NONE)
    }

    pub(super) fn conn(&self, id: ConnId) -> Conn {
        self.matrix.conn(id)
    }

    pub(super) fn passes(&mut self, id: ConnId) -> Passes {
        if self.known.len() <= id.index() {
            self.known.resize(id.index() + 1, None);
        }
        if let Some(Some(known)) = self.known.get(id.index()) {
            return *known;
        }
        let passes = Passes::of(&self.matrix.conn(id));
        if let Some(slot) = self.known.get_mut(id.index()) {
            *slot = Some(passes);
        }
        passes
    }
}

/// What passes between two ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passing {
    pub(super) from: Spot,
    pub(super) to: Spot,
    pub(super) passes: Passes,
    /// The ports.
    pub(super) ports: String,
}

impl Network<'_> {
    /// What passes from one of some ends to one of others; what does not is left out. Stops where `see` says so.
    pub(super) fn passing(
        &self,
        from: &[Spot],
        to: &[Spot],
        mut see: impl FnMut(Passing) -> bool,
    ) -> bool {
        let mut rows = self.rows();
        for source in from {
            let mut tell = |to: Spot, passes: Passes, ports: String| {
                passes == Passes::No
                    || see(Passing {
                        from: *source,
                        to,
                        passes,
                        ports,
                    })
            };
            let whole = match *source {
                Spot::Outside(Outside::Internet) => to.iter().all(|target| match *target {
                    Spot::Pods(at) => {
                        let (passes, ports) = self.internet(at);
                        tell(*target, passes, ports)
                    }
                    Spot::Outside(_) => true,
                }),
                Spot::Outside(_) => true,
                Spot::Pods(at) => {
                    let row = rows.from(at);
                    let facts = to
                        .iter()
                        .any(|target| matches!(target, Spot::Outside(_)))
                        .then(|| self.facts(at))
                        .flatten();
                    to.iter().all(|target| match (*target, facts) {
                        (Spot::Pods(other), _) => {
                            let id = rows.to(&row, other);
                            // A pod alone talks to nobody of its kind.
                            let alone = at == other
                                && self
                                    .groups
                                    .get(at)
                                    .is_none_or(|group| group.members.len() < 2);
                            if alone || rows.passes(id) == Passes::No {
                                return true;
                            }
                            tell(*target, rows.passes(id), over(&rows.conn(id)))
                        }
                        (Spot::Outside(outside), Some(facts)) => {
                            let (passes, ports) = to_outside(facts, outside);
                            tell(*target, passes, ports)
                        }
                        _ => true,
                    })
                }
            };
            if !whole {
                return false;
            }
        }
        true
    }

    fn internet(&self, at: usize) -> (Passes, String) {
        let ways = self.entrances(at);
        if ways.is_empty() {
            return (Passes::No, String::new());
        }
        let sure = ways.iter().any(|way| is_sure(way));
        let all = ways.iter().fold(PortSet::none(), |all, way| {
            all.union(if is_sure(way) {
                &way.open.sure
            } else {
                &way.open.may
            })
        });
        let passes = if sure { Passes::Yes } else { Passes::Perhaps };
        (passes, ports(&all))
    }

    /// The numbers of the ends that a place outside is.
    pub(super) fn ends_of(&self, outside: Outside) -> Vec<End> {
        let wanted = match outside {
            Outside::Internet => address::public(),
            Outside::Metadata => address::single(address::METADATA.into()),
            Outside::ApiServer => return vec![End::ApiServer],
        };
        let ends = self.reach.ends();
        let is = |end: End| {
            let addresses = self.reach.addresses(end);
            addresses.is_some_and(|addresses| wanted.covers(addresses))
        };
        ends.filter(|(_, end)| is(*end))
            .map(|(_, end)| end)
            .collect()
    }
}

/// What pods reach of a place outside.
pub(super) fn to_outside(facts: &Facts, outside: Outside) -> (Passes, String) {
    let answer = match outside {
        Outside::Internet => &facts.internet,
        Outside::Metadata => &facts.metadata,
        Outside::ApiServer => &facts.api_server,
    };
    let passes = match answer.verdict() {
        Verdict::No => Passes::No,
        Verdict::Unknown => Passes::Perhaps,
        Verdict::Yes => Passes::Yes,
    };
    let ports = match outside {
        Outside::Metadata => answer.conn.within(&metadata_ports()),
        _ => answer.conn.clone(),
    };
    let ports = if passes == Passes::Perhaps {
        self::ports(&ports.may)
    } else {
        over(&ports)
    };
    (passes, ports)
}

/// `TCP 80`, with what hangs on something after it.
pub(super) fn shown(conn: &Conn) -> String {
    let open = conn.open();
    if open.is_empty() {
        return ports(&conn.sure);
    }
    if conn.sure.is_empty() {
        return format!("perhaps {}", ports(&open));
    }
    format!("{}, perhaps {}", ports(&conn.sure), ports(&open))
}

/// The ports of what passes; where all hangs on something, whether it does is said beside it.
pub(super) fn over(conn: &Conn) -> String {
    if conn.sure.is_empty() {
        ports(&conn.may)
    } else {
        shown(conn)
    }
}

/// `TCP 80`, or that all are.
pub(super) fn ports(ports: &PortSet) -> String {
    if ports.is_all() {
        "everything".to_owned()
    } else {
        ports.to_string()
    }
}
