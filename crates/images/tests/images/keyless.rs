//! Signatures without keys by a Sigstore of one's own, of which one thing is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use images::attestation::{self, Attestation, BUNDLE};
use images::cosign::{self, Trust};
use images::manifest::Descriptor;
use images::sigstore::identity::Identity;
use images::sigstore::root::Root;
use images::{Outcome, Signature};
use oracle::sigstore::{
    BEGIN, LOGGED, Leaf, Logged, Signer, Sigstore, annotations, bundle, dsse, hashedrekord,
    hashedrekord2, pae, simple, statement,
};
use serde_json::{Value, json};

use crate::{DEV, ENTRY, is, trust, with};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

/// A bundle that `cosign sign` would write, its entry of a time.
fn signed(store: &Sigstore, by: &Signer, digest: &str, time: i64) -> Value {
    let payload = statement(digest);
    let signature = by.sign(pae(&payload).as_bytes());
    let entry = store.entry(&dsse(payload.as_bytes(), &signature, by), time);
    bundle(by, &payload, &signature, &entry)
}

fn judge(bundle: &Value, trust: &Trust) -> Attestation {
    let layer = Descriptor {
        media_type: format!("{BUNDLE}.v0.3+json"),
        ..Descriptor::default()
    };
    attestation::check(&layer, bundle.to_string().as_bytes(), DIGEST, trust).unwrap()
}

/// What is said of a bundle, in a word and a clause.
fn said(bundle: &Value, trust: &Trust) -> (Outcome, String) {
    let read = judge(bundle, trust);
    (read.outcome.unwrap(), read.why)
}

/// Another byte in a base64 text.
fn flipped(text: &Value) -> String {
    let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    STANDARD.encode(bytes)
}

#[test]
fn a_bundle_is_by_whom_it_names() {
    let store = Sigstore::default();
    let dev = store.certify(&Leaf::default());
    let good = signed(&store, &dev, DIGEST, LOGGED);
    let read = judge(&good, &trust(&store.root(), DEV));
    assert_eq!(read.outcome, Some(Outcome::Verified), "{}", read.why);
    assert_eq!(
        read.signer,
        "dev@example.com (https://accounts.example.com)"
    );
    let as_signature = cosign::of_statement(&read).unwrap();
    assert_eq!(as_signature.outcome, Outcome::Verified);

    let ci = store.certify(&Leaf {
        name: "https://ci.example.com/acme/web/build@main",
        issuer: "https://token.example.com",
        ..Leaf::default()
    });
    let good = signed(&store, &ci, DIGEST, LOGGED);
    let mut whom = trust(&store.root(), DEV);
    is(
        said(&good, &whom),
        Outcome::Untrusted,
        "none of the trusted identities",
    );
    whom.identities
        .push(Identity::like(r"^https://token\.=^https://ci\.example\.com/acme/").unwrap());
    is(said(&good, &whom), Outcome::Verified, "");
}

#[test]
fn who_is_not_named_is_not_trusted() {
    let store = Sigstore::default();
    let good = signed(&store, &store.certify(&Leaf::default()), DIGEST, LOGGED);
    let none = "none of the trusted identities";
    for other in [
        "https://accounts.example.com=dev@example.co",
        "https://accounts.example.com=ev@example.com",
        "https://accounts.example.co=dev@example.com",
    ] {
        is(
            said(&good, &trust(&store.root(), other)),
            Outcome::Untrusted,
            none,
        );
    }
    let like = |text: &str| Trust {
        identities: vec![Identity::like(text).unwrap()],
        ..trust(&store.root(), DEV)
    };
    is(
        said(&good, &like("accounts=@example.com$")),
        Outcome::Verified,
        "",
    );
    is(
        said(&good, &like("accounts=^example.com")),
        Outcome::Untrusted,
        none,
    );
    is(
        said(&good, &like("^accounts=@example.com$")),
        Outcome::Untrusted,
        none,
    );
    for bad in ["", "=", "a=", "=b", "a", "(=b"] {
        assert!(Identity::like(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let store = Sigstore::default();
    let good = signed(&store, &store.certify(&Leaf::default()), DIGEST, LOGGED);
    is(
        said(&good, &Trust::default()),
        Outcome::Unknown,
        "no trusted root",
    );
    let nobody = Trust {
        identities: Vec::new(),
        ..trust(&store.root(), DEV)
    };
    is(said(&good, &nobody), Outcome::Unknown, "no identity");
    let whom = trust(&store.root(), DEV);
    let none = with(&good, "/verificationMaterial/tlogEntries", json!([]));
    is(
        said(&none, &whom),
        Outcome::Unknown,
        "nothing beside it shows that it was logged",
    );
    // A proof signs no time: whoever may push would choose one.
    let mut unpromised = good.clone();
    let entry = unpromised.pointer_mut(ENTRY).unwrap();
    entry.as_object_mut().unwrap().remove("inclusionPromise");
    is(
        said(&unpromised, &whom),
        Outcome::Unknown,
        "nothing beside it proves when",
    );
    let future = with(
        &good,
        "/mediaType",
        "application/vnd.dev.sigstore.bundle.v0.9+json",
    );
    is(
        said(&future, &whom),
        Outcome::Unknown,
        "a version that is not known",
    );
}

/// As the second version of the log leaves it: a proof, and a time that an authority countersigned.
fn stamped(store: &Sigstore, by: &Signer, clock: &Sigstore, time: &str) -> Value {
    let payload = statement(DIGEST);
    let bytes = pae(&payload);
    let signature = by.sign(bytes.as_bytes());
    let body = hashedrekord2(bytes.as_bytes(), &signature, by);
    let mut entry = store.entry(&body, 0);
    let fields = entry.as_object_mut().unwrap();
    fields.remove("inclusionPromise");
    fields.remove("integratedTime");
    let mut whole = bundle(by, &payload, &signature, &entry);
    whole["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": [{"signedTimestamp": clock.stamp(&signature, time)}]});
    whole
}

#[test]
fn a_countersigned_time_counts() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let at = |time| said(&stamped(&store, &dev, &store, time), &whom);
    is(at("20260601000100Z"), Outcome::Verified, "");
    is(at("20260601000100.5Z"), Outcome::Verified, "");
    is(
        at("20260531235959Z"),
        Outcome::Expired,
        "begins on 2026-06-01",
    );
    is(
        at("20260601001001Z"),
        Outcome::Expired,
        "ended on 2026-06-01",
    );
    is(at("20260601000100"), Outcome::Wrong, "malformed");
    is(at("20261301000100Z"), Outcome::Wrong, "malformed");
    // Before the clock's own certificate.
    is(
        at("20251231000000Z"),
        Outcome::Expired,
        "countersigned its time begins",
    );
    let good = stamped(&store, &dev, &store, "20260601000100Z");
    let eve = Sigstore::default();
    let other = stamped(&store, &dev, &eve, "20260601000100Z");
    is(
        said(&other, &whom),
        Outcome::Untrusted,
        "no authority of the trusted root countersigned",
    );
    let mut ended = store.root();
    ended["timestampAuthorities"][0]["validFor"]["end"] = "2026-05-31T00:00:00Z".into();
    is(
        said(&good, &trust(&ended, DEV)),
        Outcome::Expired,
        "does not trust its authority",
    );
    // The clock's certificate by another authority, or one that is not made to tell time.
    let mut mixed = store.root();
    let chain = "certChain";
    mixed["timestampAuthorities"][0][chain]["certificates"][1] =
        eve.root()["timestampAuthorities"][0][chain]["certificates"][1].clone();
    is(
        said(&good, &trust(&mixed, DEV)),
        Outcome::Untrusted,
        "no authority of the trusted root countersigned",
    );
    let route =
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let another = with(&good, route, store.stamp(b"another", "20260601000100Z"));
    is(
        said(&another, &whom),
        Outcome::Wrong,
        "of another signature",
    );
    // Nothing shows that it was logged.
    let unlogged = with(&good, "/verificationMaterial/tlogEntries", json!([]));
    is(
        said(&unlogged, &whom),
        Outcome::Unknown,
        "shows that it was logged",
    );
    // Beside a log's promise a strange clock says nothing, a known one has to fit.
    let mut both = signed(&store, &dev, DIGEST, LOGGED);
    let signature = both.pointer("/dsseEnvelope/signatures/0/sig").unwrap();
    let signature = STANDARD.decode(signature.as_str().unwrap()).unwrap();
    let mut with_clock = |clock: &Sigstore, time: &str| {
        both["verificationMaterial"]["timestampVerificationData"] =
            json!({"rfc3161Timestamps": [{"signedTimestamp": clock.stamp(&signature, time)}]});
        said(&both, &whom)
    };
    is(with_clock(&eve, "20260701000000Z"), Outcome::Verified, "");
    is(with_clock(&store, "20260601000100Z"), Outcome::Verified, "");
    is(
        with_clock(&store, "20260701000000Z"),
        Outcome::Expired,
        "ended on",
    );
    // Every byte of the token.
    let token = STANDARD
        .decode(good.pointer(route).unwrap().as_str().unwrap())
        .unwrap();
    let mut free = 0;
    for at in 0..token.len() {
        for bit in [0x01, 0x80] {
            let mut changed = token.clone();
            changed[at] ^= bit;
            let (outcome, why) = said(&with(&good, route, STANDARD.encode(changed)), &whom);
            // Only what nobody signs (versions, who signed) may be another; the time may not.
            assert!(outcome == Outcome::Verified || !why.is_empty(), "{at}");
            free += usize::from(outcome == Outcome::Verified);
        }
        let cut = with(&good, route, STANDARD.encode(&token[..at]));
        is(said(&cut, &whom), Outcome::Wrong, "malformed");
    }
    assert!(free < token.len() / 3, "{free} of {}", 2 * token.len());
}

#[test]
fn an_entry_of_the_second_version_is_about_one_signature() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let good = stamped(&store, &dev, &store, "20260601000100Z");
    let signature = good.pointer("/dsseEnvelope/signatures/0/sig").unwrap();
    let signature = STANDARD.decode(signature.as_str().unwrap()).unwrap();
    let bytes = pae(&statement(DIGEST));
    let another = store.certify(&Leaf::default());
    for body in [
        hashedrekord2(b"another", &signature, &dev),
        hashedrekord2(bytes.as_bytes(), b"another", &dev),
        hashedrekord2(bytes.as_bytes(), &signature, &another),
        json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {}}),
    ] {
        let mut entry = store.entry(&body, 0);
        entry.as_object_mut().unwrap().remove("inclusionPromise");
        let changed = with(&good, ENTRY, entry);
        is(
            said(&changed, &whom),
            Outcome::Wrong,
            "about something else",
        );
    }
}

#[test]
fn a_certificate_that_does_not_hold_is_found() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let of = |leaf: Leaf| signed(&store, &store.certify(&leaf), DIGEST, LOGGED);
    let tls = of(Leaf {
        code: false,
        ..Leaf::default()
    });
    is(said(&tls, &whom), Outcome::Wrong, "not made to sign code");
    let unlogged = of(Leaf {
        logged: Logged::No,
        ..Leaf::default()
    });
    is(
        said(&unlogged, &whom),
        Outcome::Untrusted,
        "does not say that it was logged",
    );
    let other = of(Leaf {
        logged: Logged::Other,
        ..Leaf::default()
    });
    is(
        said(&other, &whom),
        Outcome::Wrong,
        "what a log signed for its certificate",
    );
    let good = of(Leaf::default());
    // A log of certificates that nobody knows, or whose key had not begun.
    let strange = with(
        &store.root(),
        "/ctlogs",
        Sigstore::default().root()["ctlogs"].clone(),
    );
    is(
        said(&good, &trust(&strange, DEV)),
        Outcome::Untrusted,
        "logged by no log",
    );
    let route = "/ctlogs/0/publicKey/validFor/start";
    let late = with(&store.root(), route, "2026-06-02T00:00:00Z");
    is(
        said(&good, &trust(&late, DEV)),
        Outcome::Untrusted,
        "valid then",
    );
    // The same name, another key.
    let route = "/ctlogs/0/publicKey/rawBytes";
    let other = Sigstore::default().root();
    let forged = with(&store.root(), route, other.pointer(route).unwrap().clone());
    is(
        said(&good, &trust(&forged, DEV)),
        Outcome::Wrong,
        "what a log signed",
    );

    let strange = with(
        &store.root(),
        "/certificateAuthorities",
        other["certificateAuthorities"].clone(),
    );
    is(
        said(&good, &trust(&strange, DEV)),
        Outcome::Untrusted,
        "no authority",
    );
    let mut ended = store.root();
    ended["certificateAuthorities"][0]["validFor"]["end"] = "2026-05-31T00:00:00Z".into();
    is(
        said(&good, &trust(&ended, DEV)),
        Outcome::Expired,
        "does not trust its authority",
    );
    // One authority has ended, the other has not.
    let both = json!([
        ended["certificateAuthorities"][0],
        store.root()["certificateAuthorities"][0]
    ]);
    let both = with(&store.root(), "/certificateAuthorities", both);
    is(said(&good, &trust(&both, DEV)), Outcome::Verified, "");

    let by = store.certify(&Leaf::default());
    let at = |time| said(&signed(&store, &by, DIGEST, time), &whom);
    is(at(BEGIN), Outcome::Verified, "");
    is(at(BEGIN + 600), Outcome::Verified, "");
    is(
        at(BEGIN - 1),
        Outcome::Expired,
        "begins on 2026-06-01 00:00:00 UTC",
    );
    is(
        at(BEGIN + 601),
        Outcome::Expired,
        "ended on 2026-06-01 00:10:00 UTC",
    );
}

#[test]
fn an_entry_that_does_not_hold_is_found() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let good = signed(&store, &dev, DIGEST, LOGGED);
    let entry = |route: &str| format!("{ENTRY}/{route}");
    let is_wrong = |route: &str, value: Value, why: &str| {
        is(
            said(&with(&good, &entry(route), value), &whom),
            Outcome::Wrong,
            why,
        );
    };
    let eve = Sigstore::default();
    let body = good
        .pointer(&entry("canonicalizedBody"))
        .unwrap()
        .as_str()
        .unwrap();
    let promise = "inclusionPromise/signedEntryTimestamp";
    is_wrong(promise, eve.promise(body, LOGGED).into(), "promise");
    is_wrong("integratedTime", (LOGGED + 1).to_string().into(), "promise");
    is_wrong("logIndex", "1002".into(), "promise");
    is_wrong(
        "inclusionProof/hashes/0",
        STANDARD.encode([7; 32]).into(),
        "log's root",
    );
    is_wrong("inclusionProof/hashes", json!([]), "log's root");
    is_wrong("inclusionProof/logIndex", "0".into(), "log's root");
    is_wrong("inclusionProof/logIndex", "9".into(), "log's root");
    is_wrong("inclusionProof/treeSize", "4".into(), "another root");
    is_wrong(
        "inclusionProof/rootHash",
        STANDARD.encode([7; 32]).into(),
        "log's root",
    );
    let root = good.pointer(&entry("inclusionProof/rootHash")).unwrap();
    let root = STANDARD.decode(root.as_str().unwrap()).unwrap();
    let checkpoint = "inclusionProof/checkpoint/envelope";
    is_wrong(
        checkpoint,
        eve.checkpoint(3, &root).into(),
        "not signed by it",
    );
    is_wrong(
        checkpoint,
        store.checkpoint(3, &[7; 32]).into(),
        "another root",
    );
    is_wrong(
        checkpoint,
        store.checkpoint(4, &root).into(),
        "another root",
    );
    is_wrong(checkpoint, "".into(), "another root");
    // The log has something, but not this.
    let signature = STANDARD
        .decode(
            good.pointer("/dsseEnvelope/signatures/0/sig")
                .unwrap()
                .as_str()
                .unwrap(),
        )
        .unwrap();
    let payload = statement(DIGEST);
    let payload = payload.as_bytes();
    let about = |body: &Value| with(&good, ENTRY, store.entry(body, LOGGED));
    let else_ = "about something else";
    let another = store.certify(&Leaf::default());
    for body in [
        dsse(b"another", &signature, &dev),
        dsse(payload, b"another", &dev),
        dsse(payload, &signature, &another),
        hashedrekord(payload, &signature, &dev),
        json!({"apiVersion": "0.0.1", "kind": "dsse"}),
    ] {
        is(said(&about(&body), &whom), Outcome::Wrong, else_);
    }
    let strange = json!({"apiVersion": "0.0.1", "kind": "cose"});
    is(said(&about(&strange), &whom), Outcome::Unknown, "`cose`");
    // A log that nobody knows, one whose key had not begun or has ended.
    let unknown = with(&store.root(), "/tlogs", eve.root()["tlogs"].clone());
    is(
        said(&good, &trust(&unknown, DEV)),
        Outcome::Untrusted,
        "no log of the trusted root",
    );
    let route = "/tlogs/0/publicKey/validFor/start";
    let late = with(&store.root(), route, "2026-06-02T00:00:00Z");
    is(
        said(&good, &trust(&late, DEV)),
        Outcome::Untrusted,
        "does not trust the log",
    );
    let mut bare = good.clone();
    let object = bare.pointer_mut(ENTRY).unwrap().as_object_mut().unwrap();
    object.remove("inclusionProof");
    is(said(&bare, &whom), Outcome::Wrong, "its version must hold");
}

#[test]
fn what_is_signed_is_what_counts() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let good = signed(&store, &dev, DIGEST, LOGGED);
    // Of another image: it is not about this one, so it is none.
    let stolen = signed(&store, &dev, OTHER, LOGGED);
    let layer = Descriptor {
        media_type: format!("{BUNDLE}.v0.3+json"),
        ..Descriptor::default()
    };
    let read = attestation::check(&layer, stolen.to_string().as_bytes(), DIGEST, &whom);
    assert!(read.unwrap_err().contains("something else"));
    // Its payload changed to be about this one.
    let payload = STANDARD.encode(statement(DIGEST));
    let changed = with(&stolen, "/dsseEnvelope/payload", payload);
    is(said(&changed, &whom), Outcome::Wrong, "it was changed");
    let route = "/dsseEnvelope/signatures/0/sig";
    let signature = flipped(good.pointer(route).unwrap());
    is(
        said(&with(&good, route, signature), &whom),
        Outcome::Wrong,
        "it was changed",
    );
    let route = "/dsseEnvelope/payloadType";
    let kind = with(&good, route, "application/vnd.other");
    is(said(&kind, &whom), Outcome::Wrong, "it was changed");
    let route = "/verificationMaterial/certificate/rawBytes";
    let other = store.certify(&Leaf::default());
    let other = with(&good, route, STANDARD.encode(&other.certificate));
    is(said(&other, &whom), Outcome::Wrong, "it was changed");
    // A byte of what the authority signed: the key is still the same, but the log has another certificate.
    let certificate = flipped(good.pointer(route).unwrap());
    is(
        said(&with(&good, route, certificate), &whom),
        Outcome::Wrong,
        "about something else",
    );
    let mut twice = good.clone();
    let list = twice.pointer_mut("/dsseEnvelope/signatures").unwrap();
    let again = list[0].clone();
    list.as_array_mut().unwrap().push(again);
    is(
        said(&twice, &whom),
        Outcome::Wrong,
        "more than one signature",
    );
}

/// A signature as cosign's second version leaves it.
fn layered(
    store: &Sigstore,
    by: &Signer,
    about: &str,
    change: impl Fn(&mut Value),
) -> (Descriptor, String) {
    let payload = simple(about);
    let signature = by.sign(payload.as_bytes());
    let entry = store.entry(&hashedrekord(payload.as_bytes(), &signature, by), LOGGED);
    let mut annotations = annotations(by, &signature, &entry);
    change(&mut annotations);
    let layer = json!({
        "mediaType": cosign::PAYLOAD, "digest": "", "size": 0, "annotations": annotations,
    });
    (serde_json::from_value(layer).unwrap(), payload)
}

#[test]
fn layers_of_cosign_are_checked_the_same() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let check = |about: &str, change: &dyn Fn(&mut Value)| -> Signature {
        let (layer, payload) = layered(&store, &dev, about, change);
        cosign::check(&layer, payload.as_bytes(), DIGEST, &whom)
    };
    let good = check(DIGEST, &|_| ());
    assert_eq!((good.outcome, &*good.why), (Outcome::Verified, ""));
    assert_eq!(
        good.signer,
        "dev@example.com (https://accounts.example.com)"
    );
    let stolen = check(OTHER, &|_| ());
    assert_eq!(stolen.outcome, Outcome::Wrong, "{}", stolen.why);
    let bare = check(DIGEST, &|all| {
        all.as_object_mut()
            .unwrap()
            .remove("dev.sigstore.cosign/bundle");
    });
    assert_eq!(bare.outcome, Outcome::Unknown, "{}", bare.why);
    let other = hashedrekord(b"another", b"another", &dev);
    let entry = store.entry(&other, LOGGED);
    let other = check(DIGEST, &|all| {
        all["dev.sigstore.cosign/bundle"] =
            annotations(&dev, b"", &entry)["dev.sigstore.cosign/bundle"].clone();
    });
    assert_eq!(other.outcome, Outcome::Wrong);
    assert!(other.why.contains("about something else"), "{}", other.why);
    let forged = check(DIGEST, &|all| {
        let text = all["dev.sigstore.cosign/bundle"].as_str().unwrap();
        let mut bundle: Value = serde_json::from_str(text).unwrap();
        bundle["Payload"]["integratedTime"] = (LOGGED + 1).into();
        all["dev.sigstore.cosign/bundle"] = bundle.to_string().into();
    });
    assert!(forged.why.contains("promise"), "{}", forged.why);
    // What only looks like one.
    for key in [
        "dev.sigstore.cosign/bundle",
        "dev.sigstore.cosign/certificate",
    ] {
        for text in [
            "",
            "{}",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        ] {
            let read = check(DIGEST, &|all| all[key] = text.into());
            assert_eq!(read.outcome, Outcome::Wrong, "{key} {text} {}", read.why);
        }
    }
}

#[test]
fn a_bundle_may_sign_the_manifest_itself() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let dev = store.certify(&Leaf::default());
    let manifest = br#"{"schemaVersion":2}"#;
    let digest = images::digest_of(manifest);
    let signature = dev.sign(manifest);
    let entry = store.entry(&hashedrekord(manifest, &signature, &dev), LOGGED);
    let mut whole = bundle(&dev, "", b"", &entry);
    whole.as_object_mut().unwrap().remove("dsseEnvelope");
    let hash = STANDARD.encode(
        (0..32)
            .map(|at| u8::from_str_radix(&digest[7 + 2 * at..9 + 2 * at], 16).unwrap())
            .collect::<Vec<u8>>(),
    );
    whole["messageSignature"] = json!({
        "messageDigest": {"algorithm": "SHA2_256", "digest": hash},
        "signature": STANDARD.encode(&signature),
    });
    let text = whole.to_string();
    assert_eq!(cosign::signs_digest(text.as_bytes()), Some(digest.clone()));
    let read = cosign::check_digest(text.as_bytes(), manifest, &digest, &whom);
    assert_eq!((read.outcome, &*read.why), (Outcome::Verified, ""));
    // Bytes that are not the image's, or were not signed.
    let read = cosign::check_digest(text.as_bytes(), b"{}", &digest, &whom);
    assert_eq!(read.outcome, Outcome::Wrong);
    let read = cosign::check_digest(text.as_bytes(), b"{}", &images::digest_of(b"{}"), &whom);
    assert!(read.why.contains("it was changed"), "{}", read.why);
}

#[test]
fn nothing_that_somebody_writes_ends_it() {
    let store = Sigstore::default();
    let whom = trust(&store.root(), DEV);
    let good = signed(&store, &store.certify(&Leaf::default()), DIGEST, LOGGED);
    let text = good.to_string();
    let layer = Descriptor {
        media_type: format!("{BUNDLE}.v0.3+json"),
        ..Descriptor::default()
    };
    for at in 0..text.len() {
        let cut = &text.as_bytes()[..at];
        assert!(attestation::check(&layer, cut, DIGEST, &whom).is_err());
    }
    // Every byte of the certificate: it may be no certificate any more, but it is never trusted.
    let route = "/verificationMaterial/certificate/rawBytes";
    let der = STANDARD
        .decode(good.pointer(route).unwrap().as_str().unwrap())
        .unwrap();
    for at in 0..der.len() {
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[at] ^= bit;
            let changed = with(&good, route, STANDARD.encode(changed));
            assert_ne!(said(&changed, &whom).0, Outcome::Verified, "{at} {bit}");
        }
        let cut = with(&good, route, STANDARD.encode(&der[..at]));
        assert_eq!(said(&cut, &whom).0, Outcome::Wrong);
    }
    // Every value of the bundle gone, or something else.
    let mut routes = Vec::new();
    walk(
        &good["verificationMaterial"],
        "/verificationMaterial",
        &mut routes,
    );
    for route in routes {
        for other in [
            json!(null),
            json!(""),
            json!(-1),
            json!([]),
            json!({}),
            json!("99999999999999999999"),
        ] {
            if *good.pointer(&route).unwrap() != other {
                let changed = said(&with(&good, &route, other.clone()), &whom);
                // What it says of kinds and of the promise that a proof stands in for decides nothing.
                let free = route.contains("kindVersion");
                assert!(free || changed.0 != Outcome::Verified, "{route} {other}");
            }
        }
    }
}

fn walk(value: &Value, route: &str, all: &mut Vec<String>) {
    all.push(route.to_owned());
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        walk(value, &format!("{route}/{key}"), all);
    }
}

#[test]
fn a_trusted_root_is_one_or_refused() {
    let root = Sigstore::default().root();
    assert!(Root::read(&root.to_string()).is_ok());
    for (route, value) in [
        ("/mediaType", json!("application/json")),
        ("/tlogs/0/hashAlgorithm", json!("SHA2_512")),
        ("/tlogs/0/publicKey/validFor", json!(null)),
        ("/ctlogs/0/publicKey/validFor/start", json!("yesterday")),
        ("/certificateAuthorities", json!([])),
        (
            "/certificateAuthorities/0/certChain/certificates",
            json!([]),
        ),
        (
            "/certificateAuthorities/0/certChain/certificates/0/rawBytes",
            json!("-"),
        ),
    ] {
        assert!(
            Root::read(&with(&root, route, value).to_string()).is_err(),
            "{route}"
        );
    }
    assert!(Root::read("{}").is_err());
    assert!(Root::read("").is_err());
}
