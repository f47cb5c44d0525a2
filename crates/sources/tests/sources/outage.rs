//! Where Azure as a whole does not answer, or does not know who asks: one error, soon. And what is read of
//! several subscriptions together.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oracle::azure::{Azure as Server, Trouble, What, World};
use serde_json::json;
use sources::azure::{Auth, Azure, Surroundings};
use sources::live::{LiveError, Patience, Source as _};

use crate::azure::{CLUSTER, NETWORK, SHARED, TENANT, options, read, trouble, world};

/// Every request but those for tokens has it.
const ANY: &str = "api-version=";

/// Why nothing can be read, and how many requests it took.
fn failure(world: &World, subscriptions: &[&str]) -> (LiveError, usize) {
    let server = Server::start(world.clone()).unwrap();
    let mut options = options(&server, world);
    options.subscriptions = subscriptions.iter().map(|id| (*id).to_owned()).collect();
    let error = read(options).unwrap_err();
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.contains(ANY))
        .count();
    (error, asked)
}

#[test]
fn an_outage_ends_soon_in_one_error() {
    for (what, wanted, help) in [
        (
            What::Status(500, "InternalServerError", Vec::new()),
            "500 InternalServerError",
            "connected",
        ),
        (What::Status(503, "", Vec::new()), "503", "connected"),
        (
            What::Page(200),
            "a web page instead of Azure's answer",
            "proxy",
        ),
        (What::Page(403), "403 a web page", "proxy"),
        (What::Page(302), "302 a redirect", "proxy"),
        (What::HangUp, "", "connected"),
    ] {
        for subscriptions in [&[][..], &[CLUSTER]] {
            let shown = format!("{what:?} {subscriptions:?}");
            let (error, asked) = failure(&trouble(ANY, usize::MAX, what.clone()), subscriptions);
            assert!(
                error
                    .message
                    .contains("cannot read Azure: https://127.0.0.1:"),
                "{shown}: {error}"
            );
            assert!(error.message.contains(wanted), "{shown}: {error}");
            assert!(
                error.help.as_deref().unwrap().contains(help),
                "{shown}: {:?}",
                error.help
            );
            // A page is no reason to ask again.
            let most = if shown.contains("Page") { 1 } else { 10 };
            assert!(asked <= most, "{shown}: {asked} requests");
        }
    }
}

#[test]
fn an_outage_behind_the_first_list_ends_as_soon() {
    for what in [
        What::Status(500, "InternalServerError", Vec::new()),
        What::Page(200),
        What::HangUp,
    ] {
        let shown = format!("{what:?}");
        let each = |request: &str| Trouble {
            request: request.to_owned(),
            times: usize::MAX,
            what: what.clone(),
        };
        let world = World {
            troubles: vec![each("GET /subscriptions/"), each("POST /providers/")],
            ..world()
        };
        let (error, asked) = failure(&world, &[]);
        assert!(
            error
                .message
                .starts_with("cannot read Azure: https://127.0.0.1:"),
            "{shown}: {error}"
        );
        assert!(asked <= 12, "{shown}: {asked} requests");
    }
}

#[test]
fn one_provider_that_is_away_is_a_gap_of_its_types() {
    let world = trouble("/providers/Microsoft.Network/", usize::MAX, What::Page(200));
    let server = Server::start(world.clone()).unwrap();
    let told = read(options(&server, &world)).unwrap();
    let why = told.gap("Microsoft.Network/virtualNetworks").unwrap();
    assert!(why.contains("a web page"), "{why}");
    for (kind, ..) in told.troubles() {
        assert!(kind.starts_with("Microsoft.Network/"), "{kind}");
    }
    assert!(told.complete("Microsoft.ContainerService/managedClusters", ""));
    assert!(told.complete("Microsoft.KeyVault/vaults", ""));
}

#[test]
fn what_was_read_before_an_outage_is_kept() {
    let world = trouble("/providers/Microsoft.", usize::MAX, What::HangUp);
    let mut world = world;
    // The cluster is read before it begins.
    let begins = [
        "permissions?",
        "ResourceGraph/resources",
        "managedClusters?",
    ];
    let whole = |request: &str| Trouble {
        request: request.to_owned(),
        times: usize::MAX,
        what: What::Headers(Vec::new()),
    };
    world.troubles.splice(0..0, begins.map(whole));
    let server = Server::start(world.clone()).unwrap();
    let mut options = options(&server, &world);
    options.subscriptions = vec![CLUSTER.to_owned()];
    let started = Instant::now();
    let told = read(options).unwrap();
    assert!(told.has("/managedClusters/shop"));
    assert!(!told.complete("Microsoft.KeyVault/vaults", ""));
    assert!(told.gap("Microsoft.KeyVault/vaults").is_some());
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    let asked = server.requests().len();
    assert!(asked < 60, "{asked} requests");
}

#[test]
fn a_token_that_is_not_accepted_ends_it_at_once() {
    let refused = What::Status(401, "InvalidAuthenticationToken", Vec::new());
    for request in [ANY, "/providers/Microsoft.Network/virtualNetworks?"] {
        let (error, asked) = failure(&trouble(request, usize::MAX, refused.clone()), &[]);
        assert!(
            error
                .message
                .contains("does not accept who you are (401 InvalidAuthenticationToken)"),
            "{error}"
        );
        // What helps fits how one signed in.
        assert!(error.help.unwrap().contains("federated credential"));
        assert!(request != ANY || asked == 1, "{asked}");
    }
    let (error, _) = failure(
        &trouble(
            "GET /subscriptions/",
            usize::MAX,
            What::Status(401, "InvalidAuthenticationTokenTenant", Vec::new()),
        ),
        &[CLUSTER],
    );
    assert!(error.message.contains("another tenant"), "{error}");
    assert!(error.help.unwrap().contains("--tenant"));
}

#[test]
fn the_variables_that_are_missing_are_named() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let tenant = Some(TENANT.to_owned());
    let says = |auth: Auth, around: Surroundings| {
        let mut options = options(&server, &world);
        options.auth = auth;
        options.surroundings = around;
        let error = Azure::new(options).read(&mut |_| Ok(())).unwrap_err();
        error.message
    };
    let around = || Surroundings {
        tenant: tenant.clone(),
        ..Surroundings::default()
    };
    assert_eq!(
        says(Auth::Environment, around()),
        "cannot sign in to Azure: AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not set"
    );
    let client = Surroundings {
        client: Some(NETWORK.to_owned()),
        ..around()
    };
    assert_eq!(
        says(Auth::WorkloadIdentity, client),
        "cannot sign in to Azure: AZURE_FEDERATED_TOKEN_FILE is not set"
    );
    assert_eq!(
        says(Auth::WorkloadIdentity, Surroundings::default()),
        "cannot sign in to Azure: AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are not set"
    );
}

/// A service principal where nobody answers: why, in one clause, without the SDK's own words around it.
#[test]
fn why_there_is_no_token_is_one_clause() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let mut options = options(&server, &world);
    options.cloud = sources::azure::Cloud::new(
        sources::azure::CloudName::Public,
        Some("https://127.0.0.1:9"),
        Some(server.address()),
        None,
    )
    .unwrap();
    options.auth = Auth::Environment;
    options.surroundings.secret = Some("a canary".to_owned());
    let error = Azure::new(options).read(&mut |_| Ok(())).unwrap_err();
    let told = error.message.as_str();
    assert!(
        told.starts_with("cannot sign in to Azure: no token: environment: "),
        "{told}"
    );
    for word in ["retry policy", "http", "Credential", "canary"] {
        assert!(!told.contains(word), "{told}");
    }
    assert!(error.help.unwrap().contains("AZURE_CLIENT_SECRET"));
}

#[test]
fn who_waits_is_told_what_for() {
    let world = trouble(
        "GET /subscriptions?",
        1,
        What::Slow(Duration::from_millis(400)),
    );
    let server = Server::start(world.clone()).unwrap();
    let mut options = options(&server, &world);
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&said);
    options.patience = Patience::new(move |what| told.lock().unwrap().push(what.to_owned()));
    options.patience.after = Duration::from_millis(150);
    read(options).unwrap();
    let said = said.lock().unwrap();
    assert!(said.iter().any(|what| what == "127.0.0.1"), "{said:?}");
}

#[test]
fn what_was_read_is_called_by_subscriptions_and_tenant() {
    let world = world();
    let server = Server::start(world.clone()).unwrap();
    let told = read(options(&server, &world)).unwrap();
    assert_eq!(told.name, format!("3 subscriptions of tenant {TENANT}"));
    let mut one = options(&server, &world);
    one.subscriptions = vec![CLUSTER.to_owned()];
    let told = read(one).unwrap();
    assert_eq!(
        told.name,
        format!("subscription {CLUSTER} of tenant {TENANT}")
    );
}

#[test]
fn management_groups_above_several_subscriptions_are_told() {
    let mut world = world();
    world.chains = vec![(
        CLUSTER.to_owned(),
        vec!["corp".to_owned(), TENANT.to_owned()],
    )];
    let server = Server::start(world.clone()).unwrap();
    let told = read(options(&server, &world)).unwrap();
    assert_eq!(told.troubles(), Vec::<&(String, String, String)>::new());
    let own = told
        .find(&format!("/Microsoft.Resources/subscriptions/{CLUSTER}"))
        .unwrap();
    assert_eq!(
        own["properties"]["managementGroupAncestorsChain"],
        json!([{"name": "corp"}, {"name": TENANT}])
    );
    assert!(told.has(&format!("/Microsoft.Resources/subscriptions/{NETWORK}")));
    // One that may not be seen is missing, and that is said.
    world.denied = vec![(
        "Microsoft.Resources/subscriptions/read".to_owned(),
        format!("/subscriptions/{SHARED}"),
    )];
    server.set(world.clone());
    let told = read(options(&server, &world)).unwrap();
    assert!(!told.has(&format!("/Microsoft.Resources/subscriptions/{SHARED}")));
    let why = told.gap("Microsoft.Resources/subscriptions").unwrap();
    assert!(why.contains("1 of 3 subscriptions"), "{why}");
}

#[test]
fn whom_others_name_is_asked_too_and_what_was_read_to_the_end_is_said() {
    let mut world = world();
    let group = "0f000000-0000-4000-8000-0000000000a1";
    world.directory.push(json!({
        "id": group, "@odata.type": "#microsoft.graph.group", "displayName": "developers",
        "members": ["0b000000-0000-4000-8000-00000000000b"],
    }));
    let server = Server::start(world.clone()).unwrap();
    let tell = |named: bool| {
        let mut wanted = options(&server, &world);
        wanted.entra = true;
        let mut source = Azure::new(wanted);
        if named {
            source.principals(&[group.to_uppercase(), "no id".to_owned()].into());
        }
        let (mut groups, mut complete) = (Vec::new(), Vec::new());
        source
            .read(&mut |event| {
                match event {
                    sources::live::Event::Object(object)
                        if object.address.contains("Microsoft.Graph/groups/") =>
                    {
                        groups.push(object.json);
                    }
                    sources::live::Event::Complete { kind, within }
                        if kind.starts_with("Microsoft.Graph/") =>
                    {
                        complete.push(format!("{kind}{within}"));
                    }
                    _ => {}
                }
                Ok(())
            })
            .unwrap();
        complete.sort();
        (groups, complete)
    };
    let is = |json: &String| json.contains("developers");
    assert!(!tell(false).0.iter().any(is));
    let (groups, complete) = tell(true);
    assert!(groups.iter().any(is), "{groups:?}");
    let every = ["applications", "groups", "servicePrincipals", "users"];
    assert_eq!(
        complete,
        every.map(|kind| format!("Microsoft.Graph/{kind}"))
    );
    server.set(World {
        troubles: vec![Trouble {
            request: "/transitiveMembers".to_owned(),
            times: usize::MAX,
            what: What::Status(403, "Authorization_RequestDenied", Vec::new()),
        }],
        ..world.clone()
    });
    let (_, complete) = tell(true);
    assert_eq!(
        complete,
        ["servicePrincipals", "users"].map(|kind| format!("Microsoft.Graph/{kind}"))
    );
}
