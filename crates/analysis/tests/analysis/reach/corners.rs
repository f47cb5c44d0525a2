//! Corners of the APIs, one at a time, in words and connections.

use analysis::reach::{Answer, Audience, Conn, End, Engine, Options, Reach, Verdict, Way, address};
use model::Scope;
use model::completeness::Gap;

use super::estate;

/// Two pods in `a`, one in `b`, and a policy.
fn pods() -> String {
    ["a/web", "a/db", "b/job"]
        .map(|name| {
            let (namespace, name) = name.split_once('/').unwrap();
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\nspec:\n  containers:\n  - name: c\n    ports: [{{name: http, containerPort: 8080}}, {{name: http, containerPort: 8081, protocol: UDP}}]\n"
            )
        })
        .join("---\n")
}

fn policy(spec: &str) -> String {
    format!(
        "{}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: a}}\nspec: {spec}\n",
        pods()
    )
}

fn build(text: &str, scope: Scope, engine: Engine) -> Reach {
    let estate = estate::of_yaml(text, scope);
    estate::built(
        &estate,
        &Options {
            engine: (engine != Engine::Upstream).then_some(engine),
            addresses: vec![address::block("20.0.0.0/8").unwrap()],
        },
    )
}

fn end(reach: &Reach, name: &str) -> End {
    if let Some(block) = address::block(name) {
        return reach
            .ends()
            .find(|(_, end)| {
                reach
                    .addresses(*end)
                    .is_some_and(|addresses| addresses.covers(&block))
            })
            .unwrap()
            .1;
    }
    match name {
        "api" => return End::ApiServer,
        "own-node" => return End::OwnNode,
        "other-node" => return End::OtherNode,
        _ => {}
    }
    let workload = reach
        .workloads()
        .iter()
        .find(|one| format!("{}/{}", one.namespace, one.name) == name)
        .unwrap();
    reach.end_of(workload)
}

/// `SURE`, or `SURE (may MAY)`.
fn shown(conn: &Conn) -> String {
    if conn.open().is_empty() {
        conn.sure.to_string()
    } else {
        format!("{} (may {})", conn.sure, conn.open())
    }
}

fn conn(reach: &Reach, from: &str, to: &str) -> String {
    shown(&reach.conn(end(reach, from), end(reach, to)))
}

/// What passes by one policy in a whole estate.
fn by(spec: &str, from: &str, to: &str) -> String {
    conn(
        &build(&policy(spec), Scope::Whole, Engine::Upstream),
        from,
        to,
    )
}

const ALL: &str = "All Connections";
const NOTHING: &str = "No Connections";

#[test]
fn directions_come_from_what_is_there() {
    // Ingress is always meant, even with egress rules alone.
    let egress = "{podSelector: {}, egress: [{}]}";
    assert_eq!(by(egress, "b/job", "a/web"), NOTHING);
    assert_eq!(by(egress, "a/web", "20.0.0.1"), ALL);
    // An empty list of egress rules without types does not close egress.
    let empty = "{podSelector: {}, egress: []}";
    assert_eq!(by(empty, "a/web", "20.0.0.1"), ALL);
    assert_eq!(by(empty, "b/job", "a/web"), NOTHING);
    // With the type it does.
    let typed = "{podSelector: {}, policyTypes: [Egress], egress: []}";
    assert_eq!(by(typed, "a/web", "20.0.0.1"), NOTHING);
    assert_eq!(by(typed, "b/job", "a/web"), ALL);
    // Rules of a direction that is not meant are nothing.
    let other = "{podSelector: {}, policyTypes: [Egress], ingress: [{}], egress: [{}]}";
    assert_eq!(by(other, "b/job", "a/web"), ALL);
    let deny = "{podSelector: {}, ingress: []}";
    assert_eq!(by(deny, "a/db", "a/web"), NOTHING);
    assert_eq!(
        by("{podSelector: {}, ingress: [{}]}", "b/job", "a/web"),
        ALL
    );
}

#[test]
fn peers_in_one_element_are_both_and_in_two_either() {
    let both = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}, podSelector: {matchLabels: {app: web}}}]}]}";
    assert_eq!(by(both, "b/job", "a/web"), NOTHING);
    let either = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}, {podSelector: {matchLabels: {app: db}}}]}]}";
    assert_eq!(by(either, "b/job", "a/web"), ALL);
    assert_eq!(by(either, "a/db", "a/web"), ALL);
    assert_eq!(by(either, "a/web", "a/db"), NOTHING);
}

#[test]
fn named_ports_are_the_destinations() {
    let ingress = "{podSelector: {}, ingress: [{ports: [{port: http}]}]}";
    assert_eq!(by(ingress, "b/job", "a/web"), "TCP 8080");
    let egress = "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http, protocol: UDP}]}]}";
    assert_eq!(by(egress, "a/web", "b/job"), "UDP 8081");
    // Outside nothing has names.
    assert_eq!(by(egress, "a/web", "20.0.0.1"), NOTHING);
    let range =
        "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 90}, {protocol: SCTP}]}]}";
    assert_eq!(by(range, "b/job", "a/web"), "TCP 80-90,SCTP 1-65535");
}

#[test]
fn blocks_are_for_outside_and_engines_differ() {
    let spec = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}";
    let of = |engine| build(&policy(spec), Scope::Whole, engine);
    let upstream = of(Engine::Upstream);
    assert_eq!(conn(&upstream, "a/web", "20.0.0.1"), ALL);
    assert_eq!(conn(&upstream, "a/web", "169.254.169.254"), NOTHING);
    // What a block means to pods is the engine's choice.
    assert_eq!(
        conn(&upstream, "a/web", "b/job"),
        format!("{NOTHING} (may {ALL})")
    );
    assert_eq!(conn(&of(Engine::Calico), "a/web", "b/job"), ALL);
    assert_eq!(conn(&of(Engine::Azure), "a/web", "b/job"), ALL);
    let cilium = of(Engine::Cilium);
    assert_eq!(conn(&cilium, "a/web", "b/job"), NOTHING);
    assert_eq!(conn(&cilium, "a/web", "own-node"), NOTHING);
    assert_eq!(conn(&upstream, "a/web", "own-node"), ALL);
    // Without an engine nothing is closed.
    assert_eq!(conn(&of(Engine::None), "a/web", "169.254.169.254"), ALL);
}

#[test]
fn pods_on_the_nodes_network_are_nodes() {
    let text = format!(
        "{}---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent, namespace: a}}\nspec:\n  selector: {{matchLabels: {{app: agent}}}}\n  template:\n    metadata: {{labels: {{app: agent}}}}\n    spec: {{hostNetwork: true, containers: [{{name: c}}]}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: proxy, namespace: a}}\nspec:\n  selector: {{matchLabels: {{app: proxy}}}}\n  template:\n    metadata: {{labels: {{app: proxy}}}}\n    spec: {{hostNetwork: true, containers: [{{name: c}}]}}\n",
        policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")
    );
    let reach = build(&text, Scope::Whole, Engine::Upstream);
    // The policy does not select them, whatever it says.
    assert_eq!(conn(&reach, "a/agent", "20.0.0.1"), ALL);
    assert_eq!(conn(&reach, "b/job", "a/proxy"), ALL);
    // One is on every node, so on that of the pod; the other may be.
    assert_eq!(conn(&reach, "a/agent", "a/web"), ALL);
    assert_eq!(
        conn(&reach, "a/proxy", "a/web"),
        format!("{NOTHING} (may {ALL})")
    );
    assert_eq!(conn(&reach, "other-node", "a/web"), NOTHING);
}

#[test]
fn labels_that_were_not_given_may_match() {
    let spec =
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}";
    let open = build(&policy(spec), Scope::Open, Engine::Upstream);
    assert_eq!(
        conn(&open, "b/job", "a/web"),
        format!("{NOTHING} (may {ALL})")
    );
    assert_eq!(by(spec, "b/job", "a/web"), NOTHING);
    let given = format!(
        "{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: b, labels: {{team: x}}}}\n",
        policy(spec)
    );
    let given = build(&given, Scope::Open, Engine::Upstream);
    assert_eq!(conn(&given, "b/job", "a/web"), ALL);
    // The name is always known.
    let named = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}]}";
    let named = build(&policy(named), Scope::Open, Engine::Upstream);
    assert_eq!(conn(&named, "b/job", "a/web"), ALL);
    assert_eq!(conn(&named, "a/db", "a/web"), NOTHING);
}

fn facts(spec: &str, scope: Scope) -> analysis::reach::Facts {
    let reach = build(&policy(spec), scope, Engine::Upstream);
    let web = reach
        .workloads()
        .iter()
        .find(|one| &*one.name == "web")
        .unwrap();
    reach.facts(web).clone()
}

#[test]
fn facts_are_unknown_where_what_is_missing_could_change_them() {
    let open = "{podSelector: {matchLabels: {app: db}}}";
    let closed = "{podSelector: {}, policyTypes: [Egress]}";
    let allowed = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}";
    let verdicts = |spec, scope| {
        let facts = facts(spec, scope);
        [&facts.internet, &facts.metadata, &facts.api_server].map(Answer::verdict)
    };
    use Verdict::{No, Unknown, Yes};
    assert_eq!(verdicts(open, Scope::Whole), [Yes, Yes, Yes]);
    assert_eq!(verdicts(closed, Scope::Whole), [No, No, No]);
    assert_eq!(verdicts(allowed, Scope::Whole), [Yes, No, Yes]);
    for spec in [open, closed, allowed] {
        assert_eq!(verdicts(spec, Scope::Open), [Unknown; 3], "{spec}");
    }
    let facts = facts(open, Scope::Open);
    assert!(facts.internet.conn.sure.is_all());
    assert_eq!(
        facts.internet.hangs_on.as_deref(),
        Some("network policies that were not given may exist")
    );
}

#[test]
fn tiers_decide_in_their_order() {
    let cluster = |name: &str, tier: &str, priority: u32, action: &str| {
        format!(
            "---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n  tier: {tier}\n  priority: {priority}\n  subject: {{namespaces: {{}}}}\n  ingress:\n  - action: {action}\n    from: [{{namespaces: {{matchLabels: {{kubernetes.io/metadata.name: b}}}}}}]\n    protocols: [{{tcp: {{destinationPort: {{range: {{start: 80, end: 90}}}}}}}}, {{destinationNamedPort: http}}]\n"
        )
    };
    let ports = "TCP 80-90,8080,UDP 8081";
    let of = |policies: &[String], own: &str| {
        let text = format!("{}{}", policy(own), policies.concat());
        conn(
            &build(&text, Scope::Whole, Engine::Upstream),
            "b/job",
            "a/web",
        )
    };
    let closed = "{podSelector: {}}";
    let accept = cluster("accept", "Admin", 1, "Accept");
    let deny = cluster("deny", "Admin", 2, "Deny");
    assert_eq!(of(&[accept.clone(), deny.clone()], closed), ports);
    // One that passes leaves it to network policies, past what follows in its tier.
    let pass = cluster("pass", "Admin", 0, "Pass");
    assert_eq!(of(&[pass, accept.clone(), deny.clone()], closed), NOTHING);
    // Of two with one priority either may come first.
    let also = cluster("also", "Admin", 1, "Deny");
    assert_eq!(
        of(&[accept, also], closed),
        format!("{NOTHING} (may {ports})")
    );
    // The baseline decides only where no network policy does.
    let baseline = cluster("baseline", "Baseline", 5, "Deny");
    let elsewhere = "{podSelector: {matchLabels: {app: db}}}";
    assert_eq!(
        of(std::slice::from_ref(&baseline), elsewhere),
        "TCP 1-79,91-8079,8081-65535,UDP 1-8080,8082-65535,SCTP 1-65535"
    );
    assert_eq!(of(&[baseline], "{podSelector: {}, ingress: [{}]}"), ALL);
}

#[test]
fn rules_that_nobody_understands_fail_closed() {
    let policy_of = |action: &str| {
        format!(
            "{}---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: p}}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {{namespaces: {{}}}}\n  egress: [{{action: {action}, to: [{{somethingNew: {{}}}}]}}]\n",
            pods()
        )
    };
    let of = |action| {
        conn(
            &build(&policy_of(action), Scope::Whole, Engine::Upstream),
            "a/web",
            "b/job",
        )
    };
    assert_eq!(of("Accept"), ALL);
    assert_eq!(of("Deny"), NOTHING);
    assert_eq!(of("Pass"), NOTHING);
}

#[test]
fn networks_of_administrators_hold_pods_too() {
    let text = format!(
        "{}---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: p}}\nspec:\n  priority: 1\n  subject: {{pods: {{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: web}}}}}}}}\n  egress: [{{action: Deny, to: [{{networks: [0.0.0.0/0]}}], ports: [{{portNumber: {{protocol: TCP, port: 443}}}}]}}]\n",
        pods()
    );
    let reach = build(&text, Scope::Whole, Engine::Upstream);
    for to in ["b/job", "20.0.0.1", "api"] {
        assert_eq!(
            conn(&reach, "a/web", to),
            "TCP 1-442,444-65535,UDP 1-65535,SCTP 1-65535",
            "{to}"
        );
    }
    assert_eq!(conn(&reach, "a/db", "b/job"), ALL);
}

#[test]
fn cilium_policies_close_and_deny() {
    let cilium = |spec: &str| {
        format!(
            "{}---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: a}}\nspec: {spec}\n",
            pods()
        )
    };
    let of = |spec: &str, from: &str, to: &str| {
        let reach = build(&cilium(spec), Scope::Whole, Engine::Upstream);
        assert_eq!(reach.engine(), Engine::Cilium);
        conn(&reach, from, to)
    };
    let web = "endpointSelector: {matchLabels: {app: web}}";
    // An empty rule closes; an empty list says nothing.
    assert_eq!(
        of(&format!("{{{web}, ingress: [{{}}]}}"), "b/job", "a/web"),
        NOTHING
    );
    assert_eq!(
        of(&format!("{{{web}, ingress: []}}"), "b/job", "a/web"),
        ALL
    );
    // Endpoints are of the policy's own namespace unless it says another.
    let any = format!("{{{web}, ingress: [{{fromEndpoints: [{{}}]}}]}}");
    assert_eq!(of(&any, "a/db", "a/web"), ALL);
    assert_eq!(of(&any, "b/job", "a/web"), NOTHING);
    let other = format!(
        "{{{web}, ingress: [{{fromEndpoints: [{{matchLabels: {{'k8s:io.kubernetes.pod.namespace': b}}}}], toPorts: [{{ports: [{{port: '80', protocol: TCP}}]}}]}}]}}"
    );
    assert_eq!(of(&other, "b/job", "a/web"), "TCP 80");
    // It selects no pod of another namespace, and nothing that is no pod.
    let selecting = |selector: &str| {
        let spec = format!("{{endpointSelector: {{{selector}}}, ingress: [{{}}]}}");
        ["a/web", "b/job"].map(|to| of(&spec, "20.0.0.1", to))
    };
    let pod = "'k8s:io.kubernetes.pod.namespace'";
    assert_eq!(
        selecting(&format!("matchLabels: {{{pod}: b}}")),
        [NOTHING, ALL]
    );
    let within = format!("matchExpressions: [{{key: {pod}, operator: In, values: [b]}}]");
    assert_eq!(selecting(&within), [ALL, ALL]);
    assert_eq!(selecting("matchLabels: {'reserved:host': ''}"), [ALL, ALL]);
    assert_eq!(selecting(""), [NOTHING, ALL]);
    // What is denied stays denied, whatever is allowed elsewhere.
    let denied = format!(
        "{{{web}, ingress: [{{fromEntities: [all]}}], ingressDeny: [{{fromEntities: [world]}}]}}"
    );
    assert_eq!(of(&denied, "20.0.0.1", "a/web"), NOTHING);
    assert_eq!(of(&denied, "b/job", "a/web"), ALL);
    // Of paths and names only some is meant.
    let paths = format!(
        "{{{web}, ingress: [{{fromEndpoints: [{{}}], toPorts: [{{ports: [{{port: '80', protocol: TCP}}], rules: {{http: [{{path: /x}}]}}}}]}}]}}"
    );
    assert_eq!(
        of(&paths, "a/db", "a/web"),
        format!("{NOTHING} (may TCP 80)")
    );
    let names = format!("{{{web}, egress: [{{toFQDNs: [{{matchName: example.com}}]}}]}}");
    assert_eq!(
        of(&names, "a/web", "20.0.0.1"),
        format!("{NOTHING} (may {ALL})")
    );
    assert_eq!(of(&names, "a/web", "b/job"), NOTHING);
    let open = format!(
        "{{{web}, enableDefaultDeny: {{ingress: false}}, ingress: [{{fromEndpoints: [{{}}]}}]}}"
    );
    assert_eq!(of(&open, "b/job", "a/web"), ALL);
}

#[test]
fn services_expose_what_policies_let_in() {
    let service = |kind: &str, more: &str| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: a{more}}}\nspec: {{type: {kind}, externalTrafficPolicy: Local, selector: {{app: web}}, ports: [{{port: 443, targetPort: http}}]}}\n"
        )
    };
    let of = |spec: &str, service: &str| {
        let reach = build(
            &format!("{}{service}", policy(spec)),
            Scope::Whole,
            Engine::Upstream,
        );
        let exposures = reach.exposures();
        assert_eq!(exposures.len(), 1);
        let one = &exposures[0];
        assert_eq!(one.front.to_string(), "TCP 443");
        assert_eq!(one.target.to_string(), "TCP 8080");
        (one.way, one.audience, shown(&one.open), one.clone())
    };
    let public = service("LoadBalancer", "");
    let none = "{podSelector: {matchLabels: {app: db}}}";
    let (way, audience, open, _) = of(none, &public);
    assert_eq!(
        (way, audience, open.as_str()),
        (Way::LoadBalancer, Audience::Internet, "TCP 8080")
    );
    // A policy that lets only the cluster in closes it.
    let inner = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}";
    assert_eq!(of(inner, &public).2, NOTHING);
    assert!(!of(inner, &public).3.to_internet());
    let internal = service(
        "LoadBalancer",
        ", annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: 'true'}",
    );
    assert_eq!(of(none, &internal).1, Audience::Network);
}

#[test]
fn routes_need_their_gateway_and_a_grant() {
    let text = |grant: &str, from: &str| {
        format!(
            "{}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: a}}\nspec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: b}}\nspec: {{gatewayClassName: x, listeners: [{{name: web, port: 443, protocol: HTTPS, allowedRoutes: {{namespaces: {{from: {from}}}}}}}]}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: b}}\nspec: {{parentRefs: [{{name: g}}], rules: [{{backendRefs: [{{name: web, namespace: a, port: 80}}]}}]}}\n{grant}",
            pods()
        )
    };
    let grant = "---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: a}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: b}], to: [{group: '', kind: Service}]}\n";
    let count = |text: &str| {
        build(text, Scope::Whole, Engine::Upstream)
            .exposures()
            .len()
    };
    assert_eq!(count(&text(grant, "Same")), 1);
    assert_eq!(count(&text("", "Same")), 0, "no grant");
    let reach = build(&text(grant, "All"), Scope::Whole, Engine::Upstream);
    let one = &reach.exposures()[0];
    assert_eq!(one.way, Way::Gateway);
    assert_eq!(one.front.to_string(), "TCP 443");
    assert_eq!(shown(&one.open), "TCP 8080");
    assert_eq!(one.through.len(), 3, "gateway, route, service");
}

#[test]
fn explanations_name_rules_and_what_closes() {
    let reach = build(
        &policy(
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}, {ports: [{port: 443}]}]}",
        ),
        Scope::Whole,
        Engine::Upstream,
    );
    let why = reach.explain(end(&reach, "b/job"), end(&reach, "a/web"));
    assert_eq!(shown(&why.conn), "TCP 443");
    assert!(why.egress.policies.is_empty());
    let [only] = &why.ingress.policies[..] else {
        panic!("one policy selects it");
    };
    assert!(only.closes);
    let rules: Vec<&str> = only.rules.iter().map(|rule| &*rule.route).collect();
    assert_eq!(rules, ["spec.ingress[1]"]);
}

/// A cluster in a subnet, with what is given of them.
fn azure(profile: &str, rules: &str, route: &str) -> serde_json::Value {
    let text = format!(
        r#"{{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {{"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-05-01", "name": "guard",
      "properties": {{"securityRules": [{rules}]}}}},
    {{"type": "Microsoft.Network/routeTables", "apiVersion": "2024-05-01", "name": "routes",
      "properties": {{"routes": [{route}]}}}},
    {{"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "net",
      "properties": {{"addressSpace": {{"addressPrefixes": ["10.1.0.0/16"]}}, "subnets": [
        {{"name": "nodes", "properties": {{"addressPrefix": "10.1.2.0/24",
          "networkSecurityGroup": {{"id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'guard')]"}},
          "routeTable": {{"id": "[resourceId('Microsoft.Network/routeTables', 'routes')]"}}}}}}]}}}},
    {{"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-05-01", "name": "aks",
      "properties": {{"networkProfile": {profile}, "agentPoolProfiles": [{{"name": "system",
        "vnetSubnetID": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'nodes')]"}}]}}}}
  ]
}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn in_azure(profile: &str, rules: &str, route: &str) -> Reach {
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let objects = [
        azure(profile, rules, route),
        json(
            r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "a", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}"#,
        ),
        json(
            r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "a"}, "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": {"app": "web"}, "ports": [{"port": 443}]}}"#,
        ),
        json(
            r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "port", "namespace": "a"}, "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 30080}]}}"#,
        ),
        json(
            r#"{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "a"}, "spec": {"podSelector": {"matchLabels": {"app": "other"}}}}"#,
        ),
    ];
    let estate = estate::of(&objects, Scope::Whole);
    estate::built(
        &estate,
        &Options {
            engine: None,
            addresses: vec![address::block("20.0.0.0/8").unwrap()],
        },
    )
}

const CALICO: &str = r#"{"networkPlugin": "azure", "networkPolicy": "calico"}"#;

#[test]
fn engines_come_from_the_network_profile() {
    for (profile, engine) in [
        (CALICO, Engine::Calico),
        (r#"{"networkPlugin": "azure"}"#, Engine::None),
        (r#"{"networkPolicy": "none"}"#, Engine::None),
        (r#"{"networkPolicy": "azure"}"#, Engine::Azure),
        (r#"{"networkDataplane": "cilium"}"#, Engine::Cilium),
    ] {
        let reach = in_azure(profile, "", "");
        assert_eq!(reach.engine(), engine, "{profile}");
        assert_eq!(
            reach.policies().len(),
            usize::from(engine != Engine::None),
            "without an engine policies have no effect"
        );
    }
}

#[test]
fn azures_network_stands_between_pods_and_the_internet() {
    let rule = |priority: u32,
                direction: &str,
                access: &str,
                near: &str,
                far: &str,
                ports: &str| {
        format!(
            r#"{{"name": "r{priority}", "properties": {{"priority": {priority}, "direction": "{direction}", "access": "{access}", "protocol": "Tcp", "sourceAddressPrefix": "{near}", "sourcePortRange": "*", "destinationAddressPrefix": "{far}", "destinationPortRange": "{ports}"}}}}"#
        )
    };
    let out = |rules: &str, route: &str| conn(&in_azure(CALICO, rules, route), "a/web", "20.0.0.1");
    assert_eq!(out("", ""), ALL);
    let deny = rule(100, "Outbound", "Deny", "*", "Internet", "1-1000");
    assert_eq!(out(&deny, ""), "TCP 1001-65535,UDP 1-65535,SCTP 1-65535");
    let first = rule(90, "Outbound", "Allow", "*", "20.0.0.0/8", "443");
    assert_eq!(
        out(&format!("{deny},{first}"), ""),
        "TCP 443,1001-65535,UDP 1-65535,SCTP 1-65535"
    );
    let appliance = r#"{"name": "all", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4"}}"#;
    assert_eq!(out("", appliance), format!("{NOTHING} (may {ALL})"));
    let dropped =
        r#"{"name": "all", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}"#;
    assert_eq!(out("", dropped), NOTHING);

    let entrance = |rules: &str| {
        let reach = in_azure(CALICO, rules, "");
        let of = |way| {
            let found = reach.exposures().iter().find(|one| one.way == way);
            found.unwrap().audience
        };
        (of(Way::LoadBalancer), of(Way::NodePort))
    };
    // The group's own last rule stops the internet; nodes have no public address.
    assert_eq!(entrance(""), (Audience::Network, Audience::Network));
    let allow = rule(100, "Inbound", "Allow", "Internet", "*", "443");
    assert_eq!(entrance(&allow), (Audience::Internet, Audience::Network));
}

#[test]
fn nobody_speaks_of_ipv6_who_names_no_such_block() {
    let all = |spec: &str| {
        build(&policy(spec), Scope::Whole, Engine::Upstream)
            .ends()
            .filter_map(|(_, end)| Some(end).filter(|end| matches!(end, End::External(_))))
            .count()
    };
    let reach = build(&policy("{podSelector: {}}"), Scope::Whole, Engine::Upstream);
    let outside = reach
        .ends()
        .filter_map(|(_, end)| reach.addresses(end))
        .fold(analysis::reach::Ranges::empty(), |all, one| all.union(one));
    assert_eq!(outside, address::v4());
    let six = "{podSelector: {}, egress: [{to: [{ipBlock: {cidr: '2001:db8::/32'}}]}]}";
    assert!(all(six) > all("{podSelector: {}}"));
}

/// Policies that the cluster refused to list may stop anything, and let through what others stop.
#[test]
fn what_policies_nobody_could_read_decide_is_open() {
    let closed = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}");
    for text in [pods(), closed] {
        let mut estate = estate::of_yaml(&text, Scope::Open);
        estate.completeness.gap(Gap {
            kind: "NetworkPolicy".into(),
            within: "a".into(),
            why: "the cluster refused to list NetworkPolicies (403)".into(),
        });
        let reach = estate::built(&estate, &Options::default());
        let mut matrix = reach.matrix();
        for (from, to) in [("a/web", "b/job"), ("b/job", "a/db"), ("a/web", "a/db")] {
            let open = reach.conn(end(&reach, from), end(&reach, to));
            assert!(open.sure.is_empty(), "{from} {to}");
            assert_eq!(open.may, Conn::all().may, "{from} {to}");
            let row = matrix.from(reach.number(end(&reach, from)));
            let id = row[reach.number(end(&reach, to))];
            assert_eq!(matrix.conn(id), open, "{from} {to}");
        }
        // Nothing is said of the other namespace.
        let open = reach.conn(end(&reach, "b/job"), end(&reach, "api"));
        assert_eq!(open, Conn::all());
        // Without an engine no policy has an effect.
        let none = Options {
            engine: Some(Engine::None),
            ..Options::default()
        };
        let reach = estate::built(&estate, &none);
        let open = reach.conn(end(&reach, "a/web"), end(&reach, "a/db"));
        assert_eq!(open, Conn::all());
    }
}
