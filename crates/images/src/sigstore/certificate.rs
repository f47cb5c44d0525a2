//! Who signed: the certificate that an authority gave them, and the chain to it.

use jiff::Timestamp;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Extension};

use super::root::{Authority, Root};
use super::{der, moment, outside, written};
use crate::crypto::{PublicKey, Refused};
use crate::verdict::Problem;

/// What Fulcio writes into certificates
/// (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>): who told it who it is, as plain bytes and since 2023
/// as a text of DER, and a name of another kind.
const ISSUER: &str = "1.3.6.1.4.1.57264.1.1";
const ISSUER_V2: &str = "1.3.6.1.4.1.57264.1.8";
const OTHER_NAME: &str = "1.3.6.1.4.1.57264.1.7";
/// `[0] EXPLICIT`
const EXPLICIT: u8 = 0xa0;

/// The signer's certificate.
pub(super) struct Leaf<'a> {
    pub(super) certificate: X509Certificate<'a>,
    key: PublicKey,
    names: Vec<String>,
    issuer: Option<String>,
}

impl<'a> Leaf<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Problem> {
        let certificate = read(der)?;
        let key = PublicKey::of(certificate.public_key()).ok_or_else(|| {
            Problem::unable("its certificate's key is of a kind that is not checked here")
        })?;
        let names = names(&certificate)?;
        let issuer = issuer(&certificate)?;
        Ok(Self {
            certificate,
            key,
            names,
            issuer,
        })
    }

    /// `NAME (ISSUER)`
    pub(super) fn shown(&self) -> String {
        let name = self.names.join(", ");
        let shown = match &self.issuer {
            Some(issuer) => format!("{name} ({issuer})"),
            None => name,
        };
        // A stranger wrote it.
        shown.chars().filter(|c| !c.is_control()).collect()
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(super) fn begins(&self) -> Result<Timestamp, Problem> {
        moment(self.certificate.validity().not_before.timestamp())
            .ok_or_else(|| Problem::wrong("its certificate has no time"))
    }

    /// Whether it signed bytes. Older versions of cosign hash with SHA-256 whatever the curve.
    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8]) -> Result<(), Problem> {
        self.key
            .verify_cosign(bytes, signature)
            .or_else(|_| self.key.verify_sha256(bytes, signature))
            .map_err(|refused| match refused {
                Refused::Wrong => {
                    Problem::wrong("it was changed, or is not by the certificate beside it")
                }
                Refused::Unable => {
                    Problem::unable("its certificate's key is of a kind that is not checked here")
                }
            })
    }

    /// The certificate of who issued it, by the trusted root, where everything on the way to it was valid then.
    pub(super) fn issued<'r>(
        &self,
        root: &'r Root,
        at: Timestamp,
    ) -> Result<X509Certificate<'r>, Problem> {
        Use::Code.fits(&self.certificate, "its certificate")?;
        within(&self.certificate, "its certificate", at)?;
        let mut nearest = None;
        for authority in &root.authorities {
            match climb(&self.certificate, authority, at, Use::Code) {
                Ok(Some(issuer)) => return Ok(issuer),
                Ok(None) => {}
                Err(problem) => {
                    nearest.get_or_insert(problem);
                }
            }
        }
        Err(nearest.unwrap_or_else(|| {
            Problem::untrusted("its certificate was issued by no authority of the trusted root")
        }))
    }
}

/// What a certificate is made for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Code,
    Time,
}

pub(super) fn read(der: &[u8]) -> Result<X509Certificate<'_>, Problem> {
    X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
        .ok_or_else(|| Problem::wrong("its certificate is malformed"))
}

/// Goes up from a certificate to the root of an authority (RFC 5280, section 6.1); `None` where it leads elsewhere.
pub(super) fn climb<'r>(
    leaf: &X509Certificate<'_>,
    authority: &'r Authority,
    at: Timestamp,
    made_for: Use,
) -> Result<Option<X509Certificate<'r>>, Problem> {
    let mut above = Vec::with_capacity(authority.chain.len());
    for der in &authority.chain {
        let certificate = read(der)
            .map_err(|_| Problem::unable("a certificate of the trusted root is malformed"))?;
        above.push(certificate);
    }
    let mut path: Vec<&X509Certificate<'r>> = Vec::new();
    while path.len() < above.len() {
        let below = path.last().copied().map_or(leaf, |below| below);
        let Some(next) = issuer_of(below, &above, &path)? else {
            return Ok(None);
        };
        path.push(next);
        if above.last().is_some_and(|root| std::ptr::eq(root, next)) {
            break;
        }
    }
    let ends_in_root = path.last().zip(above.last());
    if !ends_in_root.is_some_and(|(end, root)| std::ptr::eq(*end, root)) {
        return Ok(None);
    }
    if !authority.valid.holds(at) {
        let why = format!(
            "the trusted root does not trust its authority as of {}",
            written(at)
        );
        return Err(outside(why));
    }
    for (below, certificate) in path.iter().enumerate() {
        may_issue(certificate, below, made_for)?;
        within(certificate, "a certificate of its authority", at)?;
    }
    let issuer = path.first().map(|issuer| (*issuer).clone());
    Ok(issuer)
}

/// Who of an authority signed a certificate.
fn issuer_of<'c, 'r>(
    below: &X509Certificate<'_>,
    above: &'c [X509Certificate<'r>],
    path: &[&X509Certificate<'r>],
) -> Result<Option<&'c X509Certificate<'r>>, Problem> {
    for one in above {
        let used = path.iter().any(|step| std::ptr::eq(*step, one));
        if used || one.subject() != below.issuer() {
            continue;
        }
        let signed = PublicKey::of(one.public_key())
            .ok_or(Refused::Unable)
            .and_then(|key| key.verify_certificate(below));
        match signed {
            Ok(()) => return Ok(Some(one)),
            Err(Refused::Wrong) => {}
            Err(Refused::Unable) => {
                return Err(Problem::unable(
                    "its certificate is signed in a way that is not checked here",
                ));
            }
        }
    }
    Ok(None)
}

pub(super) fn within(
    certificate: &X509Certificate<'_>,
    called: &str,
    at: Timestamp,
) -> Result<(), Problem> {
    let validity = certificate.validity();
    let (from, until) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    let shown = |seconds| moment(seconds).map_or_else(String::new, written);
    let second = at.as_second();
    if second < from {
        let why = format!("{called} begins on {}, after it was used", shown(from));
        return Err(outside(why));
    }
    if second > until {
        let why = format!("{called} ended on {}, before it was used", shown(until));
        return Err(outside(why));
    }
    Ok(())
}

impl Use {
    fn is_of(self, usage: &ExtendedKeyUsage<'_>) -> bool {
        match self {
            Self::Code => usage.code_signing,
            Self::Time => usage.time_stamping,
        }
    }

    /// Whether somebody's certificate is made for it.
    pub(super) fn fits(self, leaf: &X509Certificate<'_>, called: &str) -> Result<(), Problem> {
        critical(leaf)?;
        let ends = leaf
            .basic_constraints()
            .is_ok_and(|found| found.is_none_or(|constraints| !constraints.value.ca));
        if !ends {
            return Err(Problem::wrong(format!("{called} is that of an authority")));
        }
        let usage = leaf.extended_key_usage().ok().flatten();
        if usage.is_some_and(|usage| self.is_of(usage.value)) {
            return Ok(());
        }
        let what = match self {
            Self::Code => "to sign code",
            Self::Time => "for that",
        };
        Err(Problem::wrong(format!("{called} is not made {what}")))
    }
}

/// Whether a certificate may issue others, with as many between it and the signer's.
fn may_issue(
    certificate: &X509Certificate<'_>,
    below: usize,
    made_for: Use,
) -> Result<(), Problem> {
    critical(certificate)?;
    let bad = || Problem::untrusted("a certificate of its authority may not issue it");
    let constraints = certificate.basic_constraints().map_err(|_| bad())?;
    let constraints = constraints.ok_or_else(bad)?.value;
    let long = constraints.path_len_constraint;
    let issues = constraints.ca && long.is_none_or(|long| long as usize >= below);
    let signs = certificate
        .key_usage()
        .map_err(|_| bad())?
        .is_none_or(|usage| usage.value.key_cert_sign());
    let usage = certificate.extended_key_usage().map_err(|_| bad())?;
    let usable = usage.is_none_or(|usage| made_for.is_of(usage.value) || usage.value.any);
    if issues && signs && usable {
        Ok(())
    } else {
        Err(bad())
    }
}

/// What is critical and not looked at decides nothing here (RFC 5280, section 4.2); nor do names that an authority is
/// bound to, critical or not.
fn critical(certificate: &X509Certificate<'_>) -> Result<(), Problem> {
    let open = |extension: &&X509Extension<'_>| match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(_)
        | ParsedExtension::KeyUsage(_)
        | ParsedExtension::ExtendedKeyUsage(_)
        | ParsedExtension::SubjectAlternativeName(_)
        | ParsedExtension::SCT(_) => false,
        ParsedExtension::NameConstraints(_) => true,
        _ => extension.critical,
    };
    match certificate.extensions().iter().find(open) {
        None => Ok(()),
        Some(other) => Err(Problem::unable(format!(
            "its chain has an extension, `{}`, that is not checked here",
            other.oid.to_id_string()
        ))),
    }
}

/// Whom the certificate names.
fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, Problem> {
    let malformed = || Problem::wrong("the names of its certificate are malformed");
    let found = certificate
        .subject_alternative_name()
        .map_err(|_| malformed())?;
    let mut names = Vec::new();
    for name in found.iter().flat_map(|found| &found.value.general_names) {
        match name {
            GeneralName::URI(name) | GeneralName::RFC822Name(name) | GeneralName::DNSName(name) => {
                names.push((*name).to_owned());
            }
            GeneralName::OtherName(oid, value) if oid.to_id_string() == OTHER_NAME => {
                names.push(other_name(value).ok_or_else(malformed)?);
            }
            _ => {}
        }
    }
    if names.is_empty() {
        return Err(Problem::wrong("its certificate names nobody"));
    }
    Ok(names)
}

/// `[0] EXPLICIT UTF8String`
fn other_name(value: &[u8]) -> Option<String> {
    let (outer, rest) = der::element(value)?;
    if !rest.is_empty() || outer.tag != EXPLICIT {
        return None;
    }
    utf8(outer.body)
}

fn utf8(value: &[u8]) -> Option<String> {
    let (text, rest) = der::element(value)?;
    (rest.is_empty() && text.tag == der::UTF8)
        .then(|| String::from_utf8(text.body.to_vec()).ok())?
}

/// Who told the authority who it is.
fn issuer(certificate: &X509Certificate<'_>) -> Result<Option<String>, Problem> {
    let malformed = || Problem::wrong("the issuer in its certificate is malformed");
    let value = |wanted: &str| {
        let mut all = certificate.extensions().iter();
        all.find(|extension| extension.oid.to_id_string() == wanted)
            .map(|extension| extension.value)
    };
    if let Some(value) = value(ISSUER_V2) {
        return utf8(value).map(Some).ok_or_else(malformed);
    }
    value(ISSUER)
        .map(|value| String::from_utf8(value.to_vec()).map_err(|_| malformed()))
        .transpose()
}
