//! Envelopes: a payload, what is signed beside it, and a signature, in JWS or in COSE
//! (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md> and `…-cose.md`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::Value;

use super::Problem;
use super::chain::Chain;
use crate::cbor::{self, Item};
use crate::crypto::Refused;
use crate::manifest::Descriptor;

const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
const SCHEME: &str = "io.cncf.notary.signingScheme";
const SIGNED: &str = "io.cncf.notary.signingTime";
const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
const EXPIRY: &str = "io.cncf.notary.expiry";
const STAMP: &str = "io.cncf.notary.timestampSignature";
const PLUGIN: &str = "io.cncf.notary.verificationPlugin";

/// Who vouches for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `notary.x509`: a countersignature, or nobody.
    X509,
    /// `notary.x509.signingAuthority`: whoever signed.
    Authority,
}

/// An envelope, whichever form it had.
pub(super) struct Envelope {
    pub(super) scheme: Scheme,
    /// When it was signed, as it says.
    pub(super) signed: Timestamp,
    /// When it ends.
    pub(super) expiry: Option<Timestamp>,
    /// DER of certificates, the signer's first.
    pub(super) chain: Vec<Vec<u8>>,
    /// Whether a time is countersigned.
    pub(super) stamped: bool,
    algorithm: Algorithm,
    payload: Vec<u8>,
    /// The bytes that are signed.
    covered: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Algorithm {
    Jws(String),
    Cose(i64),
}

/// What both forms sign beside the payload.
#[derive(Default)]
struct Attributes {
    scheme: Option<String>,
    signed: Option<Timestamp>,
    authentic: Option<Timestamp>,
    expiry: Option<Timestamp>,
    content: Option<String>,
    critical: Vec<String>,
    /// all names
    names: Vec<String>,
}

impl Attributes {
    /// The scheme, and the moment of signing.
    fn settled(&self) -> Result<(Scheme, Timestamp), Problem> {
        if self.content.as_deref() != Some(PAYLOAD) {
            return Err(Problem::wrong("it is of no payload of the Notary Project"));
        }
        let (scheme, signed, time) = match self.scheme.as_deref() {
            Some("notary.x509") => (Scheme::X509, self.signed, None),
            Some("notary.x509.signingAuthority") => {
                (Scheme::Authority, self.authentic, Some(AUTHENTIC))
            }
            _ => {
                return Err(Problem::wrong(
                    "its signing scheme is none of the Notary Project",
                ));
            }
        };
        let signed = signed.ok_or_else(|| Problem::wrong("it does not say when it was made"))?;
        let ends = self.expiry.map(|_| EXPIRY);
        for needed in [Some(SCHEME), time, ends].into_iter().flatten() {
            if !self.critical.iter().any(|name| name == needed) {
                return Err(Problem::wrong(format!(
                    "`{needed}` is not marked as critical"
                )));
            }
        }
        if self.expiry.is_some_and(|expiry| expiry <= signed) {
            return Err(Problem::wrong("it ended before it was made"));
        }
        if self.names.iter().any(|name| name.starts_with(PLUGIN)) {
            return Err(Problem::unable(
                "it needs a plug-in of Notation to be verified",
            ));
        }
        let known = [SCHEME, SIGNED, AUTHENTIC, EXPIRY];
        if let Some(other) = self
            .critical
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(Problem::unable(format!(
                "it has a critical attribute, `{other}`, that is not known"
            )));
        }
        Ok((scheme, signed))
    }
}

impl Envelope {
    pub(super) fn read(media_type: &str, blob: &[u8]) -> Result<Self, Problem> {
        match media_type {
            "application/jose+json" => Self::jws(blob),
            "application/cose" => Self::cose(blob),
            other => Err(Problem::unable(format!(
                "its envelope is a `{other}`, which is not known"
            ))),
        }
    }

    fn jws(blob: &[u8]) -> Result<Self, Problem> {
        let malformed = || Problem::wrong("its envelope is malformed");
        let value: Value = serde_json::from_slice(blob).map_err(|_| malformed())?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).ok_or_else(malformed);
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed());
        let (protected, payload) = (text("protected")?, text("payload")?);
        let covered = format!("{protected}.{payload}").into_bytes();
        let head: Value = serde_json::from_slice(&decoded(protected)?).map_err(|_| malformed())?;
        let head = head.as_object().ok_or_else(malformed)?;
        let own = |key: &str| head.get(key).and_then(Value::as_str);
        let time = |key: &str| match own(key) {
            Some(text) => text.parse().map(Some).map_err(|_| malformed()),
            None => Ok(None),
        };
        let texts = head
            .get("crit")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let attributes = Attributes {
            scheme: own(SCHEME).map(str::to_owned),
            signed: time(SIGNED)?,
            authentic: time(AUTHENTIC)?,
            expiry: time(EXPIRY)?,
            content: own("cty").map(str::to_owned),
            critical: texts
                .filter_map(|one| Some(one.as_str()?.to_owned()))
                .collect(),
            names: head.keys().cloned().collect(),
        };
        let (scheme, signed) = attributes.settled()?;
        let beside = value.get("header");
        let chain = beside
            .and_then(|beside| beside.get("x5c"))
            .and_then(Value::as_array)
            .ok_or_else(malformed)?
            .iter()
            .map(|one| STANDARD.decode(one.as_str().unwrap_or_default()))
            .collect::<Result<_, _>>()
            .map_err(|_| malformed())?;
        Ok(Self {
            scheme,
            signed,
            expiry: attributes.expiry,
            chain,
            stamped: beside.and_then(|beside| beside.get(STAMP)).is_some(),
            algorithm: Algorithm::Jws(own("alg").unwrap_or_default().to_owned()),
            payload: decoded(payload)?,
            covered,
            signature: decoded(text("signature")?)?,
        })
    }

    fn cose(blob: &[u8]) -> Result<Self, Problem> {
        let malformed = || Problem::wrong("its envelope is malformed");
        // A COSE_Sign1 has the tag 18.
        let Some(Item::Tag(18, body)) = Item::read(blob) else {
            return Err(malformed());
        };
        let Item::Array(parts) = *body else {
            return Err(malformed());
        };
        let [protected, beside, payload, signature] = parts.as_slice() else {
            return Err(malformed());
        };
        let bytes = |item: &Item| item.bytes().map(<[u8]>::to_vec).ok_or_else(malformed);
        let raw = bytes(protected)?;
        let head = Item::read(&raw).ok_or_else(malformed)?;
        let Item::Map(entries) = &head else {
            return Err(malformed());
        };
        let named = |key: &str| head.get(&Item::Text(key.to_owned()));
        let time = |key: &str| match named(key) {
            Some(item) => moment(item).map(Some).ok_or_else(malformed),
            None => Ok(None),
        };
        // RFC 9052, section 3.1: 1 is the algorithm, 2 what is critical, 3 the type of the content.
        let critical = match head.get(&Item::Int(2)) {
            Some(Item::Array(items)) => items.iter(),
            _ => [].iter(),
        };
        let attributes = Attributes {
            scheme: named(SCHEME).and_then(Item::text).map(str::to_owned),
            signed: time(SIGNED)?,
            authentic: time(AUTHENTIC)?,
            expiry: time(EXPIRY)?,
            content: head
                .get(&Item::Int(3))
                .and_then(Item::text)
                .map(str::to_owned),
            critical: critical
                .filter_map(|one| Some(one.text()?.to_owned()))
                .collect(),
            names: entries
                .iter()
                .filter_map(|(key, _)| Some(key.text()?.to_owned()))
                .collect(),
        };
        let (scheme, signed) = attributes.settled()?;
        let Some(Item::Int(algorithm)) = head.get(&Item::Int(1)) else {
            return Err(malformed());
        };
        // 33 is x5chain (RFC 9360): a list, or one certificate alone.
        let chain = match beside.get(&Item::Int(33)) {
            Some(Item::Array(items)) => items.iter().map(bytes).collect::<Result<_, _>>()?,
            Some(Item::Bytes(one)) => vec![one.clone()],
            _ => return Err(malformed()),
        };
        let payload = bytes(payload)?;
        Ok(Self {
            scheme,
            signed,
            expiry: attributes.expiry,
            chain,
            stamped: beside.get(&Item::Text(STAMP.to_owned())).is_some(),
            algorithm: Algorithm::Cose(*algorithm),
            covered: cbor::signature1(&raw, &payload),
            payload,
            signature: bytes(signature)?,
        })
    }

    /// Whether the signature is that of the signer's key.
    pub(super) fn verify(&self, chain: &Chain) -> Result<(), Problem> {
        let key = chain.key();
        let fits = key
            .notary()
            .is_some_and(|(name, number)| match &self.algorithm {
                Algorithm::Jws(own) => own == name,
                Algorithm::Cose(own) => *own == number,
            });
        if !fits {
            return Err(Problem::wrong(
                "its algorithm is not the one that its key has",
            ));
        }
        key.verify_jose(&self.covered, &self.signature)
            .map_err(|refused| match refused {
                Refused::Wrong => Problem::wrong("it was changed, or made with another key"),
                Refused::Unable => {
                    Problem::unable("its key is on P-521, which is not checked here")
                }
            })
    }

    /// Whether it is about an image.
    pub(super) fn is_about(&self, image: &Descriptor) -> Result<(), String> {
        let payload: Value = serde_json::from_slice(&self.payload)
            .map_err(|_| "its payload is malformed".to_owned())?;
        let target = payload.get("targetArtifact");
        let of = |key: &str| target.and_then(|target| target.get(key));
        let digest = of("digest").and_then(Value::as_str).unwrap_or_default();
        let same = digest == image.digest
            && of("mediaType").and_then(Value::as_str) == Some(&*image.media_type)
            && of("size").and_then(Value::as_u64) == Some(image.size);
        if same {
            return Ok(());
        }
        Err("it is of something else".to_owned())
    }
}

/// A moment: tag 1 with seconds (RFC 8949, section 3.4.2).
fn moment(item: &Item) -> Option<Timestamp> {
    let Item::Tag(1, value) = item else {
        return None;
    };
    match **value {
        Item::Int(seconds) => Timestamp::from_second(seconds).ok(),
        Item::Float(seconds) if seconds.is_finite() => Timestamp::from_second(seconds as i64).ok(),
        _ => None,
    }
}
