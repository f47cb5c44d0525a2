//! The X.509 certificates that objects hold: until when they are valid, and with which key. Certificates are
//! public; of a Secret they are read before its values are struck out, and nothing else is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::kinds::Kind;
use crate::value::Ref;

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Where it stands: `data["tls.crt"]`, `webhooks[0].clientConfig.caBundle`.
    pub of: Box<str>,
    /// Its subject, `CN=shop.example.com`.
    pub subject: Box<str>,
    /// The last moment it is valid, in seconds since 1970.
    pub not_after: i64,
    /// Its key: `RSA 2048`, `EC 256`, `Ed25519`.
    pub key: Box<str>,
}

/// More certificates than a bundle would hold.
const MOST: usize = 256;
/// Longer texts are no bundle of certificates.
const LONGEST: usize = 4 << 20;

/// The certificates of a PEM text; those that cannot be read are left out.
#[must_use]
pub fn of_pem(of: &str, text: &[u8]) -> Vec<Certificate> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    Pem::iter_from_buffer(text)
        .take(MOST)
        .filter_map(Result::ok)
        .filter(|pem| pem.label == "CERTIFICATE")
        .filter_map(|pem| of_der(of, &pem.contents))
        .collect()
}

/// A certificate as a handshake gives it.
#[must_use]
pub fn of_der(of: &str, der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let key = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        _ => match certificate.public_key().algorithm.algorithm.to_id_string() {
            id if id == "1.3.101.112" => "Ed25519".to_owned(),
            id if id == "1.3.101.113" => "Ed448".to_owned(),
            id => id,
        },
    };
    Some(Certificate {
        of: of.into(),
        subject: certificate.subject().to_string().into(),
        not_after: certificate.validity().not_after.timestamp(),
        key: key.into(),
    })
}

/// The certificates of an object. `None` when it may hold some that were not read: the data of a live
/// Secret never is.
#[must_use]
pub fn of_object(kind: &Kind, object: Ref<'_>, live: bool) -> Option<Vec<Certificate>> {
    if kind.is("Secret") {
        let data = object.get("data");
        let texts = object.get("stringData");
        if live && data.is_none() {
            return None;
        }
        let mut found = Vec::new();
        for name in ["tls.crt", "ca.crt"] {
            let value = |holder: Option<Ref<'_>>| {
                holder
                    .and_then(|holder| holder.get(name))
                    .and_then(Ref::as_str)
                    .map(str::to_owned)
            };
            if let Some(text) = value(texts) {
                found.extend(of_pem(&format!("stringData[\"{name}\"]"), text.as_bytes()));
            } else if let Some(text) = value(data) {
                found.extend(of_base64(&format!("data[\"{name}\"]"), &text));
            }
        }
        return Some(found);
    }
    let mut found = Vec::new();
    let bundle = |holder: Ref<'_>, route: &str, found: &mut Vec<Certificate>| {
        if let Some(text) = holder.get("caBundle").and_then(Ref::as_str) {
            found.extend(of_base64(&format!("{route}.caBundle"), text));
        }
    };
    if kind.is("ValidatingWebhookConfiguration") || kind.is("MutatingWebhookConfiguration") {
        let webhooks = object.get("webhooks").into_iter().flat_map(Ref::items);
        for (index, webhook) in webhooks.enumerate() {
            if let Some(config) = webhook.get("clientConfig") {
                bundle(
                    config,
                    &format!("webhooks[{index}].clientConfig"),
                    &mut found,
                );
            }
        }
    } else if kind.is("APIService") {
        if let Some(spec) = object.get("spec") {
            bundle(spec, "spec", &mut found);
        }
    } else if kind.is("CustomResourceDefinition") {
        let route = ["spec", "conversion", "webhook", "clientConfig"];
        if let Some(config) = object.path(&route) {
            bundle(config, &route.join("."), &mut found);
        }
    }
    Some(found)
}

fn of_base64(of: &str, text: &str) -> Vec<Certificate> {
    let packed: String = text.split_whitespace().collect();
    BASE64_STANDARD
        .decode(packed)
        .map(|bytes| of_pem(of, &bytes))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with `openssl ca -selfsign -startdate 20260101000000Z -enddate 20270131120000Z`, on P-256.
    const PEM: &str = include_str!("certificates/shop.pem");

    #[test]
    fn a_certificate_says_until_when_and_with_which_key() {
        let mut two = PEM.to_owned();
        two.push_str("garbage between\n");
        two.push_str(PEM);
        let found = of_pem("spec.caBundle", two.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(&*found[0].subject, "CN=shop.example.com");
        assert_eq!(&*found[0].key, "EC 256");
        // date -u -d 2027-01-31T12:00:00Z +%s
        assert_eq!(found[0].not_after, 1_801_396_800);
    }

    #[test]
    fn what_is_no_certificate_is_left_out() {
        for text in [
            "",
            "x",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(of_pem("x", text.as_bytes()), []);
        }
        assert_eq!(of_base64("x", "%%%"), []);
    }
}
