//! Live Azure against a loopback server: complete, or honest about what is missing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use oracle::azure::{Azure as Server, Trouble, What, World};
use serde_json::Value;
use sources::azure::{Auth, Azure, Cloud, CloudName, Options, Pace, Surroundings, Trust};
use sources::live::{Event, LiveError, Patience, Source as _};

pub(crate) const CLUSTER: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const NETWORK: &str = "bbbbbbbb-0000-4000-8000-000000000002";
pub(crate) const SHARED: &str = "cccccccc-0000-4000-8000-000000000003";
pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// Three subscriptions: a cluster, the network that it stands in, the registry and vault that it uses.
pub(crate) fn world() -> World {
    let text = include_str!("azure-estate.json");
    let estate: Value = serde_json::from_str(text).unwrap();
    let list = |key: &str| estate[key].as_array().unwrap().clone();
    World {
        subscriptions: list("subscriptions")
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect(),
        resources: list("resources"),
        directory: list("directory"),
        page: 2,
        unregistered: vec!["Microsoft.Cdn".to_owned()],
        versions: vec![(
            "Microsoft.Insights/diagnosticSettings".to_owned(),
            vec!["2021-05-01-preview".to_owned(), "2016-09-01".to_owned()],
        )],
        assertion: "a service account's token".to_owned(),
        ..World::default()
    }
}

/// A file with a service account's token, of one's own: tests run side by side.
pub(crate) fn token_file(token: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("seawall-token-{}-{number}", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, token).unwrap();
    file
}

pub(crate) fn options(server: &Server, world: &World) -> Options {
    let file = token_file(&world.assertion);
    let address = Some(server.address());
    Options {
        cloud: Cloud::new(CloudName::Public, address, address, address).unwrap(),
        auth: Auth::WorkloadIdentity,
        surroundings: Surroundings {
            tenant: Some(TENANT.to_owned()),
            client: Some(NETWORK.to_owned()),
            token_file: Some(file),
            ..Surroundings::default()
        },
        subscriptions: Vec::new(),
        entra: false,
        trust: Trust {
            authorities: vec![server.certificate().as_bytes().to_vec()],
        },
        pace: Pace {
            timeout: Duration::from_secs(5),
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_secs(3),
            attempts: 3,
        },
        patience: Patience::default(),
    }
}

/// What a source tells.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) objects: Vec<Value>,
    complete: BTreeSet<(String, String)>,
    gaps: Vec<(String, String, String)>,
    others: Vec<String>,
    order: Vec<String>,
    /// What the source is called once it was read.
    pub(crate) name: String,
}

impl Told {
    pub(crate) fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Value> {
        self.objects.iter().find(|object| {
            object["id"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .ends_with(&id.to_lowercase())
        })
    }

    pub(crate) fn complete(&self, kind: &str, within: &str) -> bool {
        self.complete
            .contains(&(kind.to_owned(), within.to_owned()))
    }

    pub(crate) fn gap(&self, kind: &str) -> Option<&str> {
        self.gaps
            .iter()
            .find(|(gap, ..)| gap == kind)
            .map(|(.., why)| why.as_str())
    }

    /// The gaps that are not by choice.
    pub(crate) fn troubles(&self) -> Vec<&(String, String, String)> {
        self.gaps
            .iter()
            .filter(|(kind, ..)| !kind.starts_with("Microsoft.Graph/"))
            .collect()
    }
}

pub(crate) fn read(options: Options) -> Result<Told, LiveError> {
    let mut told = Told::default();
    let file = options.surroundings.token_file.clone().unwrap();
    let mut source = Azure::new(options);
    let done = source.read(&mut |event| {
        match event {
            Event::Object(object) => {
                let value: Value = serde_json::from_str(&object.json).unwrap();
                assert_eq!(value["id"].as_str(), Some(&*object.address));
                told.order.push(object.address.to_string());
                told.objects.push(value);
            }
            Event::Complete { kind, within } => {
                told.complete.insert((kind.into(), within.into()));
            }
            Event::Gap(gap) => {
                told.gaps
                    .push((gap.kind.into(), gap.within.into(), gap.why.into()));
            }
            Event::Other { kind, .. } => told.others.push(kind.into()),
            Event::Doing(_) | Event::Kept(_) | Event::Entry(_) => {}
        }
        Ok(())
    });
    std::fs::remove_file(file).unwrap();
    told.name = source.name();
    done.map(|()| told)
}

fn read_world(world: World) -> Told {
    let server = Server::start(world.clone()).unwrap();
    read(options(&server, &world)).unwrap()
}

#[test]
fn three_subscriptions_are_read_to_the_end() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let told = read(options(&server, &world)).unwrap();
    assert_eq!(told.troubles(), Vec::<&(String, String, String)>::new());
    for resource in &world.resources {
        let id = resource["id"].as_str().unwrap();
        let unread = id.contains("/serverFarms/");
        assert_eq!(told.has(id), !unread, "{id}");
    }
    // Each once, in the same order whenever the same is there.
    let unique: BTreeSet<String> = told.order.iter().map(|id| id.to_lowercase()).collect();
    assert_eq!(unique.len(), told.order.len());
    assert_eq!(read(options(&server, &world)).unwrap().order, told.order);
    for kind in [
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.ContainerService/managedClusters/agentPools",
        "Microsoft.Network/virtualNetworks/subnets",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Cdn/profiles",
        "Microsoft.KeyVault/vaults/secrets",
    ] {
        assert!(told.complete(kind, ""), "{kind}");
    }
    // Diagnostic settings are read of some resources, not of everything.
    let settings = "Microsoft.Insights/diagnosticSettings";
    assert!(
        !told.complete(settings, "")
            && !told.complete(settings, &format!("/subscriptions/{CLUSTER}"))
    );
    assert!(
        told.complete
            .iter()
            .any(|(kind, within)| kind == settings && within.ends_with("/managedClusters/shop"))
    );
    assert_eq!(told.others, ["microsoft.web/serverfarms"]);
    let requests = server.requests();
    assert!(
        requests.iter().any(|request| request.contains("skiptoken")),
        "pages are followed"
    );
    assert!(
        requests
            .iter()
            .all(|request| !request.to_lowercase().contains("list")),
        "no keys are listed"
    );
    assert!(
        !requests
            .iter()
            .any(|request| request.contains("Microsoft.Cdn")),
        "an unregistered provider is not asked"
    );
}

pub(crate) fn trouble(request: &str, times: usize, what: What) -> World {
    World {
        troubles: vec![Trouble {
            request: request.to_owned(),
            times,
            what,
        }],
        ..world()
    }
}

const NETWORKS: &str = "Microsoft.Network/virtualNetworks";

#[test]
fn throttling_and_passing_troubles_are_waited_out() {
    let second = jiff::SignedDuration::from_secs(1);
    let then = jiff::Timestamp::now() + second * 3;
    let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let list = "GET /subscriptions/bbbbbbbb-0000-4000-8000-000000000002/providers/Microsoft.Network/virtualNetworks?";
    for (what, waits) in [
        (
            What::Status(
                429,
                "TooManyRequests",
                vec![("Retry-After", "1".to_owned())],
            ),
            true,
        ),
        (
            What::Status(429, "TooManyRequests", vec![("Retry-After", date)]),
            false,
        ),
        (What::Status(503, "ServerTimeout", Vec::new()), false),
        (What::Garbage, false),
        (What::HangUp, false),
    ] {
        let started = Instant::now();
        let shown = format!("{what:?}");
        let told = read_world(trouble(list, 1, what));
        assert_eq!(
            told.troubles(),
            Vec::<&(String, String, String)>::new(),
            "{shown}"
        );
        assert!(told.has("/virtualNetworks/spoke"), "{shown}");
        assert!(
            !waits || started.elapsed() >= Duration::from_millis(900),
            "{shown}"
        );
        // The date says whole seconds.
        let dated = shown.contains("GMT");
        assert!(!dated || jiff::Timestamp::now() >= then - second, "{shown}");
    }
}

#[test]
fn what_does_not_pass_is_a_gap_of_that_type_and_subscription_only() {
    let list = "GET /subscriptions/bbbbbbbb-0000-4000-8000-000000000002/providers/Microsoft.Network/virtualNetworks?";
    for (what, wanted) in [
        (
            What::Status(
                429,
                "TooManyRequests",
                vec![("Retry-After", "600".to_owned())],
            ),
            "600 s",
        ),
        (
            What::Status(500, "InternalServerError", Vec::new()),
            "500 InternalServerError",
        ),
        (
            What::Status(403, "AuthorizationFailed", Vec::new()),
            "403 AuthorizationFailed",
        ),
        (
            What::Status(404, "\u{1b}[31mNotFound", Vec::new()),
            "404 31mNotFound",
        ),
        (What::Garbage, "no whole JSON"),
        (What::HangUp, ""),
        (
            What::NextLink("https://evil.example/steal?api-version=1".to_owned()),
            "another host",
        ),
        (
            What::NextLink("http://127.0.0.1/plain".to_owned()),
            "another host",
        ),
        (What::NextLink("/relative".to_owned()), "another host"),
        (
            What::NextLink("https://user@127.0.0.1/x".to_owned()),
            "another host",
        ),
    ] {
        let shown = format!("{what:?}");
        let told = read_world(trouble(list, usize::MAX, what));
        let why = told
            .gap(NETWORKS)
            .unwrap_or_else(|| panic!("{shown}: no gap"));
        assert!(why.contains(wanted), "{shown}: {why}");
        for (kind, within, _) in told.troubles() {
            assert_eq!(
                (kind.as_str(), within.as_str()),
                (
                    NETWORKS,
                    "/subscriptions/bbbbbbbb-0000-4000-8000-000000000002"
                ),
                "{shown}"
            );
        }
        assert!(
            !told.complete(NETWORKS, "")
                && !told.complete(NETWORKS, &format!("/subscriptions/{NETWORK}"))
        );
        // What stands in networks is not complete either.
        assert!(!told.complete("Microsoft.Network/virtualNetworks/subnets", ""));
        assert!(told.complete(NETWORKS, &format!("/subscriptions/{SHARED}")));
        assert!(told.complete("Microsoft.Network/routeTables", ""));
        // Resource Graph knows which there are: they are read one by one.
        assert!(
            told.has("/virtualNetworks/spoke") && told.has("/virtualNetworks/hub"),
            "{shown}"
        );
    }
}

#[test]
fn pages_that_go_in_a_circle_end() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let list = format!("/subscriptions/{NETWORK}/providers/Microsoft.Network/virtualNetworks?");
    let link = format!("{}{list}api-version=2030-01-01", server.address());
    server.set(World {
        troubles: vec![Trouble {
            request: format!("GET {list}"),
            times: usize::MAX,
            what: What::NextLink(link),
        }],
        ..world.clone()
    });
    let told = read(options(&server, &world)).unwrap();
    assert!(told.gap(NETWORKS).unwrap().contains("circle"));
}

#[test]
fn a_slow_answer_is_not_waited_for_forever() {
    let world = trouble(
        "/registries/shopimages/cacheRules",
        usize::MAX,
        What::Slow(Duration::from_millis(1500)),
    );
    let server = Server::start(world.clone()).unwrap();
    let mut options = options(&server, &world);
    options.pace.timeout = Duration::from_millis(700);
    options.pace.attempts = 1;
    let told = read(options).unwrap();
    assert!(
        told.gap("Microsoft.ContainerRegistry/registries/cacheRules")
            .unwrap()
            .contains("no answer in time")
    );
}

#[test]
fn a_rejected_version_is_replaced_by_one_that_the_cloud_names() {
    let clusters = "Microsoft.ContainerService/managedClusters";
    let message = "The supported api-versions are '2029-01-01, 2028-01-01, 2031-01-01-preview'.";
    let world = trouble(
        "managedClusters?api-version=2030-01-01",
        usize::MAX,
        What::RejectsVersion(message),
    );
    let told = read_world(world);
    assert_eq!(told.troubles(), Vec::<&(String, String, String)>::new());
    assert_eq!(
        told.find("/managedClusters/shop").unwrap()["apiVersion"],
        "2029-01-01"
    );
    // And where nothing helps, it is said.
    let told = read_world(trouble(
        "managedClusters?api-version",
        usize::MAX,
        What::RejectsVersion("is invalid."),
    ));
    assert!(
        told.gap(clusters)
            .unwrap()
            .contains("NoRegisteredProviderFound")
    );
    // Newest stable of what the providers say; diagnostic settings are the exception.
    let told = read_world(self::world());
    assert_eq!(
        told.find("/virtualNetworks/spoke").unwrap()["apiVersion"],
        "2030-01-01"
    );
    assert_eq!(
        told.find("/diagnosticSettings/all").unwrap()["apiVersion"],
        "2021-05-01-preview"
    );
}

#[test]
fn a_cut_answer_of_resource_graph_is_said() {
    let told = read_world(trouble(
        "POST /providers/Microsoft.ResourceGraph",
        usize::MAX,
        What::Truncated,
    ));
    assert!(
        told.gap("Microsoft.ResourceGraph/resources")
            .unwrap()
            .contains("cut")
    );
    assert!(told.complete(NETWORKS, ""), "the lists do not hang on it");
}

#[test]
fn every_right_that_is_taken_away_is_missed_and_nothing_else() {
    let mut world = world();
    let server = Server::start(world.clone()).unwrap();
    let only = |world: &World, subscription: &str| {
        let mut only = options(&server, world);
        only.subscriptions = vec![subscription.to_owned()];
        read(only).unwrap()
    };
    let full =
        [CLUSTER, NETWORK, SHARED].map(|subscription| (subscription, only(&world, subscription)));
    for action in sources::azure::actions() {
        let kind = action.strip_suffix("/read").unwrap();
        // Where there are some of the type.
        let (subscription, full) = full
            .iter()
            .find(|(_, told)| {
                told.objects
                    .iter()
                    .any(|object| object["type"].as_str().unwrap().eq_ignore_ascii_case(kind))
            })
            .unwrap_or(&full[0]);
        for silent in [false, true] {
            world.silent = silent;
            world.denied = vec![(action.clone(), format!("/subscriptions/{subscription}"))];
            server.set(world.clone());
            let told = only(&world, subscription);
            for (gap, within, why) in told.troubles() {
                assert!(
                    gap.eq_ignore_ascii_case(kind) || kind == "Microsoft.Authorization/permissions",
                    "{action}: {gap} in {within}: {why}"
                );
            }
            // What is declared complete is as it was.
            for (kind, within) in &told.complete {
                assert!(
                    full.complete
                        .iter()
                        .any(|(other, place)| other == kind && within.starts_with(place)),
                    "{action}: {kind} {within}"
                );
                let of = |told: &Told| -> BTreeSet<String> {
                    told.objects
                        .iter()
                        .filter(|object| {
                            object["type"].as_str().unwrap().eq_ignore_ascii_case(kind)
                        })
                        // Those that Azure has from the start are read where one is named.
                        .filter(|object| object["properties"]["type"] != "BuiltInRole")
                        .map(|object| object["id"].as_str().unwrap().to_lowercase())
                        .filter(|id| id.starts_with(&within.to_lowercase()))
                        .collect()
                };
                assert_eq!(
                    of(&told),
                    of(full),
                    "{action}: {kind} in {within} is said to be complete"
                );
            }
        }
    }
}

#[test]
fn without_knowing_its_own_rights_nothing_is_called_complete() {
    let mut world = world();
    world.denied = vec![(
        "Microsoft.Authorization/permissions/read".to_owned(),
        format!("/subscriptions/{SHARED}"),
    )];
    let told = read_world(world);
    assert!(told.gap("Microsoft.KeyVault/vaults").is_some());
    assert!(!told.complete("Microsoft.KeyVault/vaults", ""));
    assert!(told.complete(
        "Microsoft.KeyVault/vaults",
        &format!("/subscriptions/{CLUSTER}")
    ));
}

#[test]
fn one_subscription_of_several_says_nothing_of_the_others() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let mut wanted = options(&server, &world);
    wanted.subscriptions = vec![CLUSTER.to_uppercase()];
    let told = read(wanted).unwrap();
    assert!(told.has("/managedClusters/shop") && !told.has("/registries/shopimages"));
    assert!(told.complete.iter().all(|(_, within)| !within.is_empty()));
    let asked = server.requests();
    assert!(!asked.iter().any(|request| request.contains(SHARED)));
    // One that does not exist, or cannot be seen.
    let mut wrong = options(&server, &world);
    wrong.subscriptions = vec!["dddddddd-0000-4000-8000-000000000004".to_owned()];
    let told = read(wrong).unwrap();
    assert!(told.objects.is_empty() && told.complete.is_empty());
    assert!(
        told.gap("Microsoft.ContainerService/managedClusters")
            .unwrap()
            .contains("SubscriptionNotFound")
    );
}

#[test]
fn role_assignments_name_the_resource_whose_identity_holds_them() {
    let told = read_world(world());
    let principal = |id: &str| {
        let found = told.find(id).unwrap();
        (
            found["principal"]["id"]
                .as_str()
                .map(|id| id.rsplit('/').next().unwrap().to_owned()),
            found["principal"]["path"].as_str().map(str::to_owned),
        )
    };
    let path = Some("properties.principalId".to_owned());
    assert_eq!(
        principal("d0000000-0000-4000-8000-000000000001"),
        (Some("id-control".to_owned()), path.clone())
    );
    assert_eq!(
        principal("d0000000-0000-4000-8000-000000000002"),
        (Some("shop-agentpool".to_owned()), path)
    );
    assert_eq!(
        principal("d0000000-0000-4000-8000-000000000006"),
        (None, None)
    );
}

#[test]
fn nothing_that_looks_like_a_credential_is_kept() {
    let told = read_world(world());
    let all: String = told.objects.iter().map(Value::to_string).collect();
    for secret in [
        "redact-me",
        "IyEvYmluL3NoCg==",
        "echo $TOKEN",
        "a service account's token",
        oracle::azure::TOKEN,
    ] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn entra_is_asked_only_when_that_is_wanted() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let told = read(options(&server, &world)).unwrap();
    assert!(
        told.gap("Microsoft.Graph/groups")
            .unwrap()
            .contains("not asked for")
    );
    assert!(
        !server
            .requests()
            .iter()
            .any(|request| request.contains("/v1.0/"))
    );
    let mut wanted = options(&server, &world);
    wanted.entra = true;
    let told = read(wanted).unwrap();
    assert!(told.gap("Microsoft.Graph/groups").is_none());
    let group = told
        .find("/groups/0f000000-0000-4000-8000-00000000000f")
        .unwrap();
    assert_eq!(group["properties"]["displayName"], "platform admins");
    assert_eq!(
        group["properties"]["members"],
        serde_json::json!([
            "09000000-0000-4000-8000-000000000009",
            "0b000000-0000-4000-8000-00000000000b"
        ])
    );
    assert_eq!(
        told.find("/users/0b000000-0000-4000-8000-00000000000b")
            .unwrap()["properties"]["displayName"],
        "Ada"
    );
    let application = told
        .find("/applications/08000000-0000-4000-8000-000000000008")
        .unwrap();
    assert_eq!(
        application["properties"]["passwordCredentials"],
        serde_json::json!([{"keyId": "07000000-0000-4000-8000-000000000007", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2099-12-31T00:00:00Z"}])
    );
    // Refused: said, and the members stay unknown.
    server.set(World {
        troubles: vec![Trouble {
            request: "/transitiveMembers".to_owned(),
            times: usize::MAX,
            what: What::Status(403, "Authorization_RequestDenied", Vec::new()),
        }],
        ..world.clone()
    });
    let mut wanted = options(&server, &world);
    wanted.entra = true;
    let told = read(wanted).unwrap();
    assert!(told.gap("Microsoft.Graph/groups").unwrap().contains("403"));
    let group = told
        .find("/groups/0f000000-0000-4000-8000-00000000000f")
        .unwrap();
    assert!(group["properties"].get("members").is_none());
}

#[test]
fn who_cannot_sign_in_is_told_why() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let mut wrong = options(&server, &world);
    wrong.surroundings.token_file = Some(token_file("somebody else's token"));
    let error = read(wrong).unwrap_err();
    assert!(error.message.contains("AADSTS700211"), "{}", error.message);
    assert!(
        !error.message.contains("somebody else"),
        "{}",
        error.message
    );
    assert!(error.help.unwrap().contains("federated credential"));
    // A certificate that nobody vouches for.
    let mut untrusted = options(&server, &world);
    untrusted.trust = Trust::default();
    assert!(read(untrusted).is_err());
}

#[test]
fn the_role_in_deploy_names_every_right_that_is_used_and_no_other() {
    let text = include_str!("../../../../deploy/azure/seawall-reader.json");
    let role: Value = serde_json::from_str(text).unwrap();
    let named: Vec<&str> = role["Actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap())
        .collect();
    assert_eq!(named, sources::azure::actions());
    assert!(
        named
            .iter()
            .all(|action| action.ends_with("/read") && !action.contains('*'))
    );
    for empty in ["NotActions", "DataActions", "NotDataActions"] {
        assert_eq!(role[empty], serde_json::json!([]));
    }
}
