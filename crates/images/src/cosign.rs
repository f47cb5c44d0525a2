//! Signatures of cosign: simple signing beside an image under a tag of its own
//! (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>), and since version 3 statements in bundles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::attestation::{About, Attestation, Named, by_keys};
use crate::manifest::Descriptor;
use crate::verdict::{Outcome, Signature};

/// The media type of what is signed.
pub const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

const KIND: &str = "cosign";

/// The tag under which signatures (`sig`) or statements (`att`) of an image stand.
#[must_use]
pub fn tag(digest: &str, of: &str) -> String {
    format!("{}.{of}", digest.replace(':', "-"))
}

/// Checks one signature: the layer of its manifest, and the payload that the layer is.
#[must_use]
pub fn check(layer: &Descriptor, payload: &[u8], image: &str, keys: &[Named]) -> Signature {
    let text = layer.annotations.get(SIGNATURE);
    let Some(signature) = text.and_then(|text| STANDARD.decode(text).ok()) else {
        return Signature::new(KIND, Outcome::Wrong, "", "it holds no signature");
    };
    let keyless = layer.annotations.contains_key(CERTIFICATE);
    let (outcome, signer, why) =
        by_keys(keys, keyless, |key| key.verify_cosign(payload, &signature));
    // Whoever signed, it counts for the image that it names.
    let named = serde_json::from_slice::<Value>(payload).ok();
    let named = named
        .as_ref()
        .and_then(|payload| payload.pointer("/critical/image/docker-manifest-digest"))
        .and_then(Value::as_str);
    if named != Some(image) {
        return Signature::new(KIND, Outcome::Wrong, &signer, "it is of something else");
    }
    Signature::new(KIND, outcome, &signer, why)
}

/// The signature that a statement is, if it is one.
#[must_use]
pub fn of_statement(attestation: &Attestation) -> Option<Signature> {
    let outcome = attestation.outcome?;
    (attestation.about == About::Signature)
        .then(|| Signature::new(KIND, outcome, &attestation.signer, attestation.why.as_str()))
}
