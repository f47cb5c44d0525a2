//! Certificates that seawall makes for itself, and how they follow one another.
//!
//! Each pair has an authority of its own, whose key is thrown away at once: nothing that is kept can sign another.
//! So a change is a change of authorities, and API servers trust the old and the new one together for a while:
//!
//! ```text
//!          tls.crt   next.crt   ca.crt (what the webhook configuration trusts)
//! begin    A         -          a
//! renew    A         B          a b      B waits until every API server trusts b
//! promote  B         -          a b      every replica shows B before a goes
//! settle   B         -          b
//! ```
//!
//! It is a function of what the Secret holds and of the time, so any replica may take a step, and two that take the
//! same one at once differ only in whose write counts.

use std::collections::BTreeMap;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::Shown;

/// How long a certificate is valid.
const VALID: i64 = 90 * DAY;
/// How long before its end the next one is made.
const EARLY: i64 = 30 * DAY;
/// How long a new authority is known before a certificate of it is shown. API servers hear of a change of their
/// configuration within a second; this leaves room for one that was away.
pub const OVERLAP: i64 = 5 * 60;
/// Clocks differ.
const SKEW: i64 = 60 * 60;
const DAY: i64 = 24 * 60 * 60;

/// The keys of the Secret with their texts, as PEM.
pub type Kept = BTreeMap<String, String>;

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const TRUSTED: &str = "ca.crt";
const NEXT: &str = "next.crt";
const NEXT_KEY: &str = "next.key";

/// A step was not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no certificate can be made: {0}")]
pub struct NotMade(String);

/// What the Secret must hold next; nothing when it is as it must be.
///
/// # Errors
/// When the system has no random numbers, or a name is no name.
pub fn step(kept: &Kept, names: &[String], now: i64) -> Result<Option<Kept>, NotMade> {
    let text = |key: &str| kept.get(key).map_or("", String::as_str);
    let shown = Shown::of_pem(text(CERTIFICATE).as_bytes(), text(KEY).as_bytes()).ok();
    let trusted = authorities(text(TRUSTED));
    let Some(shown) = shown.filter(|shown| shown.not_after > now && !trusted.is_empty()) else {
        let pair = make(names, now)?;
        return Ok(Some(Kept::from([
            (CERTIFICATE.to_owned(), pair.certificate),
            (KEY.to_owned(), pair.key),
            (TRUSTED.to_owned(), pair.authority),
        ])));
    };
    let next = Shown::of_pem(text(NEXT).as_bytes(), text(NEXT_KEY).as_bytes());
    if let Ok(next) = next {
        // It was made an hour before its time (`SKEW`).
        if next.not_before + SKEW + OVERLAP > now {
            return Ok(None);
        }
        return Ok(Some(Kept::from([
            (CERTIFICATE.to_owned(), text(NEXT).to_owned()),
            (KEY.to_owned(), text(NEXT_KEY).to_owned()),
            (TRUSTED.to_owned(), text(TRUSTED).to_owned()),
        ])));
    }
    if shown.not_after - now < EARLY {
        let pair = make(names, now)?;
        let mut changed = kept.clone();
        changed.remove(NEXT);
        // The newest authority comes last: it is the one that stays.
        let mut trusted = text(TRUSTED).to_owned();
        if !trusted.ends_with('\n') {
            trusted.push('\n');
        }
        changed.insert(TRUSTED.to_owned(), trusted + &pair.authority);
        changed.insert(NEXT.to_owned(), pair.certificate);
        changed.insert(NEXT_KEY.to_owned(), pair.key);
        return Ok(Some(changed));
    }
    // Replicas that look every few seconds have all taken the new one by then.
    let settled = shown.not_before + SKEW + 3 * OVERLAP < now;
    if settled
        && trusted.len() > 1
        && let Some(last) = trusted.last()
    {
        let mut changed = kept.clone();
        changed.insert(TRUSTED.to_owned(), last.clone());
        return Ok(Some(changed));
    }
    Ok(None)
}

/// The certificate to show.
#[must_use]
pub fn shown(kept: &Kept) -> Option<Shown> {
    let text = |key: &str| kept.get(key).map_or("", String::as_str);
    Shown::of_pem(text(CERTIFICATE).as_bytes(), text(KEY).as_bytes()).ok()
}

/// The authorities that API servers are to trust, as PEM.
#[must_use]
pub fn trusted(kept: &Kept) -> Option<&str> {
    kept.get(TRUSTED).map(String::as_str)
}

/// The certificates of a text, each as a text.
fn authorities(text: &str) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    text.split_inclusive(END)
        .filter(|part| CertificateDer::from_pem_slice(part.as_bytes()).is_ok())
        .map(|part| format!("{}\n", part.trim()))
        .collect()
}

struct Pair {
    authority: String,
    certificate: String,
    key: String,
}

/// A pair and its authority. The first name is the common one.
fn make(names: &[String], now: i64) -> Result<Pair, NotMade> {
    let failed = |error: rcgen::Error| NotMade(error.to_string());
    let begin = moment(now - SKEW)?;
    let end = moment(now + VALID)?;
    let mut authority = CertificateParams::default();
    let mut name = DistinguishedName::new();
    // Two authorities of one name would be taken for one another while both are trusted.
    name.push(DnType::CommonName, format!("seawall webhook {now}"));
    authority.distinguished_name = name;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (authority.not_before, authority.not_after) = (begin, end);
    let signing = KeyPair::generate().map_err(failed)?;
    let own = authority.self_signed(&signing).map_err(failed)?;

    let mut params = CertificateParams::new(names.to_vec()).map_err(failed)?;
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        names.first().map_or("seawall", String::as_str),
    );
    params.distinguished_name = name;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (begin, end);
    let key = KeyPair::generate().map_err(failed)?;
    let issuer = Issuer::new(authority, signing);
    let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
    Ok(Pair {
        authority: own.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn moment(seconds: i64) -> Result<time::OffsetDateTime, NotMade> {
    time::OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| NotMade(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{DAY, Kept, OVERLAP, SKEW, authorities, shown, step, trusted};

    const NOW: i64 = 1_800_000_000;

    fn names() -> Vec<String> {
        vec!["seawall.seawall.svc".to_owned()]
    }

    #[test]
    fn a_pair_is_made_once_and_renewed_with_overlap() {
        let first = step(&Kept::new(), &names(), NOW).unwrap().unwrap();
        assert_eq!(authorities(trusted(&first).unwrap()).len(), 1);
        // Nothing to do for two months.
        assert_eq!(step(&first, &names(), NOW).unwrap(), None);
        assert_eq!(step(&first, &names(), NOW + 59 * DAY).unwrap(), None);
        // Renewed: both authorities are trusted, the old certificate is shown.
        let renew = NOW + 61 * DAY;
        let both = step(&first, &names(), renew).unwrap().unwrap();
        assert_eq!(authorities(trusted(&both).unwrap()).len(), 2);
        assert_eq!(both["tls.crt"], first["tls.crt"]);
        assert_eq!(step(&both, &names(), renew + OVERLAP - 1).unwrap(), None);
        // Promoted: the new one is shown, both are trusted.
        let promoted = step(&both, &names(), renew + OVERLAP).unwrap().unwrap();
        assert_eq!(promoted["tls.crt"], both["next.crt"]);
        assert!(!promoted.contains_key("next.key"));
        assert_eq!(authorities(trusted(&promoted).unwrap()).len(), 2);
        assert_eq!(
            step(&promoted, &names(), renew + 2 * OVERLAP).unwrap(),
            None
        );
        // Settled: only the new authority is left.
        let later = renew + 4 * OVERLAP;
        let settled = step(&promoted, &names(), later).unwrap().unwrap();
        let left = authorities(trusted(&settled).unwrap());
        assert_eq!(left, authorities(trusted(&both).unwrap())[1..]);
        assert_eq!(step(&settled, &names(), later + SKEW).unwrap(), None);
        assert!(shown(&settled).unwrap().not_after > later + 80 * DAY);
    }

    #[test]
    fn what_cannot_be_used_is_replaced() {
        let first = step(&Kept::new(), &names(), NOW).unwrap().unwrap();
        let mut broken = first.clone();
        broken.insert("tls.key".to_owned(), "no key".to_owned());
        assert!(step(&broken, &names(), NOW).unwrap().is_some());
        let other = step(&Kept::new(), &names(), NOW).unwrap().unwrap();
        let mut mixed = first.clone();
        mixed.insert("tls.key".to_owned(), other["tls.key"].clone());
        assert!(step(&mixed, &names(), NOW).unwrap().is_some());
        // Over: nobody renewed it in time.
        assert!(step(&first, &names(), NOW + 91 * DAY).unwrap().is_some());
    }
}
