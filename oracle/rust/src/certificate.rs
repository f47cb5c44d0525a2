//! Requests for client certificates, and the authority that signs them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};

use crate::{Error, Result};

/// A PKCS#10 request for a name and a group, with a new key, as a `CertificateSigningRequest` holds it.
/// The key is the second, as PEM.
pub fn certificate_request(name: &str, group: &str) -> Result<(String, String)> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name, Some(group));
    let key = KeyPair::generate().map_err(failed)?;
    let request = params.serialize_request(&key).map_err(failed)?;
    let request = STANDARD.encode(request.pem().map_err(failed)?);
    Ok((request, key.serialize_pem()))
}

/// A new authority: its certificate and its key, as PEM.
pub(crate) fn authority(name: &str) -> Result<(String, String)> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name, None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

const ISSUER: &str = "issuer";

/// Who signs the certificates of servers, one after the other, as an issuer of cert-manager does.
#[derive(Debug)]
pub struct Signer {
    certificate: String,
    key: String,
}

impl Signer {
    /// A new one.
    pub fn new() -> Result<Self> {
        let (certificate, key) = authority(ISSUER)?;
        Ok(Self { certificate, key })
    }

    /// Its own certificate, as PEM: `ca.crt`.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A new certificate for names and its key, as PEM: `tls.crt`, `tls.key`.
    pub fn sign(&self, names: &[&str]) -> Result<(String, String)> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let own = KeyPair::from_pem(&self.key).map_err(failed)?;
        let mut above = CertificateParams::default();
        above.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        above.distinguished_name = subject(ISSUER, None);
        let issuer = Issuer::new(above, own);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// What a base64 text stands for, where that is a text.
pub fn from_base64(text: &str) -> Result<String> {
    decode(&STANDARD, text)
}

/// The same of base64 as parts of tokens are written.
pub fn from_base64url(text: &str) -> Result<String> {
    decode(&URL_SAFE_NO_PAD, text)
}

fn decode(engine: &impl Engine, text: &str) -> Result<String> {
    let failed = || Error::Answer(format!("`{text}` is not base64 of a text"));
    let bytes = engine.decode(text).map_err(|_| failed())?;
    String::from_utf8(bytes).map_err(|_| failed())
}

fn subject(name: &str, group: Option<&str>) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    if let Some(group) = group {
        subject.push(DnType::OrganizationName, group);
    }
    subject
}

fn failed(error: rcgen::Error) -> Error {
    Error::Answer(error.to_string())
}
