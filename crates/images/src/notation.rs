//! Signatures of the Notary Project, checked as Notation does
//! (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md>; steps as in
//! notation-go 1.3.2, `verifier/verifier.go`).
//!
//! What it deliberately leaves out, and says so where it decides: revocation (OCSP and CRL are online services),
//! countersignatures of time once a certificate has ended, plug-ins, and keys on P-521.

pub mod chain;
mod envelope;
pub mod trust;

use jiff::Timestamp;

use crate::manifest::Descriptor;
use crate::verdict::{Outcome, Problem, Signature};
use chain::Chain;
use envelope::{Envelope, Scheme};
use trust::{Level, Trust};

/// What a signature's manifest is called.
pub const ARTIFACT: &str = "application/vnd.cncf.notary.signature";

const KIND: &str = "notation";

/// Checks a signature of an image (`HOST/REPOSITORY`, and what its digest stands for), as of a moment.
#[must_use]
pub fn check(
    media_type: &str,
    blob: &[u8],
    name: &str,
    image: &Descriptor,
    trust: Option<&Trust>,
    now: Timestamp,
) -> Signature {
    let say = |outcome, signer: &str, why: String| Signature::new(KIND, outcome, signer, why);
    let envelope = match Envelope::read(media_type, blob) {
        Ok(envelope) => envelope,
        Err(problem) => return say(problem.outcome, "", problem.why),
    };
    let chain = match Chain::read(&envelope.chain) {
        Ok(chain) => chain,
        Err(problem) => return say(problem.outcome, "", problem.why),
    };
    let signer = chain.subject().to_owned();
    if let Err(problem) = envelope.verify(&chain) {
        return say(problem.outcome, &signer, problem.why);
    }
    if let Err(why) = envelope.is_about(image) {
        return say(Outcome::Wrong, &signer, why);
    }
    let Some(trust) = trust else {
        let why = "no trust policy says whom to trust";
        return say(Outcome::Unknown, &signer, why.to_owned());
    };
    let Some(policy) = trust.policy(name) else {
        let why = format!("no statement of the trust policy is about {name}");
        return say(Outcome::Untrusted, &signer, why);
    };
    if policy.level == Level::Skip {
        let why = format!("statement `{}` skips verification", policy.name);
        return say(Outcome::Unknown, &signer, why);
    }
    // Notation only logs a stranger's signature where the level is `audit`; nobody is trusted by that.
    let stores = match trust.certificates(policy, envelope.scheme == Scheme::Authority) {
        Ok(stores) => stores,
        Err(why) => return say(Outcome::Unknown, &signer, why),
    };
    if !chain.is_trusted(&stores) {
        let why = "its chain ends in no certificate of the trust stores";
        return say(Outcome::Untrusted, &signer, why.to_owned());
    }
    if !policy.identities.iter().any(|one| one.is(&chain)) {
        let why = "its subject is none of the trusted identities";
        return say(Outcome::Untrusted, &signer, why.to_owned());
    }
    let ended = envelope.expiry.filter(|expiry| now >= *expiry);
    let ended = ended.map(|expiry| {
        let why = format!("the signature ended on {}", day(expiry));
        (Outcome::Expired, why)
    });
    let mut accepted = Vec::new();
    for (outcome, why) in ended
        .into_iter()
        .chain(time(&envelope, &chain, policy, now))
    {
        if policy.level.enforces_time() {
            return say(outcome, &signer, why);
        }
        accepted.push(why);
    }
    if chain.names_revocation() {
        accepted.push("whether its certificate was revoked was not asked".to_owned());
    }
    say(Outcome::Verified, &signer, accepted.join("; "))
}

/// What is wrong with the moments of the certificates.
fn time(
    envelope: &Envelope,
    chain: &Chain,
    policy: &trust::Policy,
    now: Timestamp,
) -> Option<(Outcome, String)> {
    let at = match envelope.scheme {
        Scheme::Authority => envelope.signed,
        Scheme::X509 => now,
    };
    let outside = chain.outside(at);
    if envelope.scheme == Scheme::Authority {
        return outside.map(|why| (Outcome::Expired, why));
    }
    if policy.stamps && (policy.always_stamped || outside.is_some()) {
        return Some(if envelope.stamped {
            let why = "it rests on a countersigned time, which is not checked here";
            (Outcome::Unknown, why.to_owned())
        } else {
            let why = "the trust policy wants a countersigned time, and it has none";
            let outcome = if outside.is_some() {
                Outcome::Expired
            } else {
                Outcome::Untrusted
            };
            (outcome, why.to_owned())
        });
    }
    outside.map(|why| (Outcome::Expired, why))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
