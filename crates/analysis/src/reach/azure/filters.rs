//! What security groups and routes of the nodes' subnets do to packets between pods and the internet.
//!
//! Security groups decide by the first rule that matches, in the order of priority, then by their
//! default rules (Azure documentation, virtual-network/network-security-groups-overview). Traffic within
//! the virtual network and to the platform's own addresses is left as it is.

use model::{Estate, Ref, Resource};

use super::super::address;
use super::super::conn::{Conn, State, Step};
use super::super::policy::Action;
use super::super::ports::{PortSet, Protocol};
use super::super::ranges::Ranges;
use super::Network;

const GROUP: &str = "Microsoft.Network/networkSecurityGroups";
const TABLE: &str = "Microsoft.Network/routeTables";

/// What one subnet does.
#[derive(Debug, PartialEq)]
struct Subnet {
    group: Group,
    route: Route,
}

#[derive(Debug, PartialEq)]
enum Group {
    None,
    Given(String, Vec<Rule>),
    /// It is named and was not given.
    Missing,
}

#[derive(Debug, PartialEq)]
enum Route {
    /// Straight to the internet.
    Direct,
    /// To an appliance.
    Appliance(String),
    /// Nowhere.
    Dropped(String),
    /// A table is named that was not given.
    Missing,
}

#[derive(Debug, PartialEq)]
struct Rule {
    priority: i64,
    inbound: bool,
    action: Action,
    ports: PortSet,
    /// addresses at the far end that surely match, and that may
    sure: Ranges,
    may: Ranges,
}

/// What the nodes' subnets let through.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Filters {
    subnets: Vec<Subnet>,
}

impl Filters {
    pub(crate) fn read(estate: &Estate, network: &Network) -> Self {
        Self {
            subnets: network
                .subnets
                .iter()
                .filter_map(|id| estate.get(*id))
                .map(|subnet| Subnet {
                    group: group(estate, subnet),
                    route: route(estate, subnet),
                })
                .collect(),
        }
    }

    /// The addresses that rules name, so that no end holds some of them and others too.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Ranges> + '_ {
        self.subnets
            .iter()
            .filter_map(|subnet| match &subnet.group {
                Group::Given(_, rules) => Some(rules),
                _ => None,
            })
            .flatten()
            .flat_map(|rule| [rule.sure.clone(), rule.may.clone()])
            .filter(|block| !block.is_empty())
    }

    /// What may leave to public addresses; `None` where nothing is in the way.
    pub(crate) fn outbound(&self, to: &Ranges) -> Option<Conn> {
        if !address::public().covers(to) {
            return None;
        }
        self.over_subnets(|subnet| {
            let mut conn = decide(&subnet.group, false, to, Action::Allow);
            match &subnet.route {
                Route::Direct => {}
                Route::Dropped(_) => conn = Conn::none(),
                Route::Appliance(_) | Route::Missing => conn.sure = PortSet::none(),
            }
            conn
        })
    }

    /// What may come in from public addresses to a node or a load balancer's address.
    pub(crate) fn inbound(&self, from: &Ranges) -> Option<Conn> {
        self.over_subnets(|subnet| match subnet.group {
            // AKS keeps a group of its own on the nodes that follows their Services.
            Group::None => Conn::all(),
            _ => decide(&subnet.group, true, from, Action::Deny),
        })
    }

    /// A pod may be on nodes of any of the subnets.
    fn over_subnets(&self, of: impl Fn(&Subnet) -> Conn) -> Option<Conn> {
        let mut all: Option<Conn> = None;
        for subnet in &self.subnets {
            let one = of(subnet);
            all = Some(match all {
                None => one,
                Some(all) => Conn {
                    sure: all.sure.intersection(&one.sure),
                    may: all.may.union(&one.may),
                },
            });
        }
        all.filter(|conn| *conn != Conn::all())
    }

    /// What is to be said of them.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for subnet in &self.subnets {
            match &subnet.group {
                Group::Given(name, _) => remarks.push(format!(
                    "Between pods and the internet stands the network security group `{name}`."
                )),
                Group::Missing => remarks.push(
                    "The nodes' subnet has a network security group that was not given.".to_owned(),
                ),
                Group::None => {}
            }
            match &subnet.route {
                Route::Appliance(hop) => remarks.push(format!(
                    "Packets to the internet are routed to {hop}: what it lets through is not known."
                )),
                Route::Dropped(table) => remarks.push(format!(
                    "The route table `{table}` drops packets to the internet."
                )),
                Route::Missing => remarks
                    .push("The nodes' subnet has a route table that was not given.".to_owned()),
                Route::Direct => {}
            }
        }
        remarks.sort();
        remarks.dedup();
        remarks
    }
}

/// The first rule that matches decides; after them the default rule.
fn decide(group: &Group, inbound: bool, far: &Ranges, default: Action) -> Conn {
    let rules = match group {
        Group::None => return Conn::all(),
        Group::Missing => {
            return Conn {
                sure: PortSet::none(),
                may: PortSet::all(),
            };
        }
        Group::Given(_, rules) => rules,
    };
    let mut state = State::start();
    for rule in rules.iter().filter(|rule| rule.inbound == inbound) {
        // Of all clients it is asked whether any comes in.
        let sure = if inbound && rule.action == Action::Allow {
            rule.sure.meets(far)
        } else {
            rule.sure.covers(far)
        };
        let step = if sure {
            Step::Rule(rule.action, rule.ports.clone(), rule.ports.clone())
        } else if rule.may.meets(far) {
            Step::Rule(rule.action, PortSet::none(), rule.ports.clone())
        } else {
            continue;
        };
        state = state.after(&step);
    }
    let last = match default {
        Action::Allow => Step::AllowRest,
        _ => Step::DenyRest,
    };
    state.after(&last).conn()
}

fn linked<'e>(
    estate: &'e Estate,
    subnet: &Resource,
    key: &str,
    kind: &str,
) -> Option<Result<&'e Resource, ()>> {
    let reference = subnet.object().path(&["properties", key])?;
    let id = reference.get("id")?;
    let found = id
        .as_str()
        .or_else(|| id.open_expression())
        .and_then(|id| estate.at_id(id))
        .and_then(|id| estate.get(id))
        .filter(|resource| resource.name.kind.is(kind));
    Some(found.ok_or(()))
}

fn group(estate: &Estate, subnet: &Resource) -> Group {
    let group = match linked(estate, subnet, "networkSecurityGroup", GROUP) {
        None => return Group::None,
        Some(Err(())) => return Group::Missing,
        Some(Ok(group)) => group,
    };
    let inline = group
        .object()
        .path(&["properties", "securityRules"])
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|rule| rule.get("properties"));
    let children = estate.links_down(group, &format!("{GROUP}/securityRules"));
    let apart = children
        .iter()
        .filter_map(|id| estate.get(*id)?.object().get("properties"));
    let mut rules: Vec<Rule> = inline.chain(apart).map(rule).collect();
    // Some are both written in the group and children of it; twice is once.
    rules.sort_by_key(|rule| rule.priority);
    Group::Given(group.name.name.to_string(), rules)
}

fn rule(rule: Ref<'_>) -> Rule {
    let word = |key: &str| rule.get(key).and_then(Ref::as_str).unwrap_or_default();
    let inbound = word("direction").eq_ignore_ascii_case("Inbound");
    let allow = word("access").eq_ignore_ascii_case("Allow");
    let far = if inbound { "source" } else { "destination" };
    let (mut sure, mut may) = (Ranges::empty(), Ranges::empty());
    for prefix in texts(
        rule,
        &format!("{far}AddressPrefix"),
        &format!("{far}AddressPrefixes"),
    ) {
        match prefix.map(|text| (text, address::block(text))) {
            Some((_, Some(block))) => {
                sure = sure.union(&block);
                may = may.union(&block);
            }
            Some(("*", _)) => {
                sure = address::v4().union(&address::v6());
                may = sure.clone();
            }
            Some((tag, _)) if tag.eq_ignore_ascii_case("Internet") => {
                sure = sure.union(&address::public());
                may = may.union(&address::public());
            }
            Some((tag, _))
                if ["VirtualNetwork", "AzureLoadBalancer"]
                    .iter()
                    .any(|known| tag.eq_ignore_ascii_case(known)) => {}
            // Tags of services stand for addresses that change.
            _ => may = may.union(&address::public()),
        }
    }
    // A rule for some of the near addresses may not be about these.
    let near = if inbound { "destination" } else { "source" };
    let everyone = texts(
        rule,
        &format!("{near}AddressPrefix"),
        &format!("{near}AddressPrefixes"),
    )
    .iter()
    .any(|prefix| {
        prefix.is_some_and(|text| text == "*" || text.eq_ignore_ascii_case("VirtualNetwork"))
    });
    if !everyone {
        sure = Ranges::empty();
    }
    Rule {
        priority: rule
            .get("priority")
            .and_then(Ref::as_int)
            .unwrap_or(i64::MAX),
        inbound,
        action: if allow { Action::Allow } else { Action::Deny },
        ports: ports(rule),
        sure,
        may,
    }
}

/// A property that is written alone or as a list; `None` for what is open.
fn texts<'r>(rule: Ref<'r>, single: &str, several: &str) -> Vec<Option<&'r str>> {
    let alone = rule.get(single).into_iter();
    let listed = rule.get(several).into_iter().flat_map(Ref::items);
    alone
        .chain(listed)
        .map(Ref::as_str)
        .filter(|text| *text != Some(""))
        .collect()
}

fn ports(rule: Ref<'_>) -> PortSet {
    let protocols: Vec<Protocol> = match rule.get("protocol").and_then(Ref::as_str) {
        Some(word) if word != "*" => Protocol::parse(word).into_iter().collect(),
        _ => Protocol::ALL.to_vec(),
    };
    let mut found = PortSet::none();
    for range in texts(rule, "destinationPortRange", "destinationPortRanges") {
        let range = range.unwrap_or("*");
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (1, u16::MAX),
            Some((first, last)) => (first.parse().unwrap_or(1), last.parse().unwrap_or(u16::MAX)),
            None => match range.parse() {
                Ok(port) => (port, port),
                Err(_) => (1, u16::MAX),
            },
        };
        for protocol in &protocols {
            found = found.union(&PortSet::range(*protocol, first, last));
        }
    }
    found
}

fn route(estate: &Estate, subnet: &Resource) -> Route {
    let table = match linked(estate, subnet, "routeTable", TABLE) {
        None => return Route::Direct,
        Some(Err(())) => return Route::Missing,
        Some(Ok(table)) => table,
    };
    let children = estate.links_down(table, &format!("{TABLE}/routes"));
    let apart = children
        .iter()
        .filter_map(|id| estate.get(*id)?.object().get("properties"));
    let inline = table
        .object()
        .path(&["properties", "routes"])
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|route| route.get("properties"));
    for route in inline.chain(apart) {
        if route.get("addressPrefix").and_then(Ref::as_str) != Some("0.0.0.0/0") {
            continue;
        }
        match route.get("nextHopType").and_then(Ref::as_str) {
            Some("VirtualAppliance") => {
                let hop = route.get("nextHopIpAddress").and_then(Ref::as_str);
                return Route::Appliance(match hop {
                    Some(hop) => format!("the appliance at {hop}"),
                    None => "an appliance".to_owned(),
                });
            }
            Some("VirtualNetworkGateway") => {
                return Route::Appliance("the network's gateway".to_owned());
            }
            Some("None") => return Route::Dropped(table.name.name.to_string()),
            Some("Internet") => return Route::Direct,
            _ => return Route::Missing,
        }
    }
    Route::Direct
}
