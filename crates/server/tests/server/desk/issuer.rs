//! Signing in at an issuer: one on this machine, which signs what it is told to.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use server::desk::Issuer;
use server::tls::{Certificates, made};
use sources::azure::Trust;

use super::super::running::names;
use super::visitor::{Answer, Visitor};
use super::{CONFIG, Dashboard, Wishes, cluster, settled};

const CLIENT: &str = "6f1c-app";

/// What the issuer says at its token endpoint.
#[derive(Default)]
struct Says {
    challenge: String,
    claims: Value,
    alg: &'static str,
    kid: &'static str,
    /// With the key that it names, or with another.
    other_key: bool,
}

struct Loopback {
    address: String,
    trusted: String,
    says: Arc<Mutex<Says>>,
}

fn key() -> KeyPair {
    let made = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
        ])
        .output()
        .unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(&made.stdout).unwrap();
    KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap()
}

fn signed(key: &KeyPair, says: &Says) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!(
        "{}.{}",
        part(&json!({"alg": says.alg, "kid": says.kid, "typ": "JWT"})),
        part(&says.claims)
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl Loopback {
    fn start() -> Self {
        let kept = made::step(&made::Kept::new(), &names(), Timestamp::now().as_second());
        let kept = kept.unwrap().unwrap();
        let config = Arc::new(
            Certificates::new(made::shown(&kept).unwrap())
                .server()
                .unwrap(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new(Says::default()));
        let (own, heard) = (address.clone(), Arc::clone(&says));
        let (key, other) = (key(), key());
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut bytes = Vec::new();
                let mut buffer = [0; 4096];
                let request = loop {
                    let Ok(read) = stream.read(&mut buffer) else {
                        break None;
                    };
                    if read == 0 {
                        break None;
                    }
                    bytes.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let head = head.to_lowercase();
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "));
                    if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                        break Some((head, body.to_owned()));
                    }
                };
                let Some((head, body)) = request else {
                    continue;
                };
                let (status, answer) =
                    answer(&own, &head, &body, &heard.lock().unwrap(), (&key, &other));
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                    answer.len()
                );
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        Self {
            address,
            trusted: made::trusted(&kept).unwrap().to_owned(),
            says,
        }
    }
}

fn answer(
    own: &str,
    head: &str,
    body: &str,
    says: &Says,
    (key, other): (&KeyPair, &KeyPair),
) -> (u16, String) {
    let path = head.split(' ').nth(1).unwrap();
    let answer = match path {
        "/.well-known/openid-configuration" => {
            json!({"issuer": own, "authorization_endpoint": format!("{own}/authorize"),
            "token_endpoint": format!("{own}/token"), "jwks_uri": format!("{own}/keys")})
        }
        "/keys" => {
            let parts: PublicKeyComponents<Vec<u8>> = key.public_key().into();
            json!({"keys": [{"kty": "RSA", "kid": "one", "n": URL_SAFE_NO_PAD.encode(parts.n), "e": URL_SAFE_NO_PAD.encode(parts.e)}]})
        }
        "/token" => {
            let field = |name: &str| {
                let start = format!("{name}=");
                body.split('&')
                    .find_map(|pair| pair.strip_prefix(&start))
                    .unwrap_or_default()
                    .to_owned()
            };
            let proof = URL_SAFE_NO_PAD.encode(digest::digest(
                &digest::SHA256,
                field("code_verifier").as_bytes(),
            ));
            if field("code") != "a-code" || proof != says.challenge || field("client_id") != CLIENT
            {
                return (400, "{}".to_owned());
            }
            json!({"id_token": signed(if says.other_key { other } else { key }, says), "token_type": "Bearer"})
        }
        _ => return (404, String::new()),
    };
    (200, answer.to_string())
}

/// A browser that goes to the issuer and comes back.
struct Round<'d> {
    visitor: Visitor<'d>,
    begun: String,
    state: String,
}

impl<'d> Round<'d> {
    fn begin(dashboard: &'d Dashboard, issuer: &Loopback, change: impl FnOnce(&mut Says)) -> Self {
        let visitor = dashboard.visitor();
        let to = visitor.get("/sign-in/issuer");
        assert_eq!(to.status, 303, "{}", to.body);
        let location = to.header("location");
        assert!(
            location.starts_with(&format!("{}/authorize?", issuer.address)),
            "{location}"
        );
        let field = |name: &str| {
            let start = format!("{name}=");
            let (_, query) = location.split_once('?').unwrap();
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(&start))
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            (&*field("code_challenge_method"), &*field("response_type")),
            ("S256", "code")
        );
        let mut says = Says {
            challenge: field("code_challenge"),
            claims: json!({"iss": issuer.address, "aud": CLIENT, "exp": Timestamp::now().as_second() + 3000,
                "nonce": field("nonce"), "preferred_username": "jane@example.org", "oid": "0-1",
                "groups": ["team-shop", "system:masters"]}),
            alg: "RS256",
            kid: "one",
            other_key: false,
        };
        change(&mut says);
        *issuer.says.lock().unwrap() = says;
        let (name, begun) = to.cookies().remove(0);
        assert_eq!(name, "__Host-seawall-begun");
        Self {
            visitor,
            begun,
            state: field("state"),
        }
    }

    fn end(&self, query: &str, cookie: &str) -> Answer {
        let cookie = format!("__Host-seawall-begun={cookie}");
        self.visitor.send(
            "GET",
            &format!("/sign-in/back?{query}"),
            &[("Cookie", &cookie)],
            "",
        )
    }

    fn back(&self) -> Answer {
        self.end(&format!("code=a-code&state={}", self.state), &self.begun)
    }
}

#[test]
fn an_issuer_signs_people_in_and_nobody_else_does() {
    let server = cluster();
    let issuer = Loopback::start();
    let dashboard = Dashboard::start(Wishes {
        watches: Some(server.kubeconfig()),
        asks: server.kubeconfig_of("desk").unwrap(),
        config: CONFIG,
        history: None,
        drift: None,
        issuer: Some(Issuer {
            issuer: issuer.address.clone(),
            client_id: CLIENT.to_owned(),
            here: "https://desk.example".to_owned(),
            secret: None,
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            trust: Trust {
                authorities: vec![issuer.trusted.clone().into_bytes()],
            },
        }),
        limits: server::desk::Limits::default(),
    });
    settled(&dashboard);
    let visitor = dashboard.visitor();
    assert!(visitor.get("/sign-in").body.contains("/sign-in/issuer"));

    let round = Round::begin(&dashboard, &issuer, |_| {});
    let arrived = round.back();
    assert_eq!(arrived.status, 200, "{}", arrived.body);
    let cookies = arrived.cookies();
    let (_, session) = cookies
        .iter()
        .find(|(name, _)| name == "__Host-seawall")
        .unwrap();
    let mut jane = dashboard.visitor();
    jane.cookie = Some(session.clone());
    let page = jane.get("/findings?state=all").body;
    // By her group; that she were one of the masters is not believed.
    assert!(
        page.contains("shop/<wbr>web") && page.contains("jane@example.org"),
        "{page}"
    );
    assert!(!page.contains("bankvault"));
    // The session ends with the token.
    dashboard
        .ahead
        .store(3100, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(jane.get("/").status, 303);
    dashboard
        .ahead
        .store(0, std::sync::atomic::Ordering::Relaxed);

    type Flaw = (&'static str, fn(&mut Says));
    let flaws: [Flaw; 11] = [
        ("another sign-in", |says| says.claims["nonce"] = "x".into()),
        ("another application", |says| {
            says.claims["aud"] = "x".into()
        }),
        ("another application", |says| {
            says.claims["aud"] = json!([CLIENT, "x"])
        }),
        ("another issuer", |says| {
            says.claims["iss"] = "https://evil.example".into()
        }),
        ("has ended", |says| says.claims["exp"] = 1000.into()),
        ("has no name", |says| {
            says.claims["preferred_username"] = "system:admin".into()
        }),
        ("signature is wrong", |says| says.other_key = true),
        ("not signed with RS256", |says| says.alg = "none"),
        ("not signed with RS256", |says| says.alg = "HS256"),
        ("does not name", |says| says.kid = "two"),
        ("no token", |says| says.challenge = "x".into()),
    ];
    for (said, flaw) in flaws {
        let answer = Round::begin(&dashboard, &issuer, flaw).back();
        assert_eq!(answer.status, 401, "{said}");
        assert!(answer.body.contains(said), "{said}: {}", answer.body);
        assert!(
            answer.cookies().iter().all(|(_, value)| value.is_empty()),
            "{said}"
        );
    }
    // Somebody else's beginning, or none.
    let (one, other) = (
        Round::begin(&dashboard, &issuer, |_| {}),
        Round::begin(&dashboard, &issuer, |_| {}),
    );
    let query = format!("code=a-code&state={}", other.state);
    for begun in [&*one.begun, "", "e30.x"] {
        assert_eq!(other.end(&query, begun).status, 401);
    }
    assert_eq!(
        other
            .end(&format!("state={}", other.state), &other.begun)
            .status,
        401
    );
    assert_eq!(other.end(&query, &other.begun).status, 200);
}
