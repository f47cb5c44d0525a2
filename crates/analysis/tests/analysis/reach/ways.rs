//! What leads where: from the internet to pods, from pods to the API server and to metadata, by what Azure
//! and the Gateway API say.

use analysis::reach::{
    Answer, Audience, Conn, Engine, Exposure, Facts, Options, Reach, Verdict, Way, address,
};
use model::{Estate, Scope};
use serde_json::{Value, json};

use super::estate;

fn template(resources: &[Value]) -> Value {
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"access": {"type": "string"}, "profile": {"type": "object"}},
        "resources": resources,
    })
}

fn subnet(name: &str, prefix: &str) -> Value {
    json!({"type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2024-05-01",
        "name": format!("net/{name}"), "properties": {"addressPrefix": prefix}})
}

fn subnet_id(name: &str) -> String {
    format!("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', '{name}')]")
}

/// A cluster whose nodes are in `10.1.0.0/24`; `10.1.9.0/28` is another subnet.
fn cluster(name: &str, profile: &Value, access: &Value, pool: &Value) -> Value {
    let mut pool = pool.clone();
    pool["name"] = json!("system");
    pool["vnetSubnetID"] = json!(subnet_id("nodes"));
    let properties = json!({"networkProfile": profile, "apiServerAccessProfile": access, "agentPoolProfiles": [pool]});
    json!({"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-05-01", "name": name, "properties": properties})
}

fn with_clusters(clusters: Vec<Value>) -> Value {
    let mut all = vec![subnet("nodes", "10.1.0.0/24"), subnet("api", "10.1.9.0/28")];
    all.extend(clusters);
    template(&all)
}

fn pod(name: &str, host: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "a", "labels": {"app": name}},
        "spec": {"hostNetwork": host, "containers": [{"name": "c"}]}})
}

fn policy(spec: Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "a"}, "spec": spec})
}

fn egress(to: &Value) -> Value {
    policy(json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [to]}]}))
}

fn built(objects: &[Value], scope: Scope) -> (Estate, Reach) {
    let estate = estate::of(objects, scope);
    let reach = estate::built(&estate, &Options::default());
    (estate, reach)
}

fn facts(objects: &[Value], scope: Scope, name: &str) -> Facts {
    let (_, reach) = built(objects, scope);
    let workload = reach.workloads().iter().find(|one| &*one.name == name);
    reach.facts(workload.unwrap()).clone()
}

fn calico() -> Value {
    json!({"networkPolicy": "calico"})
}

#[test]
fn the_api_server_is_where_the_cluster_says() {
    let verdict = |access: &Value, to: &Value| {
        let cluster = cluster("aks", &calico(), access, &json!({}));
        let objects = [with_clusters(vec![cluster]), pod("web", false), egress(to)];
        facts(&objects, Scope::Whole, "web").api_server.verdict()
    };
    let block = |cidr: &str| json!({"ipBlock": {"cidr": cidr}});
    let integrated = json!({"enableVnetIntegration": true, "subnetId": subnet_id("api")});
    assert_eq!(verdict(&integrated, &block("10.1.9.0/24")), Verdict::Yes);
    assert_eq!(verdict(&integrated, &block("10.1.8.0/24")), Verdict::No);
    assert_eq!(verdict(&integrated, &block("8.0.0.0/8")), Verdict::No);
    // The subnet is not written: somewhere in a private network.
    let somewhere = json!({"enableVnetIntegration": true});
    assert_eq!(verdict(&somewhere, &block("10.1.9.0/24")), Verdict::Unknown);
    assert_eq!(verdict(&somewhere, &block("8.0.0.0/8")), Verdict::No);
    // A private endpoint beside the nodes.
    let private = json!({"enablePrivateCluster": true});
    assert_eq!(verdict(&private, &block("10.1.0.0/24")), Verdict::Yes);
    assert_eq!(verdict(&private, &block("10.1.9.0/24")), Verdict::No);
    // A public address.
    let hole = json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}});
    assert_eq!(verdict(&json!({}), &hole), Verdict::Yes);
    assert_eq!(verdict(&json!({}), &block("10.0.0.0/8")), Verdict::No);
    assert_eq!(verdict(&json!({}), &block("20.0.0.0/8")), Verdict::Unknown);
    let open = json!("[parameters('profile')]");
    assert_eq!(verdict(&open, &block("10.0.0.0/8")), Verdict::Unknown);
}

#[test]
fn a_running_cluster_shows_where_its_api_server_is() {
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4", "endpoints": [{"addresses": ["10.7.0.4"]}]});
    let verdict = |cidr: &str| {
        let to = json!({"ipBlock": {"cidr": cidr}});
        let objects = [slice.clone(), pod("web", false), egress(&to)];
        facts(&objects, Scope::Whole, "web").api_server.verdict()
    };
    assert_eq!(verdict("10.7.0.0/24"), Verdict::Yes);
    assert_eq!(verdict("10.8.0.0/24"), Verdict::No);
}

#[test]
fn nodes_can_keep_pods_from_metadata() {
    let of = |access: &Value, pool: &Value, scope: Scope, name: &str| {
        let profile = json!({"networkPolicy": "calico", "podLinkLocalAccess": access});
        let cluster = cluster("aks", &profile, &json!({}), pool);
        let objects = [
            with_clusters(vec![cluster]),
            pod("web", false),
            pod("agent", true),
        ];
        let facts = facts(&objects, scope, name);
        (facts.metadata.verdict(), facts.wire_server.verdict())
    };
    let linux = json!({});
    let (closed, open) = (json!("None"), json!("IMDS"));
    let whole = Scope::Whole;
    assert_eq!(
        of(&closed, &linux, whole, "web"),
        (Verdict::No, Verdict::Yes)
    );
    assert_eq!(of(&open, &linux, whole, "web").0, Verdict::Yes);
    assert_eq!(
        of(&closed, &linux, whole, "agent").0,
        Verdict::Yes,
        "on its node's network"
    );
    // No policy that was not given opens it.
    assert_eq!(of(&closed, &linux, Scope::Open, "web").0, Verdict::No);
    assert_eq!(of(&open, &linux, Scope::Open, "web").0, Verdict::Unknown);
    let windows = json!({"osType": "Windows"});
    assert_eq!(of(&closed, &windows, whole, "web").0, Verdict::Unknown);
    let parameter = json!("[parameters('access')]");
    assert_eq!(of(&parameter, &linux, whole, "web").0, Verdict::Unknown);
}

#[test]
fn the_matrix_knows_of_the_nodes_too() {
    let profile = json!({"podLinkLocalAccess": "None"});
    let cluster = cluster("aks", &profile, &json!({}), &json!({}));
    let objects = [
        with_clusters(vec![cluster]),
        pod("web", false),
        pod("agent", true),
    ];
    let (_, reach) = built(&objects, Scope::Whole);
    let metadata = address::single(address::METADATA.into());
    let (to, _) = reach
        .ends()
        .find(|(_, end)| reach.addresses(*end) == Some(&metadata))
        .unwrap();
    let mut matrix = reach.matrix();
    for workload in reach.workloads() {
        let from = reach.end_of(workload);
        let row = matrix.from(reach.number(from));
        let conn = matrix.conn(row[to]);
        assert_eq!(conn.is_none(), &*workload.name == "web");
        let single = reach.ends().nth(to).unwrap().1;
        assert_eq!(conn, reach.conn(from, single), "row and single question");
    }
}

#[test]
fn metadata_answers_on_one_port() {
    let of = |port: Value| {
        let rule =
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [port]}]});
        let facts = facts(&[pod("web", false), policy(rule)], Scope::Whole, "web");
        (facts.metadata.verdict(), facts.wire_server.verdict())
    };
    assert_eq!(
        of(json!({"port": 53, "protocol": "UDP"})),
        (Verdict::No, Verdict::No),
        "names, not metadata"
    );
    assert_eq!(of(json!({"port": 80})), (Verdict::Yes, Verdict::Yes));
    assert_eq!(of(json!({"port": 32526})), (Verdict::No, Verdict::Yes));
}

fn service(more: Value) -> Value {
    let mut spec = json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "a"}, "spec": spec})
}

#[test]
fn nodes_without_public_addresses_are_for_the_network() {
    let audiences = |pools: &[Value]| {
        let clusters = pools
            .iter()
            .enumerate()
            .map(|(at, pool)| cluster(&format!("aks{at}"), &calico(), &json!({}), pool))
            .collect();
        let mut port = pod("web", false);
        port["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080, "hostPort": 8080}]);
        let objects = [
            with_clusters(clusters),
            port,
            pod("agent", true),
            service(json!({"type": "NodePort"})),
        ];
        let (_, reach) = built(&objects, Scope::Whole);
        let mut found: Vec<Audience> = reach
            .exposures()
            .iter()
            .map(|one| {
                assert!(matches!(
                    one.way,
                    Way::NodePort | Way::HostPort | Way::HostNetwork
                ));
                one.audience
            })
            .collect();
        assert_eq!(found.len(), 3);
        found.dedup();
        found
    };
    let (none, no) = (json!({}), json!({"enableNodePublicIP": false}));
    let yes = json!({"enableNodePublicIP": true});
    assert_eq!(audiences(std::slice::from_ref(&none)), [Audience::Network]);
    assert_eq!(audiences(&[none.clone(), no.clone()]), [Audience::Network]);
    assert_eq!(audiences(&[no, yes.clone()]), [Audience::Unknown]);
    assert_eq!(audiences(&[yes.clone(), yes]), [Audience::Internet]);
    assert_eq!(audiences(&[]), [Audience::Unknown]);
    let prefix = json!({"nodePublicIPPrefixID": "x"});
    assert_eq!(audiences(&[prefix]), [Audience::Unknown]);
}

fn only(exposures: &[Exposure]) -> &Exposure {
    let [one] = exposures else {
        panic!("one way: {exposures:?}")
    };
    one
}

#[test]
fn ways_in_are_for_the_clients_that_are_asked_about() {
    let rule = policy(json!({"podSelector": {}, "ingress": [
        {"from": [{"ipBlock": {"cidr": "20.0.0.0/8"}}]}]}));
    let (all, local) = (
        json!({"type": "LoadBalancer"}),
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}),
    );
    let of = |service_of: &Value, client: &str| -> Conn {
        let objects = [pod("web", false), service(service_of.clone()), rule.clone()];
        let estate = estate::of(&objects, Scope::Whole);
        let client = address::block(client).unwrap();
        let options = Options {
            engine: Some(Engine::Calico),
            addresses: vec![client.clone()],
        };
        let reach = estate::built(&estate, &options);
        only(&reach.exposures_to(&estate, &client)).open.clone()
    };
    assert_eq!(of(&local, "20.1.0.0/16").sure.to_string(), "TCP 8080");
    assert!(of(&local, "8.8.8.8").is_none());
    // The node may stand in the client's place.
    assert!(of(&all, "20.1.0.0/16").sure.is_empty());
    assert!(!of(&all, "20.1.0.0/16").is_none());
    // Clients that the load balancer itself does not let in.
    let few = json!({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]});
    assert!(of(&few, "20.1.0.0/16").is_none());
}

#[test]
fn policies_alone_lead_nowhere() {
    let (_, reach) = built(&[pod("web", false)], Scope::Whole);
    assert!(reach.exposures().is_empty());
    let web = &reach.workloads()[0];
    assert!(reach.let_in(web, &address::public()).sure.is_all());
}

fn gateway(class: &str, listener: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "g", "namespace": "a"},
        "spec": {"gatewayClassName": class, "listeners": [{"name": "l", "port": 443, "protocol": "HTTPS", "hostname": listener}]}})
}

fn route(hosts: &Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "a"},
        "spec": {"parentRefs": [{"name": "g"}], "hostnames": hosts, "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}})
}

#[test]
fn routes_need_a_host_in_common_with_their_listener() {
    let hosts = |listener: &str, route_hosts: Value| {
        let objects = [
            pod("web", false),
            service(json!({})),
            gateway("x", listener),
            route(&route_hosts),
        ];
        let (_, reach) = built(&objects, Scope::Whole);
        reach.exposures().first().map(|one| {
            one.hosts
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(hosts("a.example", json!(["b.example"])), None);
    assert_eq!(
        hosts("a.example", json!(["b.example", "A.example"])),
        some("A.example")
    );
    assert_eq!(
        hosts("*.example", json!(["a.example", "x.y.example", "example"])),
        some("a.example x.y.example")
    );
    assert_eq!(
        hosts("a.b.example", json!(["*.example"])),
        some("a.b.example")
    );
    assert_eq!(
        hosts("*.example", json!(["*.b.example"])),
        some("*.b.example")
    );
    assert_eq!(hosts("*.example", json!(["*.other"])), None);
    assert_eq!(hosts("a.example", json!([])), some("a.example"));
    assert_eq!(hosts("", json!(["b.example"])), some("b.example"));
    assert_eq!(hosts("", json!([])), some(""));
}

#[test]
fn application_gateway_for_containers_is_public() {
    let association = |subnet: &str| {
        json!({"type": "Microsoft.ServiceNetworking/trafficControllers/associations", "apiVersion": "2025-01-01",
            "name": "alb/a", "properties": {"associationType": "subnets", "subnet": {"id": subnet_id(subnet)}}})
    };
    let rule = |cidr: &str| {
        policy(json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": cidr}}]}]}))
    };
    let of = |class: &str, more: Vec<Value>| {
        let mut objects = vec![
            pod("web", false),
            service(json!({})),
            gateway(class, "a.example"),
            route(&json!([])),
        ];
        objects.extend(more);
        let (_, reach) = built(&objects, Scope::Whole);
        only(reach.exposures()).clone()
    };
    assert_eq!(of("x", vec![]).audience, Audience::Unknown);
    let public = of("azure-alb-external", vec![]);
    assert_eq!(
        (public.audience, public.because),
        (Audience::Internet, None)
    );
    // Its proxies are in the subnet of the association.
    let alb = |subnet: &str| {
        let network = template(&[
            self::subnet("nodes", "10.1.0.0/24"),
            self::subnet("api", "10.1.9.0/28"),
            association(subnet),
            cluster("aks", &calico(), &json!({}), &json!({})),
        ]);
        of("azure-alb-external", vec![network, rule("10.1.9.0/28")]).open
    };
    assert_eq!(alb("api").sure.to_string(), "TCP 8080");
    assert!(alb("nodes").is_none());
    // Without it: whichever private address.
    let unknown = of("azure-alb-external", vec![rule("10.1.9.0/28")]).open;
    assert!(unknown.sure.is_empty() && !unknown.is_none());
    let another = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
        "metadata": {"name": "azure-alb-external"}, "spec": {"controllerName": "example.org/own"}});
    assert_eq!(
        of("azure-alb-external", vec![another]).audience,
        Audience::Unknown
    );
}

#[test]
fn peers_that_the_api_server_refuses_are_named() {
    let remarks = |peer: Value| {
        let (_, reach) = built(&[pod("web", false), egress(&peer)], Scope::Whole);
        reach.remarks().join("|")
    };
    let block = |cidr: &str, except: &[&str]| json!({"ipBlock": {"cidr": cidr, "except": except}});
    assert_eq!(remarks(block("10.0.0.0/8", &["10.1.0.0/16"])), "");
    assert_eq!(remarks(json!({"podSelector": {}})), "");
    for (peer, why) in [
        (
            json!({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
            "`ipBlock` stands alone, without a selector",
        ),
        (block("10.0.0.0", &[]), "`10.0.0.0` is no address block"),
        (
            block("10.0.0.0/8", &["11.0.0.0/16"]),
            "`11.0.0.0/16` is no part of `10.0.0.0/8`",
        ),
        (
            block("10.0.0.0/8", &["10.0.0.0/8"]),
            "`10.0.0.0/8` is no part of `10.0.0.0/8`",
        ),
        (json!({}), "it names nobody"),
    ] {
        assert_eq!(
            remarks(peer),
            format!("NetworkPolicy a/p: the API server refuses spec.egress[0].to[0]: {why}.")
        );
    }
}

#[test]
fn answers_without_a_way_are_settled() {
    // A fact that the network of the nodes settles hangs on nothing.
    let profile = json!({"networkPolicy": "calico", "podLinkLocalAccess": "None"});
    let cluster = cluster("aks", &profile, &json!({}), &json!({}));
    let facts = facts(
        &[with_clusters(vec![cluster]), pod("web", false)],
        Scope::Open,
        "web",
    );
    let Answer { hangs_on, conn, .. } = facts.metadata;
    assert!(hangs_on.is_none() && conn.is_none());
    assert!(facts.internet.hangs_on.is_some());
}
