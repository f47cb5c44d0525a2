//! Requests for client certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use crate::{Error, Result};

/// A PKCS#10 request for a name and a group, with a new key, as a `CertificateSigningRequest` holds it.
pub fn certificate_request(name: &str, group: &str) -> Result<String> {
    let failed = |error: rcgen::Error| Error::Answer(error.to_string());
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject.push(DnType::OrganizationName, group);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    let key = KeyPair::generate().map_err(failed)?;
    let request = params.serialize_request(&key).map_err(failed)?;
    Ok(STANDARD.encode(request.pem().map_err(failed)?))
}
