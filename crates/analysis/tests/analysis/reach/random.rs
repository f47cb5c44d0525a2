//! Thousands of random estates: the analysis and the evaluator of [`super::brute`] agree on every
//! pair and port.

use std::net::Ipv4Addr;

use analysis::reach::{Conn, End, Engine, Options, PortSet, Protocol, Reach, address};
use model::Scope;
use serde_json::{Value, json};

use super::brute::{self, Asked, Tri, World};
use super::estate;

/// SplitMix64: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    pub(crate) fn several<T>(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| make(self)).collect()
    }

    pub(crate) fn labels(&mut self) -> Value {
        let mut labels = serde_json::Map::new();
        for key in ["a", "b", "c"] {
            if self.one_in(2) {
                labels.insert(key.to_owned(), json!(self.pick(&["x", "y", "z"])));
            }
        }
        Value::Object(labels)
    }

    pub(crate) fn selector(&mut self) -> Value {
        match self.below(4) {
            0 => json!({}),
            1 => json!({"matchLabels": {self.pick(&["a", "b", "c"]): self.pick(&["x", "y", "z"])}}),
            2 => json!({"matchExpressions": [self.expression()]}),
            _ => json!({
                "matchLabels": {"a": self.pick(&["x", "y"])},
                "matchExpressions": [self.expression()],
            }),
        }
    }

    fn expression(&mut self) -> Value {
        let key = self.pick(&["a", "b", "c"]);
        match self.below(4) {
            0 => json!({"key": key, "operator": "Exists"}),
            1 => json!({"key": key, "operator": "DoesNotExist"}),
            2 => json!({"key": key, "operator": "In", "values": ["x", self.pick(&["y", "z"])]}),
            _ => json!({"key": key, "operator": "NotIn", "values": [self.pick(&["x", "y"])]}),
        }
    }

    pub(crate) fn namespace_selector(&mut self) -> Value {
        if self.one_in(3) {
            let name = format!("n{}", self.below(4));
            return json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
        }
        self.selector()
    }

    fn block(&mut self) -> Value {
        let (cidr, holes): (&str, &[&str]) = self.pick(&[
            (
                "0.0.0.0/0",
                &["169.254.169.254/32", "10.0.0.0/8", "20.0.0.0/7"][..],
            ),
            (
                "10.0.0.0/8",
                &["10.1.0.0/16", "10.1.2.0/24", "10.0.0.4/32"][..],
            ),
            ("10.1.0.0/16", &["10.1.2.0/24"][..]),
            ("20.0.0.0/6", &["20.1.0.0/16", "20.0.0.0/8"][..]),
            ("20.1.2.3/32", &[][..]),
        ]);
        match holes {
            [] => json!({"cidr": cidr}),
            holes if self.one_in(2) => json!({"cidr": cidr, "except": [self.pick(holes)]}),
            _ => json!({"cidr": cidr}),
        }
    }

    fn peer(&mut self) -> Value {
        match self.below(4) {
            0 => json!({"podSelector": self.selector()}),
            1 => json!({"namespaceSelector": self.namespace_selector()}),
            2 => json!({
                "namespaceSelector": self.namespace_selector(),
                "podSelector": self.selector(),
            }),
            _ => json!({"ipBlock": self.block()}),
        }
    }

    fn port(&mut self) -> Value {
        let mut port = match self.below(6) {
            0 => json!({}),
            1 | 2 => json!({"port": self.pick(&["web", "dns", "nobody"])}),
            3 => json!({"port": 79 + self.below(3), "endPort": 81 + self.below(3)}),
            _ => json!({"port": 79 + self.below(5)}),
        };
        if self.one_in(2) {
            port["protocol"] = json!(self.pick(&["TCP", "UDP", "SCTP"]));
        }
        port
    }

    fn rule(&mut self, peers: &str) -> Value {
        let mut rule = json!({});
        if !self.one_in(4) {
            rule[peers] = Value::Array(self.several(3, Self::peer));
        }
        if !self.one_in(3) {
            rule["ports"] = Value::Array(self.several(3, Self::port));
        }
        rule
    }

    fn policy(&mut self, number: usize) -> Value {
        let mut spec = json!({"podSelector": self.selector()});
        match self.below(5) {
            0 => spec["policyTypes"] = json!(["Ingress"]),
            1 => spec["policyTypes"] = json!(["Egress"]),
            2 => spec["policyTypes"] = json!(["Ingress", "Egress"]),
            _ => {}
        }
        if !self.one_in(4) {
            spec["ingress"] = Value::Array(self.several(2, |random| random.rule("from")));
        }
        if !self.one_in(3) {
            spec["egress"] = Value::Array(self.several(2, |random| random.rule("to")));
        }
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": format!("p{number}"), "namespace": format!("n{}", self.below(3))},
            "spec": spec,
        })
    }

    fn admin_peer(&mut self, networks: bool) -> Value {
        match self.below(if networks { 3 } else { 2 }) {
            0 => json!({"namespaces": self.namespace_selector()}),
            1 => json!({"pods": {
                "namespaceSelector": self.namespace_selector(),
                "podSelector": self.selector(),
            }}),
            _ => json!({"networks": [self.pick(&["0.0.0.0/0", "10.1.0.0/16", "20.0.0.0/7"])]}),
        }
    }

    fn admin_rules(&mut self, newer: bool, baseline: bool, side: &str) -> Value {
        let rules = self.several(3, |random| {
            let allow = if newer { "Accept" } else { "Allow" };
            let action = match random.below(if baseline && !newer { 2 } else { 3 }) {
                0 => allow,
                1 => "Deny",
                _ => "Pass",
            };
            let egress = side == "to";
            let mut peers = vec![random.admin_peer(egress)];
            peers.extend(random.several(1, |random| random.admin_peer(egress)));
            let mut rule = json!({"action": action, side: peers});
            if random.one_in(2) {
                let mut ports = vec![random.admin_port(newer)];
                ports.extend(random.several(1, |random| random.admin_port(newer)));
                rule[if newer { "protocols" } else { "ports" }] = Value::Array(ports);
            }
            rule
        });
        Value::Array(rules)
    }

    fn admin_port(&mut self, newer: bool) -> Value {
        let protocol = self.pick(&["TCP", "UDP", "SCTP"]);
        let (first, last) = (79 + self.below(3), 82 + self.below(3));
        let name = self.pick(&["web", "dns"]);
        match (self.below(3), newer) {
            (0, false) => json!({"namedPort": name}),
            (0, true) => json!({"destinationNamedPort": name}),
            (1, false) => {
                json!({"portRange": {"protocol": protocol, "start": first, "end": last}})
            }
            (1, true) => {
                json!({protocol.to_lowercase(): {"destinationPort": {"range": {"start": first, "end": last}}}})
            }
            (_, false) => json!({"portNumber": {"protocol": protocol, "port": first}}),
            (_, true) if self.one_in(3) => json!({protocol.to_lowercase(): {}}),
            (_, true) => json!({protocol.to_lowercase(): {"destinationPort": {"number": first}}}),
        }
    }

    fn admin_policy(&mut self, number: usize) -> Value {
        let newer = self.one_in(2);
        let baseline = self.one_in(3);
        let (kind, version) = match (newer, baseline) {
            (true, _) => ("ClusterNetworkPolicy", self.pick(&["v1alpha2", "v1beta1"])),
            (false, false) => ("AdminNetworkPolicy", "v1alpha1"),
            (false, true) => ("BaselineAdminNetworkPolicy", "v1alpha1"),
        };
        let mut spec = json!({
            "subject": self.admin_peer(false),
            "ingress": self.admin_rules(newer, baseline, "from"),
            "egress": self.admin_rules(newer, baseline, "to"),
        });
        if newer {
            spec["tier"] = json!(if baseline { "Baseline" } else { "Admin" });
        }
        if newer || !baseline {
            spec["priority"] = json!(self.below(4));
        }
        json!({
            "apiVersion": format!("policy.networking.k8s.io/{version}"),
            "kind": kind,
            "metadata": {"name": format!("a{number}")},
            "spec": spec,
        })
    }

    fn cilium_rules(&mut self, side: &str) -> Value {
        let rules = self.several(2, |random| {
            let mut rule = json!({});
            match random.below(5) {
                0 => {
                    let mut selector = random.selector();
                    if random.one_in(2) {
                        let name = format!("n{}", random.below(4));
                        selector["matchLabels"]["k8s:io.kubernetes.pod.namespace"] = json!(name);
                    }
                    rule[format!("{side}Endpoints")] = json!([selector]);
                }
                1 => rule[format!("{side}CIDRSet")] = json!([random.block()]),
                2 => {
                    rule[format!("{side}Entities")] =
                        json!([random.pick(&["all", "world", "cluster"])]);
                }
                _ => {}
            }
            if random.one_in(2) {
                let mut port = match random.below(3) {
                    0 => json!({"port": random.pick(&["web", "dns"])}),
                    1 => json!({"port": "79", "endPort": 82}),
                    _ => json!({"port": format!("{}", 79 + random.below(4))}),
                };
                if random.one_in(2) {
                    port["protocol"] = json!(random.pick(&["TCP", "UDP", "ANY"]));
                }
                rule["toPorts"] = json!([{"ports": [port]}]);
            }
            rule
        });
        Value::Array(rules)
    }

    fn cilium_policy(&mut self, number: usize) -> Value {
        let mut spec = json!({"endpointSelector": self.selector()});
        for (key, side) in [
            ("ingress", "from"),
            ("ingressDeny", "from"),
            ("egress", "to"),
            ("egressDeny", "to"),
        ] {
            if self.one_in(2) {
                spec[key] = self.cilium_rules(side);
            }
        }
        json!({
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumNetworkPolicy",
            "metadata": {"name": format!("c{number}"), "namespace": format!("n{}", self.below(3))},
            "spec": spec,
        })
    }

    pub(crate) fn pod(&mut self, number: u64, addressed: bool) -> Value {
        let ports: Vec<Value> = self.several(2, |random| {
            json!({
                "name": random.pick(&["web", "dns"]),
                "containerPort": 79 + random.below(4),
                "protocol": random.pick(&["TCP", "UDP"]),
            })
        });
        let mut pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": format!("w{number}"),
                "namespace": format!("n{}", self.below(4)),
                "labels": self.labels(),
            },
            "spec": {"containers": [{"name": "c", "ports": ports}]},
        });
        if addressed {
            pod["status"] =
                json!({"podIP": format!("10.{}.{}.{}", self.below(2), self.below(3), number + 1)});
        }
        pod
    }

    pub(crate) fn namespaces(&mut self) -> Vec<Value> {
        let mut found = Vec::new();
        for number in 0..4 {
            if !self.one_in(4) {
                found.push(json!({
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": format!("n{number}"), "labels": self.labels()},
                }));
            }
        }
        found
    }
}

/// Every address that any block begins or ends beside.
const ADDRESSES: [[u8; 4]; 12] = [
    [10, 0, 0, 4],
    [10, 1, 2, 9],
    [10, 1, 3, 9],
    [10, 9, 9, 9],
    [19, 255, 255, 255],
    [20, 0, 9, 9],
    [20, 1, 2, 3],
    [20, 1, 9, 9],
    [21, 0, 0, 1],
    [23, 255, 255, 255],
    [169, 254, 169, 254],
    [200, 0, 0, 1],
];

/// Compares every pair and port; says where they differ.
pub(crate) fn compare(objects: &[Value], scope: Scope, options: &Options, seed: u64) {
    let estate = estate::of(objects, scope);
    let reach = estate::built(&estate, options);
    let world = World {
        objects,
        whole: scope == Scope::Whole,
        cilium: reach.engine() == Engine::Cilium,
    };
    let mut ends: Vec<(brute::End<'_>, usize)> = Vec::new();
    for object in objects.iter().filter(|object| object["kind"] == "Pod") {
        let name = brute::text(object, "/metadata/name");
        let workload = reach
            .workloads()
            .iter()
            .find(|workload| &*workload.name == name)
            .unwrap();
        ends.push((
            brute::End::Pod(object),
            reach.number(reach.end_of(workload)),
        ));
    }
    for bytes in ADDRESSES {
        let address = Ipv4Addr::from(bytes);
        let one = address::single(address.into());
        let (number, _) = reach
            .ends()
            .find(|(_, end)| {
                reach
                    .addresses(*end)
                    .is_some_and(|addresses| addresses.covers(&one))
            })
            .unwrap();
        ends.push((brute::End::Address(address), number));
    }
    let mut matrix = reach.matrix();
    for (from, source) in &ends {
        let row = matrix.from(*source);
        for (to, target) in &ends {
            if matches!((from, to), (brute::End::Address(_), brute::End::Address(_))) {
                continue;
            }
            let conn = matrix.conn(row[*target]);
            if (source + target + seed as usize).is_multiple_of(7) {
                let single = reach.conn(end(&reach, *source), end(&reach, *target));
                assert_eq!(conn, single, "row and question differ, seed {seed}");
            }
            for protocol in Protocol::ALL {
                for port in [1, 78, 79, 80, 81, 82, 83, 84, 65535] {
                    let wanted = world.allowed(
                        *from,
                        *to,
                        Asked {
                            protocol: protocol.name(),
                            port,
                        },
                    );
                    let got = value(&conn, protocol, port as u16);
                    assert_eq!(
                        got,
                        wanted,
                        "seed {seed}: {from:?} to {to:?} by {} {port}; {}\n{}",
                        protocol.name(),
                        conn.may,
                        serde_json::to_string_pretty(objects).unwrap()
                    );
                }
            }
        }
    }
}

fn end(reach: &Reach, number: usize) -> End {
    reach.ends().nth(number).unwrap().1
}

fn value(conn: &Conn, protocol: Protocol, port: u16) -> Tri {
    let has = |set: &PortSet| set.contains(protocol, port);
    match (has(&conn.sure), has(&conn.may)) {
        (true, true) => Tri::Yes,
        (false, true) => Tri::Maybe,
        (false, false) => Tri::No,
        (true, false) => panic!("surely but not perhaps"),
    }
}

/// How many random estates: few by default, `SEAWALL_SEEDS` for more.
pub(crate) fn seeds() -> u64 {
    std::env::var("SEAWALL_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(40)
}

#[test]
fn network_policies_of_random_estates() {
    for seed in 0..seeds() {
        let mut random = Random(seed);
        let addressed = random.one_in(2);
        let mut objects = random.namespaces();
        objects.extend((0..7).map(|number| random.pod(number, addressed)));
        let policies = random.below(6) as usize;
        objects.extend((0..policies).map(|number| random.policy(number)));
        let scope = random.pick(&[Scope::Open, Scope::Whole]);
        compare(&objects, scope, &Options::default(), seed);
    }
}

#[test]
fn policies_of_administrators_of_random_estates() {
    for seed in 0..seeds() {
        let mut random = Random(seed + (1 << 32));
        let mut objects = random.namespaces();
        objects.extend((0..6).map(|number| random.pod(number, true)));
        let (policies, admin) = (random.below(4) as usize, 1 + random.below(4) as usize);
        objects.extend((0..policies).map(|number| random.policy(number)));
        objects.extend((0..admin).map(|number| random.admin_policy(number)));
        compare(&objects, Scope::Whole, &Options::default(), seed);
    }
}

#[test]
fn policies_of_cilium_of_random_estates() {
    let options = Options {
        engine: Some(Engine::Cilium),
        ..Options::default()
    };
    for seed in 0..seeds() {
        let mut random = Random(seed + (2 << 32));
        let mut objects = random.namespaces();
        objects.extend((0..6).map(|number| random.pod(number, false)));
        let (policies, cilium) = (random.below(3) as usize, 1 + random.below(4) as usize);
        objects.extend((0..policies).map(|number| random.policy(number)));
        objects.extend((0..cilium).map(|number| random.cilium_policy(number)));
        compare(&objects, Scope::Whole, &options, seed);
    }
}
