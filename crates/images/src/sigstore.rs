//! Signatures without keys of one's own (keyless): made with a certificate that lives for minutes, whose authority
//! (Fulcio) names who signed, and of which public logs tell that and when it was used. Checked is what
//! `cosign verify --certificate-identity … --certificate-oidc-issuer … --trusted-root FILE --offline` checks
//! (<https://github.com/sigstore/architecture-docs/blob/main/client-spec.md>, steps as in sigstore-go 1.3.0,
//! `pkg/verify`).
//!
//! | module | checks |
//! |---|---|
//! | [`root`] | whom to trust: authorities and logs of a `trusted_root.json` |
//! | [`identity`] | who may sign |
//! | [`certificate`] | who signed, and the chain to an authority |
//! | [`sct`] | that the certificate was logged |
//! | [`log`] | that the signature was logged, and when |
//! | [`stamp`] | when it was made, by who countersigned that |
//! | [`material`] | what comes with a signature: annotations of cosign's layers, bundles |
//!
//! What it deliberately leaves out: asking any service (entries that do not come with the signature).

mod certificate;
mod der;
pub mod identity;
mod log;
pub(crate) mod material;
pub mod root;
mod sct;
mod stamp;

use jiff::Timestamp;

use crate::verdict::{Outcome, Problem};
use certificate::Leaf;
use identity::Identity;
pub(crate) use log::{Content, Signed};
use material::Material;
use root::Root;

/// What came of checking a signature, and by whom it is, as far as that is known.
pub(crate) struct Judged {
    pub(crate) signer: String,
    pub(crate) result: Result<(), Problem>,
}

/// Checks a signature by what comes with it.
pub(crate) fn check(
    material: &Material,
    signed: &Signed<'_>,
    root: Option<&Root>,
    identities: &[Identity],
) -> Judged {
    let leaf = match Leaf::read(&material.certificate) {
        Ok(leaf) => leaf,
        Err(problem) => {
            return Judged {
                signer: String::new(),
                result: Err(problem),
            };
        }
    };
    Judged {
        signer: leaf.shown(),
        result: checked(material, signed, &leaf, root, identities),
    }
}

fn checked(
    material: &Material,
    signed: &Signed<'_>,
    leaf: &Leaf<'_>,
    root: Option<&Root>,
    identities: &[Identity],
) -> Result<(), Problem> {
    leaf.signed(signed.bytes, signed.signature)?;
    let root = root.ok_or_else(|| {
        Problem::unable(
            "it is signed without a key (keyless), and no trusted root says whom to trust",
        )
    })?;
    let mut times = log::times(&material.entries, root, signed, &material.certificate)?;
    let mut untimed = Problem::unable("nothing beside it proves when it was made");
    // What nobody who is trusted countersigned says nothing; it decides only where nothing else gives a time.
    for token in &material.stamps {
        match stamp::time(token, signed.signature, root) {
            Ok(time) => times.push(time),
            Err(problem) => untimed = problem,
        }
    }
    // Without a time the rest is looked at as of the certificate's begin, for what is wrong with it.
    let moments = if times.is_empty() {
        vec![leaf.begins()?]
    } else {
        times.clone()
    };
    for at in moments {
        let issuer = leaf.issued(root, at)?;
        sct::check(leaf, &issuer, root)?;
    }
    if material.entries.is_empty() {
        return Err(Problem::unable(
            "nothing beside it shows that it was logged",
        ));
    }
    if times.is_empty() {
        return Err(untimed);
    }
    if identities.is_empty() {
        return Err(Problem::unable("no identity says whose signatures count"));
    }
    if !identities.iter().any(|identity| identity.is(leaf)) {
        return Err(Problem::untrusted(
            "who signed is none of the trusted identities",
        ));
    }
    Ok(())
}

/// A time that a log gives, in seconds.
fn moment(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What has ended, or had not begun.
fn outside(why: String) -> Problem {
    Problem::new(Outcome::Expired, why)
}
