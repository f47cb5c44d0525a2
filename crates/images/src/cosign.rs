//! Signatures of cosign: simple signing beside an image under a tag of its own
//! (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>), and since version 3 statements in bundles.
//! They are by a key, or by a certificate that lives for minutes ([`crate::sigstore`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::PublicKey;
use crate::attestation::{About, Attestation};
use crate::crypto::{Refused, hex};
use crate::manifest::Descriptor;
use crate::sigstore::identity::Identity;
use crate::sigstore::material::Material;
use crate::sigstore::root::Root;
use crate::sigstore::{self, Content, Signed};
use crate::verdict::{Outcome, Problem, Signature};

/// The media type of what is signed.
pub const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

const KIND: &str = "cosign";

/// Whose signatures count.
#[derive(Debug, Default)]
pub struct Trust {
    /// Keys.
    pub keys: Vec<Named>,
    /// Authorities and logs, for signatures without a key.
    pub root: Option<Root>,
    /// Whom those authorities may name.
    pub identities: Vec<Identity>,
}

/// A key, and what people call it.
#[derive(Debug, Clone)]
pub struct Named {
    /// The file's name.
    pub name: String,
    /// The key.
    pub key: PublicKey,
}

/// The tag under which signatures (`sig`) or statements (`att`) of an image stand.
#[must_use]
pub fn tag(digest: &str, of: &str) -> String {
    format!("{}.{of}", digest.replace(':', "-"))
}

/// Checks one signature: the layer of its manifest, and the payload that the layer is.
#[must_use]
pub fn check(layer: &Descriptor, payload: &[u8], image: &str, trust: &Trust) -> Signature {
    let text = layer.annotations.get(SIGNATURE);
    let Some(signature) = text.and_then(|text| STANDARD.decode(text).ok()) else {
        return Signature::new(KIND, Outcome::Wrong, "", "it holds no signature");
    };
    let signed = Signed {
        bytes: payload,
        signature: &signature,
        content: Content::Message,
    };
    let (outcome, signer, why) = trust.judge(&signed, Material::of_layer(&layer.annotations));
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

/// The digest that a bundle signs, where it signs one and no statement.
#[must_use]
pub fn signs_digest(bundle: &[u8]) -> Option<String> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    let digest = bundle.pointer("/messageSignature/messageDigest")?;
    let algorithm = match digest.get("algorithm")?.as_str()? {
        "SHA2_256" => "sha256",
        "SHA2_512" => "sha512",
        _ => return None,
    };
    let hash = STANDARD.decode(digest.get("digest")?.as_str()?).ok()?;
    Some(format!("{algorithm}:{}", hex(&hash)))
}

/// Checks a bundle that signs the image's manifest itself.
#[must_use]
pub fn check_digest(bundle: &[u8], manifest: &[u8], image: &str, trust: &Trust) -> Signature {
    let wrong = |why: &str| Signature::new(KIND, Outcome::Wrong, "", why);
    // What a bundle says of the digest is a hint; what is signed are the bytes.
    if crate::has_digest(manifest, image) != Some(true) {
        return wrong("it is of something else");
    }
    let bundle: Value = serde_json::from_slice(bundle).unwrap_or_default();
    let signature = bundle
        .pointer("/messageSignature/signature")
        .and_then(Value::as_str)
        .and_then(|text| STANDARD.decode(text).ok());
    let Some(signature) = signature else {
        return wrong("it holds no signature");
    };
    let signed = Signed {
        bytes: manifest,
        signature: &signature,
        content: Content::Message,
    };
    let (outcome, signer, why) = trust.judge(&signed, Material::of_bundle(&bundle));
    Signature::new(KIND, outcome, &signer, why)
}

/// The signature that a statement is, if it is one.
#[must_use]
pub fn of_statement(attestation: &Attestation) -> Option<Signature> {
    let outcome = attestation.outcome?;
    (attestation.about == About::Signature)
        .then(|| Signature::new(KIND, outcome, &attestation.signer, attestation.why.as_str()))
}

impl Trust {
    /// What is said of a signature: by a key, else by the certificate that comes with it.
    pub(crate) fn judge(
        &self,
        signed: &Signed<'_>,
        material: Option<Result<Material, Problem>>,
    ) -> (Outcome, String, String) {
        let mut unable = None;
        for named in &self.keys {
            match named.key.verify_cosign(signed.bytes, signed.signature) {
                Ok(()) => return (Outcome::Verified, named.name.clone(), String::new()),
                Err(Refused::Unable) => unable = Some(&named.name),
                Err(Refused::Wrong) => {}
            }
        }
        let said = match material {
            Some(Ok(material)) => {
                let root = self.root.as_ref();
                let judged = sigstore::check(&material, signed, root, &self.identities);
                return match judged.result {
                    Ok(()) => (Outcome::Verified, judged.signer, String::new()),
                    Err(problem) => (problem.outcome, judged.signer, problem.why),
                };
            }
            Some(Err(problem)) => problem,
            None => match unable {
                Some(name) => Problem::unable(format!(
                    "the key `{name}` is of a kind that is not checked here"
                )),
                None if self.keys.is_empty() => Problem::unable("no key says whom to trust"),
                None => {
                    Problem::untrusted("it was changed, or made with a key that is not trusted")
                }
            },
        };
        (said.outcome, String::new(), said.why)
    }
}
