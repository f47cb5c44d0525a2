//! The signer's certificate and those above it, by the rules for certificates that sign code
//! (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements>).

use jiff::Timestamp;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use super::Problem;
use crate::crypto::{PublicKey, Refused};

/// A chain that holds together, whoever is at its end.
pub struct Chain {
    ders: Vec<Vec<u8>>,
    key: PublicKey,
    subject: String,
    attributes: Vec<(String, String)>,
    /// Of each certificate: what it is called, from when, until when.
    valid: Vec<(String, i64, i64)>,
    revocation: bool,
}

impl Chain {
    pub(super) fn read(ders: &[Vec<u8>]) -> Result<Self, Problem> {
        let mut certificates = Vec::with_capacity(ders.len());
        for der in ders {
            let (rest, certificate) = X509Certificate::from_der(der)
                .map_err(|_| Problem::wrong("a certificate of its chain is malformed"))?;
            if !rest.is_empty() {
                return Err(Problem::wrong("a certificate of its chain is malformed"));
            }
            certificates.push(certificate);
        }
        holds(&certificates)?;
        let leaf = certificates
            .first()
            .ok_or_else(|| Problem::wrong("it holds no certificate"))?;
        let key = PublicKey::of(leaf.public_key())
            .ok_or_else(|| Problem::wrong("its key is of a kind that signs no images"))?;
        let valid = certificates
            .iter()
            .map(|one| {
                let validity = one.validity();
                (
                    name(one.subject()),
                    validity.not_before.timestamp(),
                    validity.not_after.timestamp(),
                )
            })
            .collect();
        Ok(Self {
            ders: ders.to_vec(),
            key,
            subject: name(leaf.subject()),
            attributes: attributes(leaf.subject()),
            valid,
            revocation: certificates.iter().any(names_revocation),
        })
    }

    /// What the signer is called: `CN=…,O=…`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) const fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(super) fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// Whether one of its certificates is one of these.
    pub(super) fn is_trusted(&self, certificates: &[Vec<u8>]) -> bool {
        self.ders.iter().any(|own| certificates.contains(own))
    }

    /// Whether any of its certificates says where to ask if it was revoked.
    pub(super) const fn names_revocation(&self) -> bool {
        self.revocation
    }

    /// The first certificate that a moment is outside of.
    pub(super) fn outside(&self, at: Timestamp) -> Option<String> {
        let at = at.as_second();
        self.valid.iter().find_map(|(name, from, until)| {
            let day = |second: i64| {
                Timestamp::from_second(second).map_or_else(|_| String::new(), super::day)
            };
            if at < *from {
                Some(format!("certificate `{name}` begins on {}", day(*from)))
            } else if at > *until {
                Some(format!("certificate `{name}` ended on {}", day(*until)))
            } else {
                None
            }
        })
    }
}

/// Whether certificates follow each other, and are made for this.
fn holds(certificates: &[X509Certificate<'_>]) -> Result<(), Problem> {
    for (at, certificate) in certificates.iter().enumerate() {
        let shown = name(certificate.subject());
        let issuer = certificates.get(at + 1).unwrap_or(certificate);
        let signed = PublicKey::of(issuer.public_key())
            .ok_or(Refused::Unable)
            .and_then(|key| key.verify_certificate(certificate));
        if signed == Err(Refused::Unable) {
            let why = format!("certificate `{shown}` is signed in a way that is not checked here");
            return Err(Problem::unable(why));
        }
        if certificate.issuer() != issuer.subject() || signed.is_err() {
            return Err(Problem::wrong(if at + 1 == certificates.len() {
                format!("its chain ends in `{shown}`, which is no root")
            } else {
                format!("certificate `{shown}` was not issued by the next of its chain")
            }));
        }
        let fit = if at == 0 {
            leaf(certificate)
        } else {
            authority(certificate, at - 1)
        };
        fit.map_err(Problem::wrong)?;
    }
    Ok(())
}

fn leaf(certificate: &X509Certificate<'_>) -> Result<(), String> {
    let bad = |why: &str| Err(format!("its certificate {why}"));
    if let Ok(Some(constraints)) = certificate.basic_constraints()
        && constraints.value.ca
    {
        return bad("is that of an authority");
    }
    match certificate.key_usage() {
        Ok(Some(usage)) if usage.critical && usage.value.digital_signature() => {}
        _ => return bad("is not made to sign"),
    }
    if let Ok(Some(extended)) = certificate.extended_key_usage() {
        let uses = extended.value;
        if uses.server_auth
            || uses.client_auth
            || uses.email_protection
            || uses.time_stamping
            || uses.ocsp_signing
        {
            return bad("is made for something else than to sign code");
        }
    }
    Ok(())
}

fn authority(certificate: &X509Certificate<'_>, below: usize) -> Result<(), String> {
    let shown = name(certificate.subject());
    let constraints = certificate.basic_constraints().ok().flatten();
    let is_authority = constraints.is_some_and(|constraints| {
        let long = constraints.value.path_len_constraint;
        constraints.critical
            && constraints.value.ca
            && long.is_none_or(|long| long as usize >= below)
    });
    let signs = certificate
        .key_usage()
        .ok()
        .flatten()
        .is_some_and(|usage| usage.critical && usage.value.key_cert_sign());
    if is_authority && signs {
        return Ok(());
    }
    Err(format!("certificate `{shown}` may not issue others"))
}

/// Addresses of OCSP or of lists of what was revoked.
fn names_revocation(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| {
        matches!(
            extension.parsed_extension(),
            ParsedExtension::AuthorityInfoAccess(_) | ParsedExtension::CRLDistributionPoints(_)
        )
    })
}

/// The short names of RFC 4514 and of Go's `pkix`, which Notation's trust policies use.
fn short(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.17" => "POSTALCODE",
        _ => return None,
    })
}

/// What a name consists of, the most special first.
fn attributes(name: &X509Name<'_>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = name
        .iter_attributes()
        .map(|attribute| {
            let oid = attribute.attr_type().to_id_string();
            let value = attribute.as_str().unwrap_or_default().to_owned();
            (short(&oid).map_or(oid.clone(), str::to_owned), value)
        })
        .collect();
    found.reverse();
    found
}

fn name(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = attributes(name)
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    parts.join(",")
}
