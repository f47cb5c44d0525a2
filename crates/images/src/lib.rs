//! What registries and scanners say of container images, read and checked.
//!
//! | module | reads |
//! |---|---|
//! | [`manifest`] | OCI's and Docker's manifests and indexes, and their configurations |
//! | [`notation`] | signatures of the Notary Project, by its trust policies and trust stores |
//! | [`cosign`] | signatures of cosign, by keys and by certificates |
//! | [`sigstore`] | certificates for minutes (keyless), and the logs that say when they were used |
//! | [`attestation`] | statements of in-toto: provenance, bills of materials |
//! | [`scan`] | results of scanners, and VEX, which says what of them does not count |
//! | [`layer`] | names of files in a layer |
//!
//! It knows nothing of seawall, asks no network and reads no clock: what it is given it was handed, and moments are
//! passed in. What it deliberately leaves out: scanning, what only an online service knows (revocation, entries of logs
//! that do not come with a signature), and signing.

pub mod attestation;
mod cbor;
pub mod cosign;
mod crypto;
pub mod layer;
pub mod manifest;
pub mod notation;
pub mod scan;
pub mod sigstore;
pub mod verdict;

pub use crypto::PublicKey;
pub use verdict::{Outcome, Signature};

use sha2::{Digest as _, Sha256, Sha512};

/// Whether bytes have a digest; `None` where its algorithm is none that OCI registers
/// (<https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests>).
#[must_use]
pub fn has_digest(bytes: &[u8], digest: &str) -> Option<bool> {
    let (algorithm, wanted) = digest.split_once(':')?;
    let own = match algorithm {
        "sha256" => format!("{:x}", Sha256::digest(bytes)),
        "sha512" => format!("{:x}", Sha512::digest(bytes)),
        _ => return None,
    };
    Some(own == wanted)
}

/// The SHA-256 digest of bytes.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}
