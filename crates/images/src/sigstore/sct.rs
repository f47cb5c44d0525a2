//! That a certificate was logged: a log of certificates signed a time for it before it was issued, and its authority put
//! that into it (RFC 6962, section 3; <https://www.rfc-editor.org/rfc/rfc6962#section-3.2>).

use sha2::{Digest as _, Sha256};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{SignedCertificateTimestamp, X509Certificate};

use super::certificate::Leaf;
use super::der::{self, OBJECT, SEQUENCE};
use super::root::Root;
use crate::crypto::Refused;
use crate::verdict::Problem;

/// 1.3.6.1.4.1.11129.2.4.2, in DER without tag and length.
const TIMESTAMPS: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
/// `[3] EXPLICIT`: the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;
/// SHA-256, as TLS numbers it (RFC 5246, section 7.4.1.4.1).
const SHA256: u8 = 4;

/// Whether one log of the trusted root says that it has the certificate.
pub(super) fn check(
    leaf: &Leaf<'_>,
    issuer: &X509Certificate<'_>,
    root: &Root,
) -> Result<(), Problem> {
    let certificate = &leaf.certificate;
    let mut lists = certificate.extensions().iter().filter_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::SCT(list) => Some(list),
            _ => None,
        }
    });
    let missing = || Problem::untrusted("its certificate does not say that it was logged");
    let list = lists.next().ok_or_else(missing)?;
    let body = without_timestamps(certificate.tbs_certificate.as_ref())
        .ok_or_else(|| Problem::wrong("its certificate is malformed"))?;
    let mut nearest = None;
    for stamp in list {
        match one(stamp, &body, issuer, root) {
            Ok(()) => return Ok(()),
            Err(problem) => {
                // One that cannot be checked leaves it open.
                if nearest
                    .as_ref()
                    .is_none_or(|near: &Problem| near.outcome < problem.outcome)
                {
                    nearest = Some(problem);
                }
            }
        }
    }
    Err(nearest.unwrap_or_else(missing))
}

fn one(
    stamp: &SignedCertificateTimestamp<'_>,
    body: &[u8],
    issuer: &X509Certificate<'_>,
    root: &Root,
) -> Result<(), Problem> {
    let unknown = || {
        Problem::untrusted(
            "its certificate was logged by no log of the trusted root that was valid then",
        )
    };
    let at = i64::try_from(stamp.timestamp)
        .ok()
        .and_then(|at| jiff::Timestamp::from_millisecond(at).ok())
        .ok_or_else(unknown)?;
    let log = root
        .certificate_logs
        .iter()
        .find(|log| log.id == stamp.id.key_id && log.valid.holds(at))
        .ok_or_else(unknown)?;
    let unable = || Problem::unable("its certificate was logged in a way that is not checked here");
    let key = log.key.as_ref().ok_or_else(unable)?;
    if stamp.version.0 != 0 || stamp.signature.hash_alg_id != SHA256 {
        return Err(unable());
    }
    let signed = signed(stamp, body, issuer).ok_or_else(unable)?;
    key.verify_sha256(&signed, stamp.signature.data)
        .map_err(|refused| match refused {
            Refused::Wrong => Problem::wrong("what a log signed for its certificate is not of it"),
            Refused::Unable => unable(),
        })
}

/// What a log signs: the certificate as it was before its timestamps were put in, and who issues it.
fn signed(
    stamp: &SignedCertificateTimestamp<'_>,
    body: &[u8],
    issuer: &X509Certificate<'_>,
) -> Option<Vec<u8>> {
    // Version 1, a timestamp for a certificate; then the entry, of kind `precert_entry`.
    let mut out = vec![0, 0];
    out.extend_from_slice(&stamp.timestamp.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(&Sha256::digest(issuer.public_key().raw));
    let [0, length @ ..] = u32::try_from(body.len()).ok()?.to_be_bytes() else {
        return None;
    };
    out.extend_from_slice(&length);
    out.extend_from_slice(body);
    let extensions = stamp.extensions.0;
    out.extend_from_slice(&u16::try_from(extensions.len()).ok()?.to_be_bytes());
    out.extend_from_slice(extensions);
    Some(out)
}

/// The body of a certificate, less its one extension of timestamps.
fn without_timestamps(body: &[u8]) -> Option<Vec<u8>> {
    let (whole, rest) = der::element(body)?;
    if !rest.is_empty() || whole.tag != SEQUENCE {
        return None;
    }
    let mut out = Vec::with_capacity(body.len());
    let mut dropped = 0;
    for part in der::elements(whole.body)? {
        if part.tag != EXTENSIONS {
            out.extend_from_slice(part.whole);
            continue;
        }
        let (list, rest) = der::element(part.body)?;
        if !rest.is_empty() || list.tag != SEQUENCE {
            return None;
        }
        let mut kept = Vec::new();
        for extension in der::elements(list.body)? {
            let (oid, _) = der::element(extension.body)?;
            if oid.tag == OBJECT && oid.body == TIMESTAMPS {
                dropped += 1;
            } else {
                kept.extend_from_slice(extension.whole);
            }
        }
        out.extend(der::write(EXTENSIONS, &der::write(SEQUENCE, &kept)));
    }
    (dropped == 1).then(|| der::write(SEQUENCE, &out))
}
