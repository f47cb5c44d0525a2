//! Who is signed in: a cookie that says so and is signed.
//!
//! It holds what TokenReview said of the token, never the token. It is bounded in size and time, and refused when a
//! byte of it was changed. What it deliberately leaves out: secrecy; it tells people only about themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The longest that a session lasts, in seconds.
pub(super) const LONGEST: i64 = 8 * 3600;
/// The cookie; browsers take one of this name only from HTTPS, for this host and all paths
/// (RFC 6265bis, 4.1.3.2).
pub(super) const COOKIE: &str = "__Host-seawall";
/// Browsers keep cookies of 4096 bytes at least (RFC 6265, 6.1), name and attributes included.
const MOST: usize = 3800;
/// Sign-outs that are remembered.
const REMEMBERED: usize = 4096;

/// A key that signs.
pub struct Key {
    hmac: hmac::Key,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// One that all replicas make from what they alone know, such as the private key in their Secret. It must hold
    /// 32 random bytes or more.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let outer = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let own = hmac::sign(&outer, b"seawall dashboard sessions, 1");
        Self {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()),
        }
    }

    /// One that only this process knows: its sessions end with it.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, String> {
        Ok(Self::of(&random::<32>()?))
    }

    /// Says something for later, so that nobody else can. `what` keeps kinds of statements apart.
    pub(super) fn seal<T: Serialize>(&self, what: &str, statement: &T) -> Option<String> {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(statement).ok()?);
        let tag = hmac::sign(&self.hmac, format!("{what}.{body}").as_bytes());
        let sealed = format!("{body}.{}", URL_SAFE_NO_PAD.encode(tag));
        (sealed.len() <= MOST).then_some(sealed)
    }

    /// What was said, when it was said here.
    pub(super) fn open<T: DeserializeOwned>(&self, what: &str, sealed: &str) -> Option<T> {
        if sealed.len() > MOST {
            return None;
        }
        let (body, tag) = sealed.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.hmac, format!("{what}.{body}").as_bytes(), &tag).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}

/// So many random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(bytes)
}

/// Random letters that go into a cookie or an address.
pub(super) fn nonce() -> Result<String, String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

/// Somebody, as the API server knows them (`authentication.k8s.io/v1` `UserInfo`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Who {
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "u", default, skip_serializing_if = "String::is_empty")]
    pub(super) uid: String,
    #[serde(rename = "g", default)]
    pub(super) groups: Vec<String>,
    /// Authorizers other than RBAC may look at it: AKS with Azure RBAC reads the object id.
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) extra: BTreeMap<String, Vec<String>>,
}

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    /// Tells it from others.
    #[serde(rename = "i")]
    pub(super) id: String,
    #[serde(rename = "w")]
    pub(super) who: Who,
    /// Until when, in seconds since 1970.
    #[serde(rename = "t")]
    pub(super) until: i64,
}

const SESSION: &str = "session";

impl Session {
    /// Begins one, for as long as the token lasts at most.
    pub(super) fn begin(who: Who, token_until: Option<i64>, now: i64) -> Result<Self, String> {
        let until = now + LONGEST;
        Ok(Self {
            id: nonce()?,
            who,
            until: token_until.map_or(until, |token| token.min(until)),
        })
    }

    /// The cookie, unless it is too large for browsers.
    pub(super) fn cookie(&self, key: &Key, now: i64) -> Option<String> {
        let sealed = key.seal(SESSION, self)?;
        let age = (self.until - now).max(0);
        Some(format!(
            "{COOKIE}={sealed}; Max-Age={age}; Path=/; Secure; HttpOnly; SameSite=Strict"
        ))
    }

    /// The session of a cookie, while it lasts.
    pub(super) fn of(sealed: &str, key: &Key, now: i64) -> Option<Self> {
        let session: Self = key.open(SESSION, sealed)?;
        (session.until > now).then_some(session)
    }
}

/// Takes a cookie away.
pub(super) fn no_cookie(name: &str) -> String {
    format!("{name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Sessions that ended before their time.
#[derive(Debug, Default)]
pub(super) struct SignedOut(Mutex<BTreeSet<(i64, String)>>);

impl SignedOut {
    pub(super) fn add(&self, session: &Session, now: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(until, _)| *until > now);
        all.insert((session.until, session.id.clone()));
        while all.len() > REMEMBERED {
            all.pop_first();
        }
    }

    pub(super) fn has(&self, session: &Session) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.contains(&(session.until, session.id.clone()))
    }
}

/// When a token ends that says so itself (a JWT). Its signature was verified by whoever reviewed it.
pub(super) fn expiry(token: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<f64>,
    }
    let body = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seconds since 1970; out of range saturates"
    )]
    claims.exp.map(|exp| exp as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let who = Who {
            name: "jane".into(),
            uid: String::new(),
            groups: vec!["shop".into()],
            extra: BTreeMap::new(),
        };
        Session::begin(who, None, 1000).unwrap()
    }

    fn sealed(session: &Session, key: &Key) -> String {
        let cookie = session.cookie(key, 1000).unwrap();
        let (_, value) = cookie.split_once('=').unwrap();
        value.split_once(';').unwrap().0.to_owned()
    }

    #[test]
    fn a_session_is_believed_only_as_it_was_written() {
        let key = Key::of(&[7; 32]);
        let session = session();
        let cookie = sealed(&session, &key);
        assert_eq!(Session::of(&cookie, &key, 1001).unwrap().who.name, "jane");
        // Another replica with the same secret believes it; another key does not.
        assert!(Session::of(&cookie, &Key::of(&[7; 32]), 1001).is_some());
        assert!(Session::of(&cookie, &Key::random().unwrap(), 1001).is_none());
        for at in 0..cookie.len() {
            let mut changed = cookie.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last letter of base64 has bits that say nothing.
            let same = changed.len() == at + 1;
            assert!(same || Session::of(&changed, &key, 1001).is_none(), "{at}");
        }
        // What was said for another purpose is no session.
        let other = key.seal("other", &session).unwrap();
        assert!(Session::of(&other, &key, 1001).is_none());
    }

    #[test]
    fn it_ends_with_the_token_and_after_eight_hours() {
        let key = Key::of(&[7; 32]);
        let long = session();
        assert_eq!(long.until, 1000 + LONGEST);
        assert!(Session::of(&sealed(&long, &key), &key, long.until - 1).is_some());
        assert!(Session::of(&sealed(&long, &key), &key, long.until).is_none());
        let short = Session::begin(long.who, Some(1060), 1000).unwrap();
        assert_eq!(short.until, 1060);
        // {"exp":1800000000.5}
        assert_eq!(
            expiry("e30.eyJleHAiOjE4MDAwMDAwMDAuNX0.x"),
            Some(1_800_000_000)
        );
        assert_eq!(expiry("opaque"), None);
    }

    #[test]
    fn who_is_in_too_many_groups_gets_no_cookie_that_browsers_drop() {
        let mut session = session();
        session.who.groups = (0..200).map(|n| format!("group-{n:030}")).collect();
        assert!(session.cookie(&Key::of(&[7; 32]), 1000).is_none());
    }

    #[test]
    fn sign_outs_are_remembered_until_the_session_would_end() {
        let (out, session) = (SignedOut::default(), session());
        assert!(!out.has(&session));
        out.add(&session, 1000);
        assert!(out.has(&session));
        for number in 0..REMEMBERED + 10 {
            let mut other = session.clone();
            other.id = number.to_string();
            other.until += 1;
            out.add(&other, 1000);
        }
        let kept = out.0.lock().unwrap().len();
        assert_eq!(kept, REMEMBERED);
    }
}
