//! Whom to trust: `trustpolicy.json` and the certificates of `truststore/`, as Notation keeps them
//! (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::chain::Chain;

/// A trust policy, with what its trust stores hold.
#[derive(Debug, Default)]
pub struct Trust {
    policies: Vec<Policy>,
    /// DER of certificates, by `ca:NAME`, `signingAuthority:NAME`.
    stores: BTreeMap<String, Vec<Vec<u8>>>,
}

/// A statement of the policy.
#[derive(Debug)]
pub struct Policy {
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) identities: Vec<Identity>,
    /// Whether a countersigned time is wanted at all, and even while certificates are valid.
    pub(super) stamps: bool,
    pub(super) always_stamped: bool,
    scopes: Vec<String>,
    stores: Vec<String>,
}

/// How strict it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Strict,
    Permissive,
    Audit,
    Skip,
}

impl Level {
    /// What fails otherwise is told.
    pub(super) const fn enforces_time(self) -> bool {
        matches!(self, Self::Strict)
    }
}

/// Who may sign.
#[derive(Debug)]
pub(super) enum Identity {
    Anybody,
    /// What the subject must hold.
    Subject(Vec<(String, String)>),
}

impl Identity {
    pub(super) fn is(&self, chain: &Chain) -> bool {
        match self {
            Self::Anybody => true,
            Self::Subject(wanted) => {
                let own = chain.attributes();
                wanted.iter().all(|pair| own.contains(pair))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: String,
    trust_policies: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    name: String,
    #[serde(default)]
    registry_scopes: Vec<String>,
    signature_verification: Verification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    level: String,
    #[serde(default)]
    r#override: BTreeMap<String, String>,
    #[serde(default)]
    verify_timestamp: String,
}

impl Trust {
    /// From the text of a trust policy.
    ///
    /// # Errors
    /// When it is none, as a clause.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document.version != "1.0" {
            return Err(format!("version `{}` is not known", document.version));
        }
        let mut policies = Vec::new();
        let mut scopes: Vec<String> = Vec::new();
        for statement in document.trust_policies {
            for scope in &statement.registry_scopes {
                if scopes.contains(scope) {
                    return Err(format!("`{scope}` is in two statements"));
                }
                scopes.push(scope.clone());
            }
            policies.push(policy(statement)?);
        }
        Ok(Self {
            policies,
            stores: BTreeMap::new(),
        })
    }

    /// The trust stores that it names: `ca:acme`.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        self.policies
            .iter()
            .flat_map(|policy| policy.stores.iter().map(String::as_str))
    }

    /// Adds a file of a trust store, PEM or DER.
    ///
    /// # Errors
    /// When it holds no certificate.
    pub fn add(&mut self, store: &str, file: &[u8]) -> Result<(), String> {
        let own = self.stores.entry(store.to_owned()).or_default();
        let text = String::from_utf8_lossy(file);
        if !text.contains("-----BEGIN CERTIFICATE-----") {
            own.push(file.to_vec());
            return Ok(());
        }
        for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let body = part
                .split_once("-----END CERTIFICATE-----")
                .ok_or_else(|| "a certificate has no end".to_owned())?
                .0;
            let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            let der = STANDARD
                .decode(body)
                .map_err(|_| "a certificate is no base64".to_owned())?;
            own.push(der);
        }
        Ok(())
    }

    /// The statement about a repository: one that names it, else one for all.
    pub(super) fn policy(&self, name: &str) -> Option<&Policy> {
        let about = |wanted: &str| {
            self.policies
                .iter()
                .find(|policy| policy.scopes.iter().any(|scope| scope == wanted))
        };
        about(name).or_else(|| about("*"))
    }

    /// The certificates that a statement trusts.
    pub(super) fn certificates(
        &self,
        policy: &Policy,
        authority: bool,
    ) -> Result<Vec<Vec<u8>>, String> {
        let kind = if authority {
            "signingAuthority:"
        } else {
            "ca:"
        };
        let mut all = Vec::new();
        for name in policy.stores.iter().filter(|name| name.starts_with(kind)) {
            let store = self.stores.get(name).filter(|store| !store.is_empty());
            let store = store.ok_or_else(|| format!("the trust store `{name}` holds nothing"))?;
            all.extend(store.iter().cloned());
        }
        Ok(all)
    }
}

fn policy(statement: Statement) -> Result<Policy, String> {
    let name = statement.name;
    let bad = |why: String| format!("statement `{name}`: {why}");
    let verification = statement.signature_verification;
    let level = match &*verification.level {
        "strict" => Level::Strict,
        "permissive" => Level::Permissive,
        "audit" => Level::Audit,
        "skip" => Level::Skip,
        other => return Err(bad(format!("level `{other}` is not known"))),
    };
    if !verification.r#override.is_empty() {
        return Err(bad("`override` is not understood".to_owned()));
    }
    if statement.registry_scopes.is_empty() {
        return Err(bad("it has no registry scopes".to_owned()));
    }
    if level != Level::Skip
        && (statement.trust_stores.is_empty() || statement.trusted_identities.is_empty())
    {
        return Err(bad(
            "it needs trust stores and trusted identities".to_owned()
        ));
    }
    let mut identities = Vec::new();
    for identity in &statement.trusted_identities {
        if identity == "*" {
            identities.push(Identity::Anybody);
        } else if let Some(subject) = identity.strip_prefix("x509.subject:") {
            let subject = distinguished(subject)
                .ok_or_else(|| bad(format!("`{identity}` is no name of a subject")))?;
            identities.push(Identity::Subject(subject));
        }
    }
    for store in &statement.trust_stores {
        let known = ["ca:", "signingAuthority:", "tsa:"];
        let plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        if !known
            .iter()
            .any(|kind| store.strip_prefix(kind).is_some_and(plain))
        {
            return Err(bad(format!("`{store}` is no trust store")));
        }
    }
    Ok(Policy {
        level,
        identities,
        stamps: statement
            .trust_stores
            .iter()
            .any(|store| store.starts_with("tsa:")),
        always_stamped: verification.verify_timestamp != "afterCertExpiry",
        scopes: statement.registry_scopes,
        stores: statement.trust_stores,
        name,
    })
}

/// A name as RFC 4514 writes it: `C=US, ST=WA, O=acme`. Notation wants these three in it.
fn distinguished(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut part = String::new();
    let mut escaped = false;
    for character in text.chars().chain([',']) {
        match character {
            _ if escaped => {
                part.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            ',' => {
                let (key, value) = part.split_once('=')?;
                let key = key.trim().to_ascii_uppercase();
                let key = if key == "S" { "ST".to_owned() } else { key };
                if pairs.iter().any(|(own, _)| *own == key) {
                    return None;
                }
                pairs.push((key, value.trim().to_owned()));
                part.clear();
            }
            other => part.push(other),
        }
    }
    let holds = |wanted: &str| pairs.iter().any(|(key, _)| key == wanted);
    (holds("C") && holds("ST") && holds("O")).then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(level: &str, scopes: &str, identity: &str) -> Result<Trust, String> {
        Trust::read(&format!(
            r#"{{"version":"1.0","trustPolicies":[{{"name":"a","registryScopes":{scopes},"signatureVerification":{{"level":"{level}"}},"trustStores":["ca:acme"],"trustedIdentities":["{identity}"]}}]}}"#
        ))
    }

    #[test]
    fn a_statement_that_names_a_repository_counts_before_one_for_all() {
        let both = Trust::read(
            r#"{"version":"1.0","trustPolicies":[
            {"name":"all","registryScopes":["*"],"signatureVerification":{"level":"audit"},"trustStores":["ca:a"],"trustedIdentities":["*"]},
            {"name":"one","registryScopes":["a.io/b"],"signatureVerification":{"level":"strict"},"trustStores":["ca:a"],"trustedIdentities":["*"]}]}"#,
        )
        .unwrap();
        let name = |name: &str| both.policy(name).unwrap().name.clone();
        assert_eq!(
            (name("a.io/b"), name("a.io/b/c")),
            ("one".into(), "all".into())
        );
        assert!(
            trust("strict", r#"["a.io/b"]"#, "*")
                .unwrap()
                .policy("a.io/c")
                .is_none()
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(trust("strict", r#"["*"]"#, "*").is_ok());
        assert!(trust("hard", r#"["*"]"#, "*").is_err());
        assert!(trust("strict", "[]", "*").is_err());
        assert!(trust("strict", r#"["*"]"#, "x509.subject:CN=a").is_err());
        assert!(trust("strict", r#"["*"]"#, "x509.subject: C=US, ST=WA, O=a, OU=x").is_ok());
        assert_eq!(
            distinguished(r"C=US,ST=WA,O=a\, b").unwrap()[2],
            ("O".to_owned(), "a, b".to_owned())
        );
    }
}
