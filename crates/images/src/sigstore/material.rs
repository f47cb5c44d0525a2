//! What comes with a signature: a certificate, entries of logs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::log::{Entry, Proof};
use crate::crypto::pem;
use crate::verdict::Problem;

/// Annotations of a layer of cosign's, up to version 2
/// (<https://github.com/sigstore/cosign/blob/v3.1.3/pkg/oci/static/options.go>).
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const STAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// As many entries and countersigned times as sigstore-go reads (`internal/limits`).
const MOST: usize = 32;

/// What comes with a signature without a key.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    /// DER.
    pub(super) certificate: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// Answers of authorities that countersigned the time.
    pub(super) stamps: Vec<Vec<u8>>,
}

impl Material {
    /// Of a layer's annotations; `None` for a signature by a key.
    pub(crate) fn of_layer(
        annotations: &BTreeMap<String, String>,
    ) -> Option<Result<Self, Problem>> {
        let certificate = annotations.get(CERTIFICATE)?;
        let read = || {
            let certificate = pem(certificate, "CERTIFICATE")
                .ok_or_else(|| Problem::wrong("its certificate is malformed"))?;
            let entries = match annotations.get(BUNDLE) {
                None => Vec::new(),
                Some(text) => {
                    let entry = annotated(text);
                    vec![entry.ok_or_else(|| Problem::wrong("its entry in the log is malformed"))?]
                }
            };
            Ok(Self {
                certificate,
                entries,
                stamps: match annotations.get(STAMP) {
                    None => Vec::new(),
                    Some(text) => vec![stamp(text).ok_or_else(malformed)?],
                },
            })
        };
        Some(read())
    }

    /// Of a bundle; `None` for a signature by a key.
    pub(crate) fn of_bundle(bundle: &Value) -> Option<Result<Self, Problem>> {
        let material = bundle.get("verificationMaterial")?;
        if material.get("publicKey").is_some() {
            return None;
        }
        let certificate = material
            .pointer("/certificate/rawBytes")
            .or_else(|| material.pointer("/x509CertificateChain/certificates/0/rawBytes"))?;
        Some(Self::bundled(bundle, material, certificate))
    }

    fn bundled(bundle: &Value, material: &Value, certificate: &Value) -> Result<Self, Problem> {
        let certificate =
            bytes(certificate).ok_or_else(|| Problem::wrong("its certificate is malformed"))?;
        let list = |key: &str| material.pointer(key).and_then(Value::as_array);
        let found = list("/tlogEntries").map_or(&[][..], Vec::as_slice);
        if found.len() > MOST {
            return Err(Problem::wrong("it has too many entries in logs"));
        }
        let entries: Vec<Entry> = found
            .iter()
            .map(entry)
            .collect::<Option<_>>()
            .ok_or_else(|| Problem::wrong("its entry in the log is malformed"))?;
        // What a version must hold: sigstore-go, `pkg/bundle/bundle.go`, `validate`.
        let version = bundle
            .get("mediaType")
            .and_then(Value::as_str)
            .and_then(|kind| kind.strip_prefix(crate::attestation::BUNDLE));
        let promised = entries.iter().any(|entry| entry.promise.is_some());
        let proved = entries.iter().any(|entry| entry.proof.is_some());
        let whole = match version {
            Some("+json;version=0.1") => promised,
            Some("+json;version=0.2" | "+json;version=0.3" | ".v0.3+json") => proved,
            _ => {
                return Err(Problem::unable(
                    "its bundle is of a version that is not known",
                ));
            }
        };
        if !whole && !entries.is_empty() {
            return Err(Problem::wrong(
                "its bundle lacks what its version must hold",
            ));
        }
        let stamps = list("/timestampVerificationData/rfc3161Timestamps");
        let stamps = stamps.map_or(&[][..], Vec::as_slice);
        if stamps.len() > MOST {
            return Err(Problem::wrong("it has too many countersigned times"));
        }
        let stamps = stamps
            .iter()
            .map(|stamp| bytes(stamp.get("signedTimestamp")?));
        Ok(Self {
            certificate,
            entries,
            stamps: stamps.collect::<Option<_>>().ok_or_else(malformed)?,
        })
    }
}

fn malformed() -> Problem {
    Problem::wrong("the countersigned time beside it is malformed")
}

/// What cosign keeps of a countersigned time
/// (<https://github.com/sigstore/cosign/blob/v3.1.3/pkg/cosign/bundle/tsa.go>).
fn stamp(text: &str) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_str(text).ok()?;
    bytes(value.get("SignedRFC3161Timestamp")?)
}

/// What cosign keeps of an entry: `{"SignedEntryTimestamp": …, "Payload": {body, integratedTime, logIndex, logID}}`
/// (<https://github.com/sigstore/cosign/blob/v3.1.3/pkg/cosign/bundle/rekor.go>).
fn annotated(text: &str) -> Option<Entry> {
    let value: Value = serde_json::from_str(text).ok()?;
    let payload = value.get("Payload")?;
    Some(Entry {
        log: unhex(payload.get("logID")?.as_str()?)?,
        index: payload.get("logIndex")?.as_u64()?,
        time: payload.get("integratedTime")?.as_i64()?,
        body: bytes(payload.get("body")?)?,
        promise: Some(bytes(value.get("SignedEntryTimestamp")?)?),
        proof: None,
    })
}

/// An entry as a bundle holds it
/// (<https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_rekor.proto>).
fn entry(value: &Value) -> Option<Entry> {
    let promise = value.pointer("/inclusionPromise/signedEntryTimestamp");
    let proof = value.get("inclusionProof").filter(|proof| !proof.is_null());
    Some(Entry {
        log: bytes(value.pointer("/logId/keyId")?)?,
        index: number(value.get("logIndex"))?,
        time: i64::try_from(number(value.get("integratedTime"))?).ok()?,
        body: bytes(value.get("canonicalizedBody")?)?,
        promise: match promise {
            None => None,
            Some(promise) => Some(bytes(promise)?),
        },
        proof: match proof {
            None => None,
            Some(proof) => Some(self::proof(proof)?),
        },
    })
}

fn proof(value: &Value) -> Option<Proof> {
    let hashes = match value.get("hashes") {
        None => Vec::new(),
        Some(hashes) => hashes
            .as_array()?
            .iter()
            .map(bytes)
            .collect::<Option<_>>()?,
    };
    Some(Proof {
        index: number(value.get("logIndex"))?,
        size: number(value.get("treeSize"))?,
        root: bytes(value.get("rootHash")?)?,
        hashes,
        checkpoint: value.pointer("/checkpoint/envelope")?.as_str()?.to_owned(),
    })
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

/// 64 bits are a text in protobuf's JSON, and zero may be left out.
fn number(value: Option<&Value>) -> Option<u64> {
    match value {
        None => Some(0),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
