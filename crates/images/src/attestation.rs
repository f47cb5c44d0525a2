//! Statements about an image: where it was built, what is in it
//! (<https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md>), in envelopes of DSSE
//! (<https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>) and bundles of Sigstore
//! (<https://github.com/sigstore/protobuf-specs>, `sigstore_bundle.proto`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::cosign::Trust;
use crate::manifest::Descriptor;
use crate::sigstore::material::Material;
use crate::sigstore::{Content, Signed};
use crate::verdict::{Outcome, Problem};

/// The media type of an envelope.
pub const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// What the media type of a bundle begins with.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// A statement without an envelope, as BuildKit writes it.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// What `cosign sign` states since version 3.
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Who built it of what (SLSA).
    Provenance,
    /// What is in it (SPDX, CycloneDX).
    Bom,
    /// That somebody signs for it.
    Signature,
    /// Anything else.
    Other,
}

impl About {
    /// By the type of a predicate, or of an artifact beside an image.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        let kind = kind.to_ascii_lowercase();
        if kind.starts_with("https://slsa.dev/provenance/") {
            Self::Provenance
        } else if kind.contains("spdx") || kind.contains("cyclonedx") {
            Self::Bom
        } else if kind == COSIGN_SIGN {
            Self::Signature
        } else {
            Self::Other
        }
    }
}

/// A statement, and what is said of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// What it is about.
    pub about: About,
    /// The type of its predicate.
    pub predicate: String,
    /// Who built the image, of a provenance.
    pub builder: Option<String>,
    /// Whether somebody who is trusted signed it; `None` where nobody signed.
    pub outcome: Option<Outcome>,
    /// Who signed, as far as is known.
    pub signer: String,
    /// Why.
    pub why: String,
}

/// Reads a statement that nobody signed.
///
/// # Errors
/// When it is none, or one about something else, as a clause.
pub fn unsigned(blob: &[u8], image: &str) -> Result<Attestation, String> {
    stated(&json(blob)?, image)
}

/// Reads what stands beside an image, a layer and the blob that it is, and checks its signature.
///
/// # Errors
/// When it is no statement, or one about something else, as a clause.
pub fn check(
    layer: &Descriptor,
    blob: &[u8],
    image: &str,
    trust: &Trust,
) -> Result<Attestation, String> {
    let value = json(blob)?;
    if layer.media_type == IN_TOTO {
        return stated(&value, image);
    }
    let bundle = layer.media_type.starts_with(BUNDLE);
    let (envelope, material) = if bundle {
        let envelope = value
            .get("dsseEnvelope")
            .ok_or_else(|| "a bundle holds no statement".to_owned())?;
        (envelope, Material::of_bundle(&value))
    } else {
        (&value, Material::of_layer(&layer.annotations))
    };
    let text = |key: &str| envelope.get(key).and_then(Value::as_str);
    let malformed = || "an envelope is malformed".to_owned();
    let kind = text("payloadType").ok_or_else(malformed)?;
    let payload = STANDARD
        .decode(text("payload").ok_or_else(malformed)?)
        .map_err(|_| malformed())?;
    let statement: Value = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    let mut attestation = stated(&statement, image)?;
    let signatures: Vec<Vec<u8>> = envelope
        .get("signatures")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| STANDARD.decode(one.get("sig")?.as_str()?).ok())
        .collect();
    let bytes = pae(kind, &payload);
    // A log has one signature of an envelope, and sigstore-go takes no envelope with more (`pkg/verify/signature.go`).
    let material = match (material, signatures.len()) {
        (Some(_), 2..) => Some(Err(Problem::wrong("it has more than one signature"))),
        (material, _) => material,
    };
    for signature in &signatures {
        let signed = Signed {
            bytes: &bytes,
            signature,
            content: Content::Envelope {
                payload: &payload,
                whole: (!bundle).then_some(blob),
            },
        };
        let (outcome, signer, why) = trust.judge(&signed, material.clone());
        attestation.outcome = Some(outcome);
        attestation.signer = signer;
        attestation.why = why;
        if outcome == Outcome::Verified {
            break;
        }
    }
    Ok(attestation)
}

fn json(blob: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(blob).map_err(|_| "a statement is no JSON".to_owned())
}

/// What a statement says, if it is about an image.
fn stated(statement: &Value, image: &str) -> Result<Attestation, String> {
    let (algorithm, wanted) = image.split_once(':').unwrap_or_default();
    let about = statement
        .get("subject")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|subject| subject.get("digest")?.get(algorithm)?.as_str())
        .any(|digest| digest == wanted);
    if !about {
        return Err("a statement is about something else".to_owned());
    }
    let predicate = statement
        .get("predicateType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    // SLSA 1 has it in `runDetails`, SLSA 0.2 at the top (https://slsa.dev/spec/v1.1/provenance).
    let builder = ["/predicate/runDetails/builder/id", "/predicate/builder/id"]
        .iter()
        .find_map(|route| statement.pointer(route)?.as_str());
    Ok(Attestation {
        about: About::of(predicate),
        predicate: predicate.to_owned(),
        builder: builder.map(str::to_owned),
        outcome: None,
        signer: String::new(),
        why: "nobody signed it".to_owned(),
    })
}

/// What DSSE signs.
fn pae(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsse_signs_what_its_protocol_says() {
        // The example of the protocol.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_statement_is_about_the_image_or_nothing() {
        let statement = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"web","digest":{"sha256":"00"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"runDetails":{"builder":{"id":"https://ci.example/1"}}}}"#;
        let read = unsigned(statement, "sha256:00").unwrap();
        assert_eq!(read.about, About::Provenance);
        assert_eq!(read.builder.as_deref(), Some("https://ci.example/1"));
        assert_eq!(read.outcome, None);
        assert!(unsigned(statement, "sha256:01").is_err());
        assert!(unsigned(b"[]", "sha256:00").is_err());
        assert_eq!(About::of("https://spdx.dev/Document"), About::Bom);
        assert_eq!(About::of("application/vnd.cyclonedx+json"), About::Bom);
    }
}
