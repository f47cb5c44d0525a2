//! Signatures without keys that others made: bundles that sigstore-go and cosign test with.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use images::Outcome;
use images::attestation::{self, Attestation, BUNDLE};
use images::cosign::{self, Trust};
use images::manifest::Descriptor;
use images::sigstore::identity::Identity;
use oracle::sigstore::Sigstore;
use serde_json::Value;

use crate::{DEV, ENTRY, is, trust, with};

/// What sigstore-go tests with: bundles of the public Sigstore.
fn public(name: &str) -> String {
    let folder = oracle::fixture("sigstore").unwrap();
    fs::read_to_string(folder.join(name)).unwrap()
}

fn public_trust(identity: &str) -> Trust {
    let root: Value = serde_json::from_str(&public("trusted-roots/public-good.json")).unwrap();
    trust(&root, identity)
}

const SIGSTORE_JS: &str = "https://token.actions.githubusercontent.com=https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";

/// The digest that a bundle's statement is about.
fn subject(bundle: &Value) -> String {
    let payload = bundle.pointer("/dsseEnvelope/payload").unwrap();
    let payload = STANDARD.decode(payload.as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let digests = statement.pointer("/subject/0/digest").unwrap();
    let (algorithm, hash) = digests.as_object().unwrap().iter().next().unwrap();
    format!("{algorithm}:{}", hash.as_str().unwrap())
}

fn read(text: &str, about: &str, trust: &Trust) -> Result<Attestation, String> {
    let layer = Descriptor {
        media_type: format!("{BUNDLE}+json;version=0.1"),
        ..Descriptor::default()
    };
    attestation::check(&layer, text.as_bytes(), about, trust)
}

#[test]
fn bundles_of_the_public_sigstore_hold() {
    let text = public("bundles/sigstore.js@2.0.0-provenance.sigstore.json");
    let value: Value = serde_json::from_str(&text).unwrap();
    let about = subject(&value);
    let one = read(&text, &about, &public_trust(SIGSTORE_JS)).unwrap();
    assert_eq!(
        one.outcome,
        Some(Outcome::Verified),
        "{} {}",
        one.why,
        one.signer
    );
    assert!(
        one.signer.contains("release.yml@refs/heads/main"),
        "{}",
        one.signer
    );
    let one = read(&text, &about, &public_trust(DEV)).unwrap();
    assert_eq!(one.outcome, Some(Outcome::Untrusted), "{}", one.why);
    // Of a private Sigstore they are not.
    let own = trust(&Sigstore::default().root(), SIGSTORE_JS);
    let one = read(&text, &about, &own).unwrap();
    assert_eq!(one.outcome, Some(Outcome::Untrusted), "{}", one.why);

    // A byte changed anywhere in what is signed.
    let whom = public_trust(SIGSTORE_JS);
    for route in [
        "/dsseEnvelope/payload",
        "/dsseEnvelope/signatures/0/sig",
        "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
        "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
        "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/2",
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    ] {
        let bytes = STANDARD
            .decode(value.pointer(route).unwrap().as_str().unwrap())
            .unwrap();
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            let changed = with(&value, route, STANDARD.encode(changed));
            let said = read(&changed.to_string(), &about, &whom);
            let outcome = said.map(|one| one.outcome);
            assert!(
                !matches!(outcome, Ok(Some(Outcome::Verified))),
                "{route} {at}"
            );
        }
    }
}

#[test]
fn what_cosign_left_beside_an_image_holds() {
    let text = public("oci-attestation.sigstore.json");
    let value: Value = serde_json::from_str(&text).unwrap();
    let root: Value = serde_json::from_str(&public("trusted_root_pgi.json")).unwrap();
    let like = |identity: &str| Trust {
        identities: vec![Identity::like(identity).unwrap()],
        ..trust(&root, DEV)
    };
    let about = subject(&value);
    let layer = Descriptor {
        media_type: format!("{BUNDLE}.v0.3+json"),
        ..Descriptor::default()
    };
    let judge = |bundle: &Value, whom: &Trust| {
        let text = bundle.to_string();
        let read = attestation::check(&layer, text.as_bytes(), &about, whom).unwrap();
        (read.outcome.unwrap(), read.why)
    };
    let whom = like(r"^https://github\.com/login/oauth$=.");
    is(judge(&value, &whom), Outcome::Verified, "");
    is(
        judge(&value, &like(r"^https://accounts\.google\.com$=.")),
        Outcome::Untrusted,
        "none of the trusted identities",
    );
    // An hour later by the clock of whoever holds the bundle.
    let route = format!("{ENTRY}/integratedTime");
    let time: i64 = value
        .pointer(&route)
        .unwrap()
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let later = with(&value, &route, (time + 3600).to_string());
    is(judge(&later, &whom), Outcome::Wrong, "promise");
}

#[test]
fn an_older_bundle_of_the_public_sigstore_holds() {
    let text = public("bundles/dsse.sigstore.json");
    let value: Value = serde_json::from_str(&text).unwrap();
    let whom = Trust {
        identities: vec![Identity::like(".=.").unwrap()],
        ..public_trust(DEV)
    };
    let about = subject(&value);
    let one = read(&text, &about, &whom).unwrap();
    assert_eq!(
        one.outcome,
        Some(Outcome::Verified),
        "{} {}",
        one.why,
        one.signer
    );
    let twice = public("bundles/dsse-2sigs.sigstore.json");
    let one = read(&twice, &about, &whom).unwrap();
    assert_eq!(one.outcome, Some(Outcome::Wrong), "{}", one.why);
    assert_eq!(one.why, "it has more than one signature");
}

#[test]
fn a_certificate_may_name_somebody_in_another_way() {
    let text = public("bundles/othername.sigstore.json");
    let root: Value = serde_json::from_str(&public("trusted-roots/scaffolding.json")).unwrap();
    let whom = trust(&root, "http://oidc.local:8080=foo!oidc.local");
    let about = cosign::signs_digest(text.as_bytes()).unwrap();
    assert_eq!(
        about,
        "sha256:bc103b4a84971ef6459b294a2b98568a2bfb72cded09d4acd1e16366a401f95b"
    );
    // Nobody has the bytes that were signed.
    let read = cosign::check_digest(
        text.as_bytes(),
        b"other",
        &images::digest_of(b"other"),
        &whom,
    );
    assert_eq!(read.outcome, Outcome::Wrong);
    assert_eq!(read.signer, "foo!oidc.local (http://oidc.local:8080)");
}
