//! Times that an authority countersigned: a token of RFC 3161 over the signature, in a signed message of CMS (RFC 5652,
//! section 5), checked as sigstore-go does (`pkg/root/timestamping_authority.go`).
//!
//! What it deliberately leaves out: which of several certificates with one key the authority meant (RFC 5816).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::certificate::{Use, climb, read, within};
use super::der::{self, Element, OBJECT, OCTETS, SEQUENCE};
use super::log::hash;
use super::root::{Authority, Root};
use crate::crypto::{Hash, PublicKey, Refused};
use crate::verdict::Problem;

const SET: u8 = 0x31;
const TIME: u8 = 0x18;
const FIRST: u8 = 0xa0;

/// Names of DER, without tag and length: 1.2.840.113549.1.7.2, …1.9.16.1.4, …1.9.3, …1.9.4.
const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const STAMP: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];
const CONTENT: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];

/// Hashes by their names: 2.16.840.1.101.3.4.2.1 to …3; and signatures that say theirs, by ECDSA and RSA.
const HASHES: [(&[u8], Hash); 9] = [
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        Hash::Sha256,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        Hash::Sha384,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        Hash::Sha512,
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
        Hash::Sha256,
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
        Hash::Sha384,
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        Hash::Sha512,
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
        Hash::Sha256,
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
        Hash::Sha384,
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
        Hash::Sha512,
    ),
];

/// The time that a token gives a signature, by an authority of the trusted root.
pub(super) fn time(token: &[u8], signature: &[u8], root: &Root) -> Result<Timestamp, Problem> {
    let token = Token::read(token)
        .ok_or_else(|| Problem::wrong("the countersigned time beside it is malformed"))?;
    let (kind, imprint) = token.imprint;
    if hash(kind.name(), signature).as_deref() != Some(imprint) {
        return Err(Problem::wrong(
            "the countersigned time beside it is of another signature",
        ));
    }
    let mut nearest = None;
    for authority in &root.stampers {
        match token.is_by(authority) {
            Ok(true) => return Ok(token.time),
            Ok(false) => {}
            Err(problem) => {
                nearest.get_or_insert(problem);
            }
        }
    }
    Err(nearest.unwrap_or_else(|| {
        Problem::untrusted("no authority of the trusted root countersigned its time")
    }))
}

/// A token, taken apart.
struct Token<'a> {
    /// Of what the time is.
    imprint: (Hash, &'a [u8]),
    time: Timestamp,
    certificates: Vec<&'a [u8]>,
    /// What is signed, and how.
    signed: Vec<u8>,
    hash: Hash,
    signature: &'a [u8],
}

impl<'a> Token<'a> {
    /// From an answer of an authority; `None` where it is none, or does not hold together.
    fn read(answer: &'a [u8]) -> Option<Self> {
        let answer = only(answer, SEQUENCE)?;
        let [status, content] = parts(answer)?;
        // Granted, perhaps with changes (RFC 3161, section 2.4.2).
        let status = der::elements(status.body)?.first().copied()?;
        if !matches!(status.body, [0 | 1]) {
            return None;
        }
        let [kind, content] = parts(content.body)?;
        if kind.body != SIGNED || content.tag != FIRST {
            return None;
        }
        let all = der::elements(only(content.body, SEQUENCE)?)?;
        let [_version, _hashes, content, rest @ ..] = all.as_slice() else {
            return None;
        };
        let [kind, content] = parts(content.body)?;
        if kind.body != STAMP || content.tag != FIRST {
            return None;
        }
        let info = only(content.body, OCTETS)?;
        let certificates = match rest.iter().find(|one| one.tag == FIRST) {
            None => Vec::new(),
            Some(list) => der::elements(list.body)?
                .iter()
                .map(|one| one.whole)
                .collect(),
        };
        let signers = rest.iter().find(|one| one.tag == SET)?;
        let (signed, hash, signature) = signer(only(signers.body, SEQUENCE)?, info)?;
        let (imprint, time) = stamped(info)?;
        Some(Self {
            imprint,
            time,
            certificates,
            signed,
            hash,
            signature,
        })
    }

    /// Whether an authority made it, and its certificates were valid then.
    fn is_by(&self, authority: &Authority) -> Result<bool, Problem> {
        // The trusted root names the authority's own certificate first, or leaves it to the token.
        let named = authority.chain.first().map(Vec::as_slice);
        let named = named.filter(|der| {
            let ca = |der| Some(read(der).ok()?.is_ca());
            ca(*der) == Some(false)
        });
        let candidates = named.map_or_else(|| self.certificates.clone(), |named| vec![named]);
        for der in candidates {
            let Ok(certificate) = read(der) else {
                continue;
            };
            let signed = PublicKey::of(certificate.public_key())
                .ok_or(Refused::Unable)
                .and_then(|key| key.verify_hashed(self.hash, &self.signed, self.signature));
            match signed {
                Err(Refused::Wrong) => continue,
                Err(Refused::Unable) => {
                    return Err(Problem::unable(
                        "its time is countersigned in a way that is not checked here",
                    ));
                }
                Ok(()) => {}
            }
            let called = "the certificate that countersigned its time";
            Use::Time.fits(&certificate, called)?;
            within(&certificate, called, self.time)?;
            if climb(&certificate, authority, self.time, Use::Time)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is signed of information, by the one who signed it: attributes, of which one is the information's hash.
fn signer<'a>(signer: &'a [u8], info: &[u8]) -> Option<(Vec<u8>, Hash, &'a [u8])> {
    let all = der::elements(signer)?;
    let [_version, _who, digest, attributes, algorithm, signature, ..] = all.as_slice() else {
        return None;
    };
    if attributes.tag != FIRST || signature.tag != OCTETS {
        return None;
    }
    let digest = named(digest)?;
    let value = |wanted: &[u8]| {
        let mut found = None;
        for attribute in der::elements(attributes.body)? {
            let [kind, values] = parts(attribute.body)?;
            // An attribute stands there once (RFC 5652, section 11).
            if kind.body == wanted && found.replace(values.body).is_some() {
                return None;
            }
        }
        found
    };
    let same = only(value(CONTENT)?, OBJECT)? == STAMP
        && hash(digest.name(), info)? == only(value(DIGEST)?, OCTETS)?;
    // A signature that names no hash of its own uses that of the information.
    let own = named(algorithm).unwrap_or(digest);
    same.then(|| (der::write(SET, attributes.body), own, signature.body))
}

/// What a time is of, and which (RFC 3161, `TSTInfo`).
fn stamped(info: &[u8]) -> Option<((Hash, &[u8]), Timestamp)> {
    let all = der::elements(only(info, SEQUENCE)?)?;
    let [_version, _policy, imprint, _number, time, ..] = all.as_slice() else {
        return None;
    };
    let [algorithm, own] = parts(imprint.body)?;
    if time.tag != TIME || own.tag != OCTETS {
        return None;
    }
    let text = std::str::from_utf8(time.body).ok()?.strip_suffix('Z')?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let at = DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    let at = Offset::UTC.to_timestamp(at).ok()?;
    Some(((named(&algorithm)?, own.body), at))
}

/// The hash that an identifier of an algorithm names.
fn named(algorithm: &Element<'_>) -> Option<Hash> {
    let (oid, _) = der::element(algorithm.body)?;
    let found = HASHES.iter().find(|(name, _)| *name == oid.body);
    found.map(|(_, hash)| *hash)
}

/// What is in the only element of a body.
fn only(body: &[u8], tag: u8) -> Option<&[u8]> {
    let (one, rest) = der::element(body)?;
    (rest.is_empty() && one.tag == tag).then_some(one.body)
}

/// The two elements of a body.
fn parts(body: &[u8]) -> Option<[Element<'_>; 2]> {
    der::elements(body)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;

    /// What sigstore-go tests with; the trusted root names authorities of time only.
    fn read(name: &str) -> Value {
        let folder = oracle::fixture("sigstore").unwrap();
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    }

    #[test]
    fn a_token_of_another_implementation_holds() {
        let bundle = read("bundles/public-key-validity.sigstore.json");
        let mut root = read("trusted-roots/public-key-validity.json");
        root["certificateAuthorities"] =
            read("trusted-roots/public-good.json")["certificateAuthorities"].clone();
        let root = Root::read(&root.to_string()).unwrap();
        let bytes = |route: &str| {
            STANDARD
                .decode(bundle.pointer(route).unwrap().as_str().unwrap())
                .unwrap()
        };
        let token = bytes(
            "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
        );
        let signature = bytes("/messageSignature/signature");
        let at = time(&token, &signature, &root).unwrap();
        assert_eq!(at.to_string(), "2026-06-04T17:43:29Z");
        assert!(time(&token, b"another", &root).is_err());
        // No byte can be another, but for those that nothing signs.
        let mut free = 0;
        for place in 0..token.len() {
            let mut changed = token.clone();
            changed[place] ^= 1;
            match time(&changed, &signature, &root) {
                Ok(other) => {
                    assert_eq!(other, at);
                    free += 1;
                }
                Err(problem) => assert_ne!(problem.why, ""),
            }
        }
        assert!(free < 200, "{free}");
    }
}
