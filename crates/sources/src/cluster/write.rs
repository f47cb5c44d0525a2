//! The few objects that seawall writes when it serves: its reports, its Lease, its certificate, its webhook.
//!
//! Nothing is written unless the caller asks; assessing never does. Each call waits for its answer, so it belongs on
//! a thread where that may be. What it deliberately leaves out: knowing what is written.

use std::fmt;

use http::Method;

use super::ask::{Asker, Question, Trouble};
use super::{Options, asker, connect};
use crate::live::LiveError;

/// A connection to a cluster that may write.
pub struct Writer {
    asker: Asker,
    name: String,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why something was not written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The status of the answer; `None` when there was no answer, and nobody knows whether it was done.
    pub status: Option<u16>,
    /// What the server says, or why there is no answer.
    pub message: String,
}

impl Refused {
    /// There is no such object.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.status == Some(404)
    }

    /// Somebody else wrote it first.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }
}

const JSON: &str = "application/json";
/// `types.ApplyPatchType`; JSON is YAML (k8s.io/apimachinery/pkg/types/patch.go).
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

impl Writer {
    /// Reads the kubeconfig, or finds the pod's own service account; nothing is sent yet.
    ///
    /// # Errors
    /// When there is neither, or the program that signs in fails.
    pub fn connect(options: &Options) -> Result<Self, LiveError> {
        let choice = connect::Choice {
            kubeconfig: options.kubeconfig.clone(),
            context: options.context.clone(),
        };
        let target = connect::Target::of(&choice)?;
        let asker = asker(&target, &options.patience, connect::SILENCE)?;
        Ok(Self {
            asker,
            name: target.name,
        })
    }

    /// An object or a list, as JSON.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn get(&self, path: &str) -> Result<String, Refused> {
        self.ask(Method::GET, path, None)
    }

    /// Server-side apply: what `json` names is from now on as it says, whoever set it before.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn apply(&self, path: &str, manager: &str, json: &str) -> Result<String, Refused> {
        let path = format!("{path}?fieldManager={manager}&force=true");
        self.ask(Method::PATCH, &path, Some((APPLY, json)))
    }

    /// A merge patch.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn merge(&self, path: &str, json: &str) -> Result<String, Refused> {
        self.ask(Method::PATCH, path, Some((MERGE, json)))
    }

    /// Creates an object; `path` is that of its list.
    ///
    /// # Errors
    /// When the server refuses (409: it is there already) or does not answer.
    pub fn create(&self, path: &str, json: &str) -> Result<String, Refused> {
        self.ask(Method::POST, path, Some((JSON, json)))
    }

    /// Replaces an object. With a `resourceVersion` in it, only while nobody else has written it.
    ///
    /// # Errors
    /// When the server refuses (409: somebody wrote it) or does not answer.
    pub fn replace(&self, path: &str, json: &str) -> Result<String, Refused> {
        self.ask(Method::PUT, path, Some((JSON, json)))
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// When the server refuses (404: it is not there) or does not answer.
    pub fn delete(&self, path: &str) -> Result<String, Refused> {
        self.ask(Method::DELETE, path, None)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &str)>,
    ) -> Result<String, Refused> {
        let question = Question {
            method,
            path,
            accept: JSON,
            body,
        };
        self.asker
            .write(&question)
            .map_err(|trouble| match trouble {
                Trouble::Refused {
                    status, message, ..
                } => Refused {
                    status: Some(status),
                    message: if message.is_empty() {
                        format!("the cluster answers with an error ({status})")
                    } else {
                        message
                    },
                },
                Trouble::Lost(error) => Refused {
                    status: None,
                    message: error.message,
                },
            })
    }
}
