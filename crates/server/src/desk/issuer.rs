//! Signing in at an issuer (Entra ID): OpenID Connect, authorization code with PKCE.
//!
//! ```text
//! /sign-in/issuer ─▶ issuer (state, nonce, challenge; what must come back is in a sealed cookie)
//! /sign-in/back   ◀─ code ─▶ token endpoint (verifier) ─▶ id token: signature, iss, aud, exp, nonce ─▶ Who
//! ```
//!
//! The name and the groups of the token are those that the API server is asked about, so they must be what the cluster
//! knows people by: on AKS the user principal name and the object ids of groups. Nothing that begins with `system:` is
//! taken from a token. The token is not kept.
//!
//! Sources: OpenID Connect Core 1.0, 3.1; OpenID Connect Discovery 1.0, 4; RFC 7636; RFC 7515.
//! What it deliberately leaves out: other algorithms than RS256, which Entra ID signs with; user info; refreshing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Serialize};
use sources::azure::Trust;
use sources::fetch::Fetch;

use super::request::{Fields, address, encoded};
use super::session::{self, Key, Who};

/// Where people sign in besides the cluster.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// `https://login.microsoftonline.com/TENANT/v2.0`, as tokens say it in `iss`.
    pub issuer: String,
    /// The application (client) id.
    pub client_id: String,
    /// Where people reach the dashboard, `https://…` without a path; `/sign-in/back` below it must be registered as a
    /// redirect address.
    pub here: String,
    /// A file with the client's secret, for one that is not public; read when it is needed.
    pub secret: Option<std::path::PathBuf>,
    /// The claim that is the name; `preferred_username` is the user principal name in Entra ID.
    pub name_claim: String,
    /// The claim with the groups.
    pub groups_claim: String,
    /// Whom to trust there.
    pub trust: Trust,
}

/// The cookie of who has begun.
pub(super) const COOKIE: &str = "__Host-seawall-begun";
const BEGUN: &str = "begun";
/// How long it may take to sign in, in seconds.
const PATIENCE: i64 = 600;
/// How far clocks may be apart, in seconds.
const SKEW: i64 = 60;
/// How long the issuer's keys serve, ...
const KEYS: Duration = Duration::from_secs(3600);
/// ... and how soon they are asked for again when a token names another.
const AGAIN: Duration = Duration::from_secs(60);

/// What must come back.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    until: i64,
}

/// Where the issuer does what.
#[derive(Debug, Clone, Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

#[derive(Debug, Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Debug, Clone)]
struct Known {
    at: Instant,
    discovered: Discovered,
    keys: Vec<Jwk>,
}

/// Speaks with the issuer.
pub(super) struct Relying {
    options: Issuer,
    fetch: Fetch,
    known: Mutex<Option<Known>>,
}

/// Somebody who has signed in, and until when the token is good.
pub(super) type SignedIn = (Who, i64);

impl Relying {
    pub(super) fn new(options: Issuer) -> Result<Self, String> {
        if !options.here.starts_with("https://") {
            return Err("the dashboard's own address must begin with `https://`".to_owned());
        }
        Ok(Self {
            fetch: Fetch::new(&options.trust)?,
            options,
            known: Mutex::default(),
        })
    }

    fn back(&self) -> String {
        format!("{}/sign-in/back", self.options.here.trim_end_matches('/'))
    }

    /// The address to go to, and the cookie to come back with. Blocks.
    pub(super) fn begin(&self, key: &Key, now: i64) -> Result<(String, String), String> {
        let known = self.known(false)?;
        let begun = Begun {
            state: session::nonce()?,
            nonce: session::nonce()?,
            verifier: URL_SAFE_NO_PAD.encode(session::random::<32>()?),
            until: now + PATIENCE,
        };
        let challenge = digest::digest(&digest::SHA256, begun.verifier.as_bytes());
        let to = address(
            &known.discovered.authorization_endpoint,
            &[
                ("client_id", &self.options.client_id),
                ("response_type", "code"),
                ("response_mode", "query"),
                ("redirect_uri", &self.back()),
                ("scope", "openid profile"),
                ("state", &begun.state),
                ("nonce", &begun.nonce),
                ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
                ("code_challenge_method", "S256"),
            ],
        );
        let sealed = key.seal(BEGUN, &begun).ok_or("no cookie can be written")?;
        // Lax: the issuer sends people back from another site.
        let cookie = format!(
            "{COOKIE}={sealed}; Max-Age={PATIENCE}; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        Ok((to, cookie))
    }

    /// Who comes back. Blocks.
    pub(super) fn end(
        &self,
        query: &Fields,
        sealed: &str,
        key: &Key,
        now: i64,
    ) -> Result<SignedIn, String> {
        let begun: Begun = key
            .open(BEGUN, sealed)
            .filter(|begun: &Begun| begun.until > now)
            .ok_or("this was not begun here, or too long ago")?;
        if query.get("state") != begun.state {
            return Err("this was not begun here".to_owned());
        }
        let code = query.get("code");
        if code.is_empty() {
            return Err("the issuer gave no code".to_owned());
        }
        let token = self.exchange(code, &begun.verifier)?;
        let claims = self.verified(&token)?;
        self.who(&claims, &begun.nonce, now)
    }

    fn exchange(&self, code: &str, verifier: &str) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let known = self.known(false)?;
        let mut form = format!(
            "grant_type=authorization_code&client_id={}&code={}&redirect_uri={}&code_verifier={}",
            encoded(&self.options.client_id),
            encoded(code),
            encoded(&self.back()),
            encoded(verifier)
        );
        if let Some(file) = &self.options.secret {
            let secret = std::fs::read_to_string(file)
                .map_err(|error| format!("the client's secret cannot be read: {error}"))?;
            form.push_str("&client_secret=");
            form.push_str(&encoded(secret.trim()));
        }
        let answer = self
            .fetch
            .post_form(&known.discovered.token_endpoint, form)
            .map_err(|why| format!("the issuer gave no token: {why}"))?;
        let tokens: Tokens = serde_json::from_slice(&answer)
            .map_err(|_| "the issuer gave no id token".to_owned())?;
        Ok(tokens.id_token)
    }

    /// The claims of a token that the issuer signed.
    fn verified(&self, token: &str) -> Result<BTreeMap<String, serde_json::Value>, String> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            #[serde(default)]
            kid: String,
        }
        let unreadable = || "the token cannot be read".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or_else(unreadable)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| unreadable())?;
        if header.alg != "RS256" {
            return Err("the token is not signed with RS256".to_owned());
        }
        let find = |known: &Known| {
            known
                .keys
                .iter()
                .find(|key| key.kty == "RSA" && key.kid == header.kid)
                .cloned()
        };
        let jwk = match find(&self.known(false)?) {
            Some(jwk) => Some(jwk),
            None => find(&self.known(true)?),
        };
        let jwk = jwk.ok_or("the token is signed with a key that the issuer does not name")?;
        let key = RsaPublicKeyComponents {
            n: decode(&jwk.n)?,
            e: decode(&jwk.e)?,
        };
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &decode(signature)?,
        )
        .map_err(|_| "the token's signature is wrong".to_owned())?;
        serde_json::from_slice(&decode(claims)?).map_err(|_| unreadable())
    }

    fn who(
        &self,
        claims: &BTreeMap<String, serde_json::Value>,
        nonce: &str,
        now: i64,
    ) -> Result<SignedIn, String> {
        let text = |name: &str| {
            claims
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let moment = |name: &str| claims.get(name).and_then(serde_json::Value::as_i64);
        let own = &*self.options.client_id;
        let for_us = match claims.get("aud") {
            Some(serde_json::Value::String(aud)) => aud == own,
            Some(serde_json::Value::Array(all)) => {
                let named = all.iter().any(|aud| aud.as_str() == Some(own));
                named && (all.len() == 1 || text("azp") == own)
            }
            _ => false,
        };
        let until = moment("exp").unwrap_or_default();
        if text("iss") != self.options.issuer {
            Err("the token is of another issuer".to_owned())
        } else if !for_us {
            Err("the token is for another application".to_owned())
        } else if until <= now {
            Err("the token has ended".to_owned())
        } else if moment("nbf").is_some_and(|from| from > now + SKEW) {
            Err("the token is not valid yet".to_owned())
        } else if nonce.is_empty() || text("nonce") != nonce {
            Err("the token was made for another sign-in".to_owned())
        } else {
            Ok((self.named(claims)?, until))
        }
    }

    fn named(&self, claims: &BTreeMap<String, serde_json::Value>) -> Result<Who, String> {
        let text = |name: &str| {
            claims
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let name = text(&self.options.name_claim);
        if name.is_empty() || name.starts_with("system:") {
            return Err(format!(
                "the token has no name in `{}`",
                self.options.name_claim
            ));
        }
        if claims.contains_key("_claim_names") {
            return Err("the token leaves its groups out because there are too many: let the application get those alone that are assigned to it".to_owned());
        }
        let groups = claims
            .get(&self.options.groups_claim)
            .and_then(serde_json::Value::as_array);
        let groups = groups
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str);
        let mut groups: Vec<String> = groups
            .filter(|group| !group.starts_with("system:"))
            .map(str::to_owned)
            .collect();
        groups.push("system:authenticated".to_owned());
        let mut extra = BTreeMap::new();
        if !text("oid").is_empty() {
            extra.insert("oid".to_owned(), vec![text("oid").to_owned()]);
        }
        Ok(Who {
            name: name.to_owned(),
            uid: String::new(),
            groups,
            extra,
        })
    }

    /// What the issuer says of itself; `again` when a key is missing.
    fn known(&self, again: bool) -> Result<Known, String> {
        let mut kept = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let good = if again { AGAIN } else { KEYS };
        if let Some(known) = &*kept
            && known.at.elapsed() < good
        {
            return Ok(known.clone());
        }
        let issuer = self.options.issuer.trim_end_matches('/');
        let silent = |why| format!("the issuer cannot be asked: {why}");
        let answer = self
            .fetch
            .get(&format!("{issuer}/.well-known/openid-configuration"))
            .map_err(silent)?;
        let discovered: Discovered = serde_json::from_slice(&answer)
            .map_err(|_| "the issuer does not say where to sign in".to_owned())?;
        if discovered.issuer != self.options.issuer {
            return Err("the issuer calls itself something else".to_owned());
        }
        let answer = self.fetch.get(&discovered.jwks_uri).map_err(silent)?;
        let keys: Jwks = serde_json::from_slice(&answer)
            .map_err(|_| "the issuer does not say its keys".to_owned())?;
        let known = Known {
            at: Instant::now(),
            discovered,
            keys: keys.keys,
        };
        *kept = Some(known.clone());
        Ok(known)
    }
}
