//! Signatures by public keys, with ring.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA384_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey as Parsed;

/// A public key, as certificates hold it (`SubjectPublicKeyInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    family: Family,
    /// What ring takes: a point, an `RSAPublicKey`, 32 bytes.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    P256,
    P384,
    P521,
    /// bits
    Rsa(usize),
    Ed25519,
}

/// What a signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is not that of the bytes by the key.
    Wrong,
    /// The algorithm cannot be checked here.
    Unable,
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The first thing of a kind in a PEM text.
pub(crate) fn pem(text: &str, kind: &str) -> Option<Vec<u8>> {
    let body = text
        .split_once(&format!("-----BEGIN {kind}-----"))?
        .1
        .split_once(&format!("-----END {kind}-----"))?
        .0;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(body).ok()
}

impl PublicKey {
    /// From DER; `None` for what is no key, or one of a kind that signs no images.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (_, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
        Self::of(&info)
    }

    /// From PEM (`PUBLIC KEY`), as `cosign generate-key-pair` and `openssl` write it.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Self> {
        Self::from_der(&pem(text, "PUBLIC KEY")?)
    }

    pub(crate) fn of(info: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let raw = info.subject_public_key.data.to_vec();
        if info.algorithm.algorithm.to_id_string() == "1.3.101.112" {
            return Some(Self {
                family: Family::Ed25519,
                bytes: raw,
            });
        }
        let family = match info.parsed().ok()? {
            Parsed::RSA(rsa) => Family::Rsa(rsa.key_size()),
            Parsed::EC(point) => match point.key_size() {
                256 => Family::P256,
                384 => Family::P384,
                // 521 bits fill 66 bytes.
                521 | 528 => Family::P521,
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { family, bytes: raw })
    }

    /// The algorithm that the Notary Project's specification gives a key
    /// (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#algorithm-selection>):
    /// its name in JWS and its number in COSE.
    pub(crate) const fn notary(&self) -> Option<(&'static str, i64)> {
        Some(match self.family {
            Family::P256 => ("ES256", -7),
            Family::P384 => ("ES384", -35),
            Family::P521 => ("ES512", -36),
            Family::Rsa(2048) => ("PS256", -37),
            Family::Rsa(3072) => ("PS384", -38),
            Family::Rsa(4096) => ("PS512", -39),
            Family::Rsa(_) | Family::Ed25519 => return None,
        })
    }

    /// Whether a signature of JWS or COSE is by this key: ECDSA as two numbers side by side, RSA-PSS.
    pub(crate) fn verify_jose(&self, bytes: &[u8], signature: &[u8]) -> Result<(), Refused> {
        let algorithm: &'static dyn VerificationAlgorithm = match self.family {
            Family::P256 => &ECDSA_P256_SHA256_FIXED,
            Family::P384 => &ECDSA_P384_SHA384_FIXED,
            Family::Rsa(2048) => &RSA_PSS_2048_8192_SHA256,
            Family::Rsa(3072) => &RSA_PSS_2048_8192_SHA384,
            Family::Rsa(4096) => &RSA_PSS_2048_8192_SHA512,
            Family::P521 | Family::Rsa(_) | Family::Ed25519 => return Err(Refused::Unable),
        };
        self.verify(algorithm, bytes, signature)
    }

    /// Whether a signature of cosign is by this key: over SHA-256, ECDSA in ASN.1, RSA with PKCS #1 v1.5
    /// (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>).
    pub(crate) fn verify_cosign(&self, bytes: &[u8], signature: &[u8]) -> Result<(), Refused> {
        let algorithm: &'static dyn VerificationAlgorithm = match self.family {
            Family::P256 => &ECDSA_P256_SHA256_ASN1,
            // Sigstore hashes with the algorithm of the curve's size.
            Family::P384 => &ECDSA_P384_SHA384_ASN1,
            Family::Rsa(_) => &RSA_PKCS1_2048_8192_SHA256,
            Family::Ed25519 => &ED25519,
            Family::P521 => return Err(Refused::Unable),
        };
        self.verify(algorithm, bytes, signature)
    }

    /// Whether a signature over SHA-256 is by this key, whatever its curve: what logs of certificates make (RFC 6962,
    /// section 2.1.4), and what Rekor promises.
    pub(crate) fn verify_sha256(&self, bytes: &[u8], signature: &[u8]) -> Result<(), Refused> {
        self.verify_hashed(Hash::Sha256, bytes, signature)
    }

    /// Whether a signature over a hash is by this key: ECDSA in ASN.1, RSA with PKCS #1 v1.5.
    pub(crate) fn verify_hashed(
        &self,
        hash: Hash,
        bytes: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.family, hash) {
            (Family::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Family::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Family::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Family::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Family::Rsa(_), Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Family::Rsa(_), Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Family::Rsa(_), Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
            (Family::Ed25519, _) => &ED25519,
            (Family::P256 | Family::P384, Hash::Sha512) | (Family::P521, _) => {
                return Err(Refused::Unable);
            }
        };
        self.verify(algorithm, bytes, signature)
    }

    /// Whether a certificate is signed by this key (RFC 5280, section 4.1.1.3; algorithms of RFC 4055, 5758, 8410).
    pub(crate) fn verify_certificate(&self, one: &X509Certificate<'_>) -> Result<(), Refused> {
        let oid = one.signature_algorithm.algorithm.to_id_string();
        let hash = match (self.family, &*oid) {
            (Family::P256 | Family::P384, "1.2.840.10045.4.3.2")
            | (Family::Rsa(_), "1.2.840.113549.1.1.11")
            // It hashes by itself.
            | (Family::Ed25519, "1.3.101.112") => Hash::Sha256,
            (Family::P256 | Family::P384, "1.2.840.10045.4.3.3")
            | (Family::Rsa(_), "1.2.840.113549.1.1.12") => Hash::Sha384,
            (Family::Rsa(_), "1.2.840.113549.1.1.13") => Hash::Sha512,
            _ => return Err(Refused::Unable),
        };
        self.verify_hashed(
            hash,
            one.tbs_certificate.as_ref(),
            &one.signature_value.data,
        )
    }

    fn verify(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        bytes: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(bytes, signature)
            .map_err(|_| Refused::Wrong)
    }
}
