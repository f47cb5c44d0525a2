//! Registries that are busy, slow, closed, or want tokens: against servers on loopback that answer as a test wants.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use model::image::Reference;
use serde_json::{Value, json};
use sources::azure::Trust;
use sources::live::{Event, ImageUse, Images, Source as _};
use sources::registry::{Options, Pace, Source, Trusted};

/// A request: its path and who asks.
struct Request {
    path: String,
    authorization: String,
    body: String,
}

/// Status, headers, body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// A server that answers by a function.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    /// the most that were answered at once
    most: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let most = Arc::new(AtomicUsize::new(0));
        let now = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(answer);
        let server = Self {
            address,
            requests: Arc::clone(&requests),
            most: Arc::clone(&most),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                let (most, now) = (Arc::clone(&most), Arc::clone(&now));
                thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    let mut stream = BufReader::new(stream);
                    while let Some(request) = receive(&mut stream) {
                        requests.lock().unwrap().push(request.path.clone());
                        let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(at_once, Ordering::SeqCst);
                        let answer = answer(&request);
                        now.fetch_sub(1, Ordering::SeqCst);
                        if send(stream.get_mut(), &answer).is_none() {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    fn asked(&self, part: &str) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|path| path.contains(part)).count()
    }
}

fn receive(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.trim().clone_into(&mut authorization),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(stream, &mut body).ok()?;
    Some(Request {
        path,
        authorization,
        body: String::from_utf8(body).ok()?,
    })
}

fn send(stream: &mut TcpStream, (status, headers, body): &Answer) -> Option<()> {
    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut whole = head.into_bytes();
    whole.extend_from_slice(body);
    stream.write_all(&whole).ok()
}

fn with(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (status, headers.collect(), body)
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of one layer, whatever it is called.
fn image(path: &str) -> Answer {
    let config = br#"{"os":"linux","architecture":"amd64","created":"2026-11-01T00:00:00Z","config":{"User":"7"}}"#;
    let digest = images_digest(config);
    if path.contains("/blobs/") {
        return with(200, &[], config.to_vec());
    }
    let absent = path.contains("/referrers/") || path.contains("/manifests/sha256-");
    if absent {
        return with(404, &[], Vec::new());
    }
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 1000}],
    });
    with(
        200,
        &[("content-type", MANIFEST)],
        manifest.to_string().into_bytes(),
    )
}

fn images_digest(bytes: &[u8]) -> String {
    oracle::digest(bytes)
}

fn pace() -> Pace {
    Pace {
        timeout: Duration::from_millis(300),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_secs(2),
        attempts: 4,
        connections: 4,
    }
}

/// What is told of images: objects by name, and what could not be read.
#[derive(Default)]
struct Told {
    objects: Vec<Value>,
    unread: Vec<(String, String, Option<String>)>,
}

impl Told {
    fn all(&self, key: &str) -> Vec<&Value> {
        self.objects.iter().map(|object| &object[key]).collect()
    }
}

fn ask(address: &str, count: usize, docker: Option<std::path::PathBuf>) -> Told {
    let mut images = Images::new();
    for number in 0..count {
        let reference = Reference::read(&format!("{address}/web{number:04}:1")).unwrap();
        let used = ImageUse {
            used_by: BTreeSet::from(["shop/Pod/web".to_owned()]),
            ..ImageUse::default()
        };
        images.insert(reference, used);
    }
    let mut source = Source::new(Options {
        ask: true,
        layers: false,
        platform: "linux/amd64".to_owned(),
        trusted: Trusted::default(),
        scans: Vec::new(),
        docker,
        azure: None,
        trust: Trust::default(),
        pace: pace(),
        now: "2026-11-27T00:00:00Z".parse().unwrap(),
    });
    source.images(&images);
    let mut told = Told::default();
    source
        .read(&mut |event| {
            match event {
                Event::Kept(kept) => told.objects.push(serde_json::from_str(&kept.json).unwrap()),
                Event::Entry(entry) => told.unread.push((
                    entry.path.to_string(),
                    entry.reason.as_deref().unwrap_or_default().to_owned(),
                    entry.help.as_deref().map(str::to_owned),
                )),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    told
}

/// Why something is open.
fn why(value: &Value) -> &str {
    assert_eq!(value["$seawall"], "open", "{value}");
    value["text"].as_str().unwrap()
}

#[test]
fn a_thousand_images_are_asked_for_by_few_at_a_time() {
    let server = Server::start(|request| image(&request.path));
    let told = ask(&server.address, 1000, None);
    assert_eq!(told.unread, []);
    assert_eq!(told.objects.len(), 1000);
    assert!(told.all("found").iter().all(|found| **found == true));
    assert!(
        told.objects
            .iter()
            .all(|object| object["config"]["user"] == "7")
    );
    assert!(
        told.objects
            .iter()
            .all(|object| object["signatures"] == json!([]))
    );
    // In the order of names, whatever was answered first.
    let names = told
        .objects
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap());
    assert!(names.is_sorted());
    let most = server.most.load(Ordering::SeqCst);
    assert!(most <= 4, "{most} at once");
}

#[test]
fn what_is_down_is_unknown_and_not_asked_for_ever() {
    // Nobody listens at a port that was given back.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let told = ask(&address, 200, None);
    assert_eq!(told.objects.len(), 200);
    assert_eq!(told.unread.len(), 200);
    for key in ["found", "digest", "config", "signatures", "attestations"] {
        for value in told.all(key) {
            assert!(why(value).contains("does not answer"), "{value}");
        }
    }
}

#[test]
fn what_is_slow_is_unknown() {
    let server = Server::start(|request| {
        thread::sleep(Duration::from_secs(1));
        image(&request.path)
    });
    let told = ask(&server.address, 100, None);
    assert!(
        told.all("found")
            .iter()
            .all(|value| why(value).contains("no answer in time"))
    );
    // A hundred images are not waited for one by one.
    assert!(server.asked("/manifests/") < 100, "{}", server.asked(""));
}

#[test]
fn what_refuses_is_unknown_and_says_what_to_do() {
    let server = Server::start(|_| {
        with(
            401,
            &[("www-authenticate", "Basic realm=\"x\"")],
            Vec::new(),
        )
    });
    let told = ask(&server.address, 3, None);
    assert_eq!(told.unread.len(), 3);
    let (_, reason, help) = &told.unread[0];
    assert_eq!(reason, "the registry refuses who asks (401)");
    assert_eq!(
        help.as_deref(),
        Some(&*format!("`docker login {}`", server.address))
    );
    assert_eq!(why(&told.objects[0]["signatures"]), reason);
}

#[test]
fn what_is_busy_is_waited_for_and_given_up_where_it_stays_so() {
    let left = AtomicUsize::new(3);
    let server = Server::start(move |request| {
        let busy = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if busy.is_ok() {
            return with(429, &[("retry-after", "0")], Vec::new());
        }
        image(&request.path)
    });
    let told = ask(&server.address, 5, None);
    assert_eq!(told.unread, []);
    let server = Server::start(|_| with(429, &[], Vec::new()));
    let told = ask(&server.address, 5, None);
    assert!(
        told.unread
            .iter()
            .all(|(_, why, _)| why == "too many requests (429)"),
        "{:?}",
        told.unread
    );
    let server = Server::start(|_| with(429, &[("retry-after", "600")], Vec::new()));
    let told = ask(&server.address, 1, None);
    assert_eq!(
        told.unread[0].1,
        "too many requests (429) and asks to wait for 600 s"
    );
}

#[test]
fn a_token_is_asked_for_by_who_signed_in() {
    let own = Arc::new(Mutex::new(String::new()));
    let address = Arc::clone(&own);
    let server = Server::start(move |request| {
        let host = address.lock().unwrap().clone();
        if request.path.starts_with("/token") {
            assert_eq!(request.authorization, "Basic amFuZTpzM2NyZXQ=");
            assert_eq!(request.body, "");
            let scope = request
                .path
                .split("scope=")
                .nth(1)
                .unwrap()
                .replace("%3A", ":");
            return with(
                200,
                &[],
                json!({ "token": format!("for-{scope}") })
                    .to_string()
                    .into_bytes(),
            );
        }
        let repository = request.path.split('/').nth(2).unwrap();
        if request.authorization != format!("Bearer for-repository:{repository}:pull") {
            let challenge = format!(
                "Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:x:push\""
            );
            return with(401, &[("www-authenticate", &challenge)], Vec::new());
        }
        image(&request.path)
    });
    server.address.clone_into(&mut own.lock().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let config = json!({"auths": {&server.address: {"auth": "amFuZTpzM2NyZXQ="}}});
    std::fs::write(&file, config.to_string()).unwrap();
    let told = ask(&server.address, 4, Some(file));
    assert_eq!(told.unread, []);
    // One for each repository, however much is asked of it.
    assert_eq!(server.asked("/token"), 4);
    let all = serde_json::to_string(&told.objects).unwrap();
    assert!(!all.contains("s3cret") && !all.contains("for-repository"));
}

#[test]
fn what_is_given_has_the_digest_that_was_asked_for() {
    let server = Server::start(|request| {
        if request.path.contains("/blobs/") {
            return with(
                200,
                &[],
                b"{\"config\":{\"User\":\"somebody else\"}}".to_vec(),
            );
        }
        image(&request.path)
    });
    let told = ask(&server.address, 1, None);
    assert!(why(&told.objects[0]["config"]).contains("gives something else"));
    assert_eq!(told.unread.len(), 1);
    // What the tag leads to is known all the same.
    assert!(
        told.objects[0]["digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}

#[test]
fn a_page_of_a_proxy_is_no_image() {
    let server = Server::start(|_| with(302, &[("location", "http://login.example/")], Vec::new()));
    let told = ask(&server.address, 1, None);
    assert!(why(&told.objects[0]["found"]).contains("without TLS"));
    let server = Server::start(|_| with(200, &[("content-type", "text/html")], b"<html>".to_vec()));
    let told = ask(&server.address, 1, None);
    assert!(why(&told.objects[0]["found"]).contains("no JSON"));
}
