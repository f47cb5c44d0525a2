//! That a signature was logged, and when: entries of Rekor, with what it promised or proves of them.
//!
//! A promise (signed entry timestamp) is a signature over the entry and its time
//! (<https://github.com/sigstore/rekor/blob/v1.4.0/pkg/verify/verify.go>, `VerifySignedEntryTimestamp`). A proof leads from
//! the entry to the root of the log's tree (RFC 9162, section 2.1.3.2), which the log signed in a checkpoint
//! (<https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md>); no time is signed in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::moment;
use super::root::{Log, Root};
use crate::crypto::{Refused, hex, pem};
use crate::verdict::Problem;

/// What is signed, and by what signature.
pub(crate) struct Signed<'a> {
    /// The bytes that are signed.
    pub(crate) bytes: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) content: Content<'a>,
}

/// In what form.
pub(crate) enum Content<'a> {
    /// The bytes as they are.
    Message,
    /// An envelope of DSSE.
    Envelope {
        payload: &'a [u8],
        /// The envelope as it was written, where it stands alone.
        whole: Option<&'a [u8]>,
    },
}

/// An entry of a log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(super) log: Vec<u8>,
    pub(super) index: u64,
    /// seconds
    pub(super) time: i64,
    pub(super) body: Vec<u8>,
    pub(super) promise: Option<Vec<u8>>,
    pub(super) proof: Option<Proof>,
}

/// The way from an entry to the root of its tree.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) root: Vec<u8>,
    pub(super) hashes: Vec<Vec<u8>>,
    pub(super) checkpoint: String,
}

/// Whether logs of the trusted root have it, and since when as far as they sign that.
pub(super) fn times(
    entries: &[Entry],
    root: &Root,
    signed: &Signed<'_>,
    certificate: &[u8],
) -> Result<Vec<Timestamp>, Problem> {
    let mut times = Vec::new();
    let mut known = false;
    for entry in entries {
        let mut logs = root.logs.iter();
        let Some(log) = logs.find(|log| log.id == entry.log) else {
            continue;
        };
        known = true;
        entry.is_of(signed, certificate)?;
        times.extend(entry.verify(log)?);
    }
    if !known && !entries.is_empty() {
        return Err(Problem::untrusted(
            "it was logged by no log of the trusted root",
        ));
    }
    Ok(times)
}

impl Entry {
    /// Whether the log has it, and since when as far as it signs that.
    fn verify(&self, log: &Log) -> Result<Option<Timestamp>, Problem> {
        let unable = || Problem::unable("it was logged in a way that is not checked here");
        let key = log.key.as_ref().ok_or_else(unable)?;
        let refused = |refused, why: &str| match refused {
            Refused::Wrong => Problem::wrong(why),
            Refused::Unable => unable(),
        };
        let time = match &self.promise {
            None => None,
            Some(promise) => {
                key.verify_sha256(self.promised().as_bytes(), promise)
                    .map_err(|one| refused(one, "the log's promise is not of its entry"))?;
                let time = moment(self.time).filter(|time| log.valid.holds(*time));
                Some(time.ok_or_else(|| {
                    Problem::untrusted("the trusted root does not trust the log as of its time")
                })?)
            }
        };
        match &self.proof {
            None if time.is_none() => {
                return Err(Problem::wrong(
                    "its log neither promises nor proves its entry",
                ));
            }
            None => {}
            Some(proof) => {
                if proof.leads(&self.body) != Some(true) {
                    return Err(Problem::wrong("its entry does not lead to the log's root"));
                }
                let (text, signatures) = proof
                    .signed()
                    .ok_or_else(|| Problem::wrong("the log's checkpoint is of another root"))?;
                let mut said = Refused::Wrong;
                let signed = signatures.iter().any(|signature| {
                    key.verify_cosign(text.as_bytes(), signature)
                        .map_err(|refused| said = refused)
                        .is_ok()
                });
                if !signed {
                    return Err(refused(said, "the log's checkpoint is not signed by it"));
                }
            }
        }
        Ok(time)
    }

    /// What a promise is over: canonical JSON (RFC 8785), whose keys are in order.
    fn promised(&self) -> String {
        let (body, log) = (STANDARD.encode(&self.body), hex(&self.log));
        let (time, index) = (self.time, self.index);
        format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{log}","logIndex":{index}}}"#)
    }

    /// Whether it is about this signature by this certificate
    /// (kinds: <https://github.com/sigstore/rekor/tree/v1.4.0/pkg/types>).
    fn is_of(&self, signed: &Signed<'_>, certificate: &[u8]) -> Result<(), Problem> {
        let body: Value = serde_json::from_slice(&self.body)
            .map_err(|_| Problem::wrong("its entry in the log is malformed"))?;
        let says = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let at = |route: &str| body.pointer(route).and_then(Value::as_str);
        let same_signature =
            |found: Option<Vec<u8>>| found.is_some_and(|one| one == signed.signature);
        let decoded = |route: &str| STANDARD.decode(at(route)?).ok();
        let same_certificate = |route: &str| {
            let found = decoded(route).and_then(|text| String::from_utf8(text).ok());
            found
                .and_then(|text| pem(&text, "CERTIFICATE"))
                .is_some_and(|der| der == certificate)
        };
        let same_hash = |route: &str, bytes: &[u8]| {
            let wanted = at(&format!("{route}/value"));
            let own = at(&format!("{route}/algorithm")).and_then(|kind| hash(kind, bytes));
            own.is_some_and(|own| Some(hex(&own).as_str()) == wanted)
        };
        let same = match (says("kind"), says("apiVersion"), &signed.content) {
            ("hashedrekord", "0.0.1", Content::Message) => {
                same_signature(decoded("/spec/signature/content"))
                    && same_certificate("/spec/signature/publicKey/content")
                    && same_hash("/spec/data/hash", signed.bytes)
            }
            // Of Rekor's second version: it hashes what an envelope signs, too.
            ("hashedrekord", "0.0.2", _) => {
                let spec = "/spec/hashedRekordV002";
                let own =
                    at(&format!("{spec}/data/algorithm")).and_then(|kind| hash(kind, signed.bytes));
                let verifier = format!("{spec}/signature/verifier/x509Certificate/rawBytes");
                own.is_some()
                    && own == decoded(&format!("{spec}/data/digest"))
                    && same_signature(decoded(&format!("{spec}/signature/content")))
                    && decoded(&verifier).is_some_and(|der| der == certificate)
            }
            ("dsse", "0.0.1", Content::Envelope { payload, .. }) => {
                same_signature(decoded("/spec/signatures/0/signature"))
                    && same_certificate("/spec/signatures/0/verifier")
                    && same_hash("/spec/payloadHash", payload)
            }
            ("intoto", "0.0.2", Content::Envelope { payload, .. }) => {
                let one = "/spec/content/envelope/signatures/0";
                // The envelope's base64 once more in base64.
                let signature =
                    decoded(&format!("{one}/sig")).and_then(|text| STANDARD.decode(text).ok());
                same_signature(signature)
                    && same_certificate(&format!("{one}/publicKey"))
                    && same_hash("/spec/content/payloadHash", payload)
            }
            (
                "intoto",
                "0.0.1",
                Content::Envelope {
                    whole: Some(whole), ..
                },
            ) => same_certificate("/spec/publicKey") && same_hash("/spec/content/hash", whole),
            ("hashedrekord" | "dsse" | "intoto", "0.0.1" | "0.0.2", _) => false,
            (kind, version, _) => {
                let kind: String = kind.chars().filter(|c| !c.is_control()).take(40).collect();
                let version: String = version
                    .chars()
                    .filter(|c| c.is_ascii_graphic())
                    .take(20)
                    .collect();
                return Err(Problem::unable(format!(
                    "its entry in the log is of kind `{kind}` {version}, which is not checked here"
                )));
            }
        };
        if same {
            Ok(())
        } else {
            Err(Problem::wrong(
                "its entry in the log is about something else",
            ))
        }
    }
}

impl Proof {
    /// Whether the way leads from an entry to the root (RFC 9162, section 2.1.3.2).
    fn leads(&self, body: &[u8]) -> Option<bool> {
        if self.index >= self.size {
            return None;
        }
        let (mut at, mut last) = (self.index, self.size.checked_sub(1)?);
        let mut hash = Sha256::new()
            .chain_update([0])
            .chain_update(body)
            .finalize();
        for other in &self.hashes {
            if last == 0 {
                return None;
            }
            let node = Sha256::new().chain_update([1]);
            if at & 1 == 1 || at == last {
                hash = node.chain_update(other).chain_update(hash).finalize();
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node.chain_update(hash).chain_update(other).finalize();
            }
            at >>= 1;
            last >>= 1;
        }
        Some(last == 0 && hash.as_slice() == self.root)
    }

    /// The text of the checkpoint, where it is about the same root, and the signatures below it.
    fn signed(&self) -> Option<(String, Vec<Vec<u8>>)> {
        let (text, below) = self.checkpoint.split_once("\n\n")?;
        let mut lines = text.lines();
        let (_origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let same = size.parse() == Ok(self.size) && STANDARD.decode(root).ok()? == self.root;
        if !same {
            return None;
        }
        let signatures = below
            .lines()
            .filter_map(|line| {
                let (_name, signature) = line.strip_prefix("— ")?.rsplit_once(' ')?;
                // Four bytes name the key.
                Some(
                    STANDARD
                        .decode(signature)
                        .ok()?
                        .split_at_checked(4)?
                        .1
                        .to_vec(),
                )
            })
            .collect();
        Some((format!("{text}\n"), signatures))
    }
}

/// By the name of an algorithm, as Rekor's versions call it.
pub(super) fn hash(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "sha256" | "SHA2_256" => Sha256::digest(bytes).to_vec(),
        "sha384" | "SHA2_384" => Sha384::digest(bytes).to_vec(),
        "sha512" | "SHA2_512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}
