//! The certificate in its Secret, and the authorities in the configuration that leads here.
//!
//! Both are read and written by name and were there before: no right to make or list Secrets is needed. Whichever
//! replica looks first takes the step that is due (`tls::made`); the version of the Secret keeps two from taking
//! it at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sources::cluster::{Refused, Writer};

use crate::install::{CONFIGURATIONS, NAME, bundle};
use crate::tls::made::{self, Kept};

/// The Secret of a webhook.
#[derive(Debug)]
pub struct Secret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What the certificate is for: the first is the common name.
    pub names: Vec<String>,
}

/// Why the Secret was not brought to what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Reading or writing was refused.
    #[error("{what}: {refused}")]
    Refused {
        /// what was tried
        what: String,
        /// the answer
        refused: Refused,
    },
    /// The answer is no such object.
    #[error("{0} is not as expected: {1}")]
    Odd(String, String),
    /// No certificate can be made.
    #[error(transparent)]
    NotMade(#[from] made::NotMade),
    /// Others always wrote first.
    #[error("{0} changes faster than it can be written")]
    Busy(String),
}

/// How often a write that came second is tried again.
const ATTEMPTS: usize = 5;

impl Secret {
    fn path(&self) -> String {
        format!(
            "/api/v1/namespaces/{}/secrets/{}",
            self.namespace, self.name
        )
    }

    /// Takes the step that is due, tells the configuration, and gives what the Secret holds.
    ///
    /// # Errors
    /// When the Secret cannot be read or written.
    pub fn look(&self, writer: &Writer, now: i64) -> Result<Kept, SecretError> {
        let path = self.path();
        for _ in 0..ATTEMPTS {
            let (mut object, kept) = self.read(writer)?;
            // What is shown next must be trusted first; a configuration that cannot be told stops there.
            if let Some(trusted) = made::trusted(&kept) {
                trust(writer, trusted)?;
            }
            let Some(next) = made::step(&kept, &self.names, now)? else {
                return Ok(kept);
            };
            let data: Map<String, Value> = next
                .iter()
                .map(|(key, text)| (key.clone(), STANDARD.encode(text).into()))
                .collect();
            if let Some(object) = object.as_object_mut() {
                object.insert("data".to_owned(), data.into());
            }
            match writer.replace(&path, &object.to_string()) {
                Ok(_) => {
                    if let Some(trusted) = made::trusted(&next) {
                        trust(writer, trusted)?;
                    }
                    return Ok(next);
                }
                Err(refused) if refused.is_conflict() => {}
                Err(refused) => {
                    let what = format!("cannot write the Secret {}/{}", self.namespace, self.name);
                    return Err(SecretError::Refused { what, refused });
                }
            }
        }
        Err(SecretError::Busy(path))
    }

    fn read(&self, writer: &Writer) -> Result<(Value, Kept), SecretError> {
        let path = self.path();
        let text = writer.get(&path).map_err(|refused| SecretError::Refused {
            what: format!("cannot read the Secret {}/{}", self.namespace, self.name),
            refused,
        })?;
        let object: Value = serde_json::from_str(&text)
            .map_err(|error| SecretError::Odd(path.clone(), error.to_string()))?;
        let data: BTreeMap<String, String> = match object.get("data") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(data) => serde_json::from_value(data.clone())
                .map_err(|error| SecretError::Odd(path, error.to_string()))?,
        };
        // What is no text was not written here; it counts as absent.
        let kept = data
            .into_iter()
            .filter_map(|(key, value)| {
                let bytes = STANDARD.decode(value).ok()?;
                Some((key, String::from_utf8(bytes).ok()?))
            })
            .collect();
        Ok((object, kept))
    }
}

/// Brings the authorities into the configuration, where there is one.
///
/// # Errors
/// When it is there and cannot be changed.
pub fn trust(writer: &Writer, trusted: &str) -> Result<(), SecretError> {
    let wanted = bundle(trusted);
    change(writer, |object| {
        let mut changed = false;
        let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
        for webhook in webhooks.into_iter().flatten() {
            let client = webhook
                .get_mut("clientConfig")
                .and_then(Value::as_object_mut);
            if let Some(client) = client
                && client.get("caBundle").and_then(Value::as_str) != Some(&wanted)
            {
                client.insert("caBundle".to_owned(), wanted.as_str().into());
                changed = true;
            }
        }
        changed
    })
    .map(|_| ())
}

/// Changes the webhooks of the configuration, where there is one. `how` tells whether it changed anything. Whether
/// something was written.
///
/// # Errors
/// When it is there and cannot be changed.
pub fn change(
    writer: &Writer,
    mut how: impl FnMut(&mut Value) -> bool,
) -> Result<bool, SecretError> {
    let path = format!("{CONFIGURATIONS}/{NAME}");
    for _ in 0..ATTEMPTS {
        let text = match writer.get(&path) {
            Ok(text) => text,
            // Nobody is led here yet.
            Err(refused) if refused.is_absent() => return Ok(false),
            Err(refused) => {
                let what = format!("cannot read the ValidatingWebhookConfiguration {NAME}");
                return Err(SecretError::Refused { what, refused });
            }
        };
        let mut object: Value = serde_json::from_str(&text)
            .map_err(|error| SecretError::Odd(path.clone(), error.to_string()))?;
        if !how(&mut object) {
            return Ok(false);
        }
        // With its version, so that nobody's change is overwritten.
        let change = json!({
            "metadata": { "resourceVersion": object.pointer("/metadata/resourceVersion") },
            "webhooks": object.get("webhooks"),
        });
        match writer.merge(&path, &change.to_string()) {
            Ok(_) => return Ok(true),
            Err(refused) if refused.is_conflict() => {}
            Err(refused) => {
                let what = format!("cannot write the ValidatingWebhookConfiguration {NAME}");
                return Err(SecretError::Refused { what, refused });
            }
        }
    }
    Err(SecretError::Busy(path))
}
