//! Whom to trust: a trusted root of Sigstore, which says what authorities and logs there are and for which time
//! (<https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto>, as JSON; what
//! `cosign trusted-root create` writes, and what `cosign initialize` keeps of the public one).

use jiff::Timestamp;
use serde::Deserialize;

use crate::crypto::PublicKey;

/// A trusted root.
#[derive(Debug)]
pub struct Root {
    /// Who issues certificates.
    pub(super) authorities: Vec<Authority>,
    /// Logs of signatures (Rekor).
    pub(super) logs: Vec<Log>,
    /// Logs of certificates.
    pub(super) certificate_logs: Vec<Log>,
    /// Who countersigns times.
    pub(super) stampers: Vec<Authority>,
}

/// Who issues certificates or countersigns times: the certificates above, the root last.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) valid: Period,
}

/// A log, and the key that it signs with.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    /// `None` for one of a kind that is not checked here.
    pub(super) key: Option<PublicKey>,
    pub(super) valid: Period,
}

/// From when to when, both included.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Period {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Period {
    pub(super) fn holds(self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| at >= start) && self.end.is_none_or(|end| at <= end)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Document {
    media_type: String,
    tlogs: Vec<Instance>,
    certificate_authorities: Vec<CertificateAuthority>,
    ctlogs: Vec<Instance>,
    timestamp_authorities: Vec<CertificateAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    hash_algorithm: String,
    public_key: Key,
    log_id: LogId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    raw_bytes: Bytes,
    valid_for: Option<Between>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateAuthority {
    cert_chain: Certificates,
    valid_for: Option<Between>,
}

#[derive(Deserialize)]
struct Certificates {
    certificates: Vec<Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: Bytes,
}

#[derive(Deserialize)]
struct Between {
    start: Option<String>,
    end: Option<String>,
}

/// Bytes, as protobuf's JSON has them.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = String::deserialize(deserializer)?;
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a key or certificate is no base64"))
    }
}

impl Root {
    /// From the text of a `trusted_root.json`.
    ///
    /// # Errors
    /// When it is none, as a clause.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !document
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err("its `mediaType` is not that of a trusted root".to_owned());
        }
        let logs = |all: Vec<Instance>| all.into_iter().map(log).collect::<Result<Vec<_>, _>>();
        let authorities = |all: Vec<CertificateAuthority>| {
            all.into_iter()
                .map(authority)
                .collect::<Result<Vec<_>, _>>()
        };
        let issuers = authorities(document.certificate_authorities)?;
        if issuers.is_empty() {
            return Err("it names no authority that issues certificates".to_owned());
        }
        Ok(Self {
            authorities: issuers,
            logs: logs(document.tlogs)?,
            certificate_logs: logs(document.ctlogs)?,
            stampers: authorities(document.timestamp_authorities)?,
        })
    }
}

fn authority(one: CertificateAuthority) -> Result<Authority, String> {
    let chain = one.cert_chain.certificates.into_iter();
    let chain: Vec<Vec<u8>> = chain.map(|certificate| certificate.raw_bytes.0).collect();
    if chain.is_empty() {
        return Err("an authority has no certificate".to_owned());
    }
    Ok(Authority {
        chain,
        valid: period(one.valid_for)?,
    })
}

fn log(instance: Instance) -> Result<Log, String> {
    if instance.hash_algorithm != "SHA2_256" {
        let other = instance.hash_algorithm;
        return Err(format!("a log's algorithm `{other}` is not known"));
    }
    let valid = period(instance.public_key.valid_for)?;
    // A key without a time would count for ever: sigstore-go refuses it too (`pkg/root/trusted_root.go`).
    if valid.start.is_none() {
        return Err("a log's key does not say since when it is valid".to_owned());
    }
    Ok(Log {
        id: instance.log_id.key_id.0,
        key: PublicKey::from_der(&instance.public_key.raw_bytes.0),
        valid,
    })
}

fn period(between: Option<Between>) -> Result<Period, String> {
    let time = |text: Option<String>| {
        text.map(|text| {
            text.parse::<Timestamp>()
                .map_err(|_| format!("`{text}` is no time"))
        })
        .transpose()
    };
    match between {
        None => Ok(Period::default()),
        Some(between) => Ok(Period {
            start: time(between.start)?,
            end: time(between.end)?,
        }),
    }
}
