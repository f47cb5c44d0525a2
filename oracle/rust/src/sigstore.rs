//! A Sigstore of a test's own: an authority for certificates, a log of them, a log of signatures, an authority of time,
//! all with keys that are made here. It makes what cosign leaves beside an image, and whatever a test wants to be wrong in it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType,
    SerialNumber, SigningKey as _, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// When certificates begin: 2026-06-01T00:00:00Z. They live for ten minutes.
pub const BEGIN: i64 = 1_780_272_000;
/// When signatures are logged.
pub const LOGGED: i64 = BEGIN + 60;

const ISSUER_V2: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 1, 8];
const TIMESTAMPS: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// Authority and logs.
pub struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    certificates: KeyPair,
    signatures: KeyPair,
    /// Who countersigns times, and the certificates above.
    clock: KeyPair,
    clock_chain: Vec<Vec<u8>>,
}

/// What a certificate says.
pub struct Leaf {
    /// An address of mail, or a URI.
    pub name: &'static str,
    /// Who says that it is they.
    pub issuer: &'static str,
    /// Whether it is made to sign code.
    pub code: bool,
    /// Whether a log of certificates has it.
    pub logged: Logged,
}

/// Whether a log of certificates has a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It has another one.
    Other,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            name: "dev@example.com",
            issuer: "https://accounts.example.com",
            code: true,
            logged: Logged::Yes,
        }
    }
}

/// Somebody with a certificate.
pub struct Signer {
    key: KeyPair,
    /// DER.
    pub certificate: Vec<u8>,
}

impl Signer {
    /// Over SHA-256.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(bytes).unwrap()
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let body = STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }
}

impl Default for Sigstore {
    fn default() -> Self {
        let (certificate, authority) = authority("authority");
        let (above, issuer) = self::authority("authority of time");
        let clock = KeyPair::generate().unwrap();
        let mut params = valid();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        let own = params.signed_by(&clock, &issuer).unwrap();
        Self {
            authority,
            certificate,
            certificates: KeyPair::generate().unwrap(),
            signatures: KeyPair::generate().unwrap(),
            clock,
            clock_chain: vec![own.der().to_vec(), above],
        }
    }
}

/// Certificates that are valid in 2026 and after.
fn valid() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn authority(name: &str) -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let mut params = valid();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().to_vec();
    (certificate, Issuer::new(params, key))
}

impl Sigstore {
    /// Its trusted root.
    #[must_use]
    pub fn root(&self) -> Value {
        let log = |key: &KeyPair| {
            json!([{
                "baseUrl": "https://log.example.com", "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2026-01-01T00:00:00Z"},
                },
                "logId": {"keyId": STANDARD.encode(id(key))},
            }])
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.signatures),
            "certificateAuthorities": [{
                "subject": {"organization": "", "commonName": "authority"},
                "uri": "https://authority.example.com",
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(&self.certificate)}]},
                "validFor": {"start": "2026-01-01T00:00:00Z"},
            }],
            "ctlogs": log(&self.certificates),
            "timestampAuthorities": [{
                "subject": {"organization": "", "commonName": "authority of time"},
                "certChain": {
                    "certificates": self
                        .clock_chain
                        .iter()
                        .map(|der| json!({"rawBytes": STANDARD.encode(der)}))
                        .collect::<Vec<_>>(),
                },
                "validFor": {"start": "2026-01-01T00:00:00Z"},
            }],
        })
    }

    /// Gives somebody a certificate.
    #[must_use]
    pub fn certify(&self, leaf: &Leaf) -> Signer {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from(7_u64));
        params.not_before = date_time_ymd(2026, 6, 1);
        params.not_after = params.not_before + Duration::from_secs(600);
        let name = leaf.name.try_into().unwrap();
        params.subject_alt_names = vec![if leaf.name.contains("://") {
            SanType::URI(name)
        } else {
            SanType::Rfc822Name(name)
        }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![if leaf.code {
            ExtendedKeyUsagePurpose::CodeSigning
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        }];
        let mut issuer = vec![0x0c, u8::try_from(leaf.issuer.len()).unwrap()];
        issuer.extend_from_slice(leaf.issuer.as_bytes());
        params.custom_extensions = vec![CustomExtension::from_oid_content(ISSUER_V2, issuer)];
        let issue = |params: &CertificateParams| {
            let certificate = params.signed_by(&key, &self.authority).unwrap();
            certificate.der().to_vec()
        };
        if leaf.logged != Logged::No {
            let mut other = params.clone();
            if leaf.logged == Logged::Other {
                other.serial_number = Some(SerialNumber::from(8_u64));
            }
            let stamps = self.stamps(&issue(&other));
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(TIMESTAMPS, stamps));
        }
        let certificate = issue(&params);
        Signer { key, certificate }
    }

    /// The extension by which the log of certificates says that it has one (RFC 6962, section 3.3).
    fn stamps(&self, certificate: &[u8]) -> Vec<u8> {
        let time = (u64::try_from(BEGIN).unwrap() * 1000).to_be_bytes();
        let (_, outer) = element(certificate);
        let (body, _) = element(outer);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let above = digest(&SHA256, &self.authority.key().subject_public_key_info());
        let [_, length @ ..] = length;
        let signed = [
            &[0, 0][..],
            &time,
            &[0, 1],
            above.as_ref(),
            &length,
            body,
            &[0, 0],
        ]
        .concat();
        let signature = self.certificates.sign(&signed).unwrap();
        let short = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let stamp = [
            &[0][..],
            &id(&self.certificates),
            &time,
            &[0, 0],
            &[4, 3],
            &short(signature.len()),
            &signature,
        ]
        .concat();
        let list = [&short(stamp.len()), &stamp[..]].concat();
        let list = [&short(list.len()), &list[..]].concat();
        // An octet string of fewer than 128 bytes or of fewer than 256.
        let length = u8::try_from(list.len()).unwrap();
        let head: &[u8] = if length < 0x80 {
            &[0x04, length]
        } else {
            &[0x04, 0x81, length]
        };
        [head, &list].concat()
    }

    /// An entry of the log of signatures as bundles hold it: the second of three, with promise and proof.
    #[must_use]
    pub fn entry(&self, body: &Value, time: i64) -> Value {
        let bytes = body.to_string();
        let leaf = |bytes: &[u8]| hashed(0, &[bytes]);
        let (first, own, third) = (leaf(b"first"), leaf(bytes.as_bytes()), leaf(b"third"));
        let root = hashed(1, &[&hashed(1, &[&first, &own]), &third]);
        let body = STANDARD.encode(&bytes);
        json!({
            "logIndex": "1001", "logId": {"keyId": STANDARD.encode(id(&self.signatures))},
            "kindVersion": {"kind": "any", "version": "0.0.1"},
            "integratedTime": time.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": self.promise(&body, time)},
            "inclusionProof": {
                "logIndex": "1", "treeSize": "3", "rootHash": STANDARD.encode(&root),
                "hashes": [STANDARD.encode(&first), STANDARD.encode(&third)],
                "checkpoint": {"envelope": self.checkpoint(3, &root)},
            },
            "canonicalizedBody": body,
        })
    }

    /// What the log promises of an entry.
    #[must_use]
    pub fn promise(&self, body: &str, time: i64) -> String {
        let log: String = id(&self.signatures)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = format!(
            r#"{{"body":"{body}","integratedTime":{time},"logID":"{log}","logIndex":1001}}"#
        );
        STANDARD.encode(self.signatures.sign(text.as_bytes()).unwrap())
    }

    /// The answer of the authority of time to a signature (RFC 3161), at `20260601000100Z`.
    #[must_use]
    pub fn stamp(&self, signature: &[u8], time: &str) -> String {
        let sha256 = tlv(
            0x30,
            &[&tlv(6, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]])],
        );
        let ecdsa = tlv(
            0x30,
            &[&tlv(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])],
        );
        let rsadsi = |rest: &[u8]| tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1], rest]);
        let (stamp, content, hash) = (rsadsi(&[9, 16, 1, 4]), rsadsi(&[9, 3]), rsadsi(&[9, 4]));
        let number = |number: u8| tlv(2, &[&[number]]);
        let octets = |bytes: &[u8]| tlv(4, &[bytes]);
        let of = |bytes: &[u8]| octets(digest(&SHA256, bytes).as_ref());
        let info = tlv(
            0x30,
            &[
                &number(1),
                &tlv(6, &[&[0x2a, 3]]),
                &tlv(0x30, &[&sha256, &of(signature)]),
                &number(5),
                &tlv(0x18, &[time.as_bytes()]),
            ],
        );
        let attributes = [
            tlv(0x30, &[&content, &tlv(0x31, &[&stamp])]),
            tlv(0x30, &[&hash, &tlv(0x31, &[&of(&info)])]),
        ]
        .concat();
        let signature = self.clock.sign(&tlv(0x31, &[&attributes])).unwrap();
        let signer = tlv(
            0x30,
            &[
                &number(1),
                &tlv(0x30, &[]),
                &sha256,
                &tlv(0xa0, &[&attributes]),
                &ecdsa,
                &octets(&signature),
            ],
        );
        let signed = tlv(
            0x30,
            &[
                &number(3),
                &tlv(0x31, &[&sha256]),
                &tlv(0x30, &[&stamp, &tlv(0xa0, &[&octets(&info)])]),
                &tlv(0x31, &[&signer]),
            ],
        );
        let message = tlv(0x30, &[&rsadsi(&[7, 2]), &tlv(0xa0, &[&signed])]);
        STANDARD.encode(tlv(0x30, &[&tlv(0x30, &[&number(0)]), &message]))
    }

    /// The log's signed root.
    #[must_use]
    pub fn checkpoint(&self, size: u64, root: &[u8]) -> String {
        let text = format!("log.example.com - 1\n{size}\n{}\n", STANDARD.encode(root));
        let signature = self.signatures.sign(text.as_bytes()).unwrap();
        let signature = [&[1, 2, 3, 4][..], &signature].concat();
        format!(
            "{text}\n\u{2014} log.example.com {}\n",
            STANDARD.encode(signature)
        )
    }
}

/// The body of an entry about bytes that were signed as they are.
#[must_use]
pub fn hashedrekord(bytes: &[u8], signature: &[u8], by: &Signer) -> Value {
    json!({
        "apiVersion": "0.0.1", "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": hex(bytes)}},
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": {"content": STANDARD.encode(by.pem())},
            },
        },
    })
}

/// The body of an entry about bytes, as the second version of the log has it.
#[must_use]
pub fn hashedrekord2(bytes: &[u8], signature: &[u8], by: &Signer) -> Value {
    json!({
        "apiVersion": "0.0.2", "kind": "hashedrekord",
        "spec": {"hashedRekordV002": {
            "data": {
                "algorithm": "SHA2_256",
                "digest": STANDARD.encode(digest(&SHA256, bytes).as_ref()),
            },
            "signature": {
                "content": STANDARD.encode(signature),
                "verifier": {
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "x509Certificate": {"rawBytes": STANDARD.encode(&by.certificate)},
                },
            },
        }},
    })
}

/// The body of an entry about an envelope.
#[must_use]
pub fn dsse(payload: &[u8], signature: &[u8], by: &Signer) -> Value {
    json!({
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": "0"},
            "payloadHash": {"algorithm": "sha256", "value": hex(payload)},
            "signatures": [{
                "signature": STANDARD.encode(signature), "verifier": STANDARD.encode(by.pem()),
            }],
        },
    })
}

/// The payload that cosign signs for an image.
#[must_use]
pub fn simple(digest: &str) -> String {
    json!({
        "critical": {
            "identity": {"docker-reference": ""}, "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}

/// The annotations of a layer that cosign writes beside its payload; `entry` as bundles hold it.
#[must_use]
pub fn annotations(by: &Signer, signature: &[u8], entry: &Value) -> Value {
    let number = |key: &str| entry.get(key).and_then(Value::as_str)?.parse::<i64>().ok();
    let id = entry.pointer("/logId/keyId").and_then(Value::as_str);
    let id = STANDARD.decode(id.unwrap_or_default()).unwrap();
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let bundle = json!({
        "SignedEntryTimestamp": entry.pointer("/inclusionPromise/signedEntryTimestamp"),
        "Payload": {
            "body": entry.get("canonicalizedBody"), "integratedTime": number("integratedTime"),
            "logIndex": number("logIndex"), "logID": id,
        },
    });
    json!({
        "dev.cosignproject.cosign/signature": STANDARD.encode(signature),
        "dev.sigstore.cosign/certificate": by.pem(),
        "dev.sigstore.cosign/bundle": bundle.to_string(),
    })
}

/// What `cosign sign` states of an image since version 3.
#[must_use]
pub fn statement(digest: &str) -> String {
    let (algorithm, hash) = digest.split_once(':').unwrap_or_default();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {algorithm: hash}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1", "predicate": {},
    })
    .to_string()
}

/// What an envelope signs.
#[must_use]
pub fn pae(payload: &str) -> String {
    let kind = "application/vnd.in-toto+json";
    format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len())
}

/// A bundle of an envelope.
#[must_use]
pub fn bundle(by: &Signer, payload: &str, signature: &[u8], entry: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": STANDARD.encode(&by.certificate)},
            "tlogEntries": [entry],
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload), "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": STANDARD.encode(signature), "keyid": ""}],
        },
    })
}

/// What a log is called: the hash of its key.
fn id(key: &KeyPair) -> Vec<u8> {
    digest(&SHA256, &key.subject_public_key_info())
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn hashed(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let bytes = [&[kind][..], &parts.concat()].concat();
    digest(&SHA256, &bytes).as_ref().to_vec()
}

/// An element of DER.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
    let head = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, body].concat()
}

/// The first element of DER, whole, and what is in it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let first = usize::from(der[1]);
    let digits = if first < 0x80 { 0 } else { first & 0x7f };
    let length = match digits {
        0 => first,
        _ => der[2..2 + digits]
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
    };
    let whole = &der[..2 + digits + length];
    (whole, &whole[2 + digits..])
}
