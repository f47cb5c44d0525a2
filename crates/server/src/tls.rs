//! The certificate that the webhook shows, exchanged while connections go on.
//!
//! Old connections keep what they agreed on; new ones get the newest certificate. TLS 1.2 and 1.3 on `ring`, as
//! everywhere in seawall. What it deliberately leaves out: asking clients for certificates; API servers show none
//! unless a file beside their configuration says so, which AKS does not offer.

pub mod made;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    File {
        /// the file
        path: String,
        /// the system's words
        reason: String,
    },
    /// The text holds none.
    #[error("there is no {0} in PEM form")]
    Missing(&'static str),
    /// The two do not belong together, or are of no known form.
    #[error("certificate and key cannot be used: {0}")]
    Unfit(String),
}

/// A certificate with its key, ready to be shown.
#[derive(Debug, Clone)]
pub struct Shown {
    key: Arc<CertifiedKey>,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// When it began.
    pub not_before: i64,
}

impl Shown {
    /// From PEM texts: the certificate first, then those that lead to its authority.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub fn of_pem(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| CertificateError::Unfit(error.to_string()))?;
        let Some(first) = chain.first() else {
            return Err(CertificateError::Missing("certificate"));
        };
        let (not_before, not_after) = validity(first)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| CertificateError::Missing("private key"))?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|error| CertificateError::Unfit(error.to_string()))?;
        Ok(Self {
            key: Arc::new(key),
            not_after,
            not_before,
        })
    }

    /// From `tls.crt` and `tls.key` of a folder, as cert-manager and mounted Secrets have them.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub fn of_folder(folder: &Path) -> Result<Self, CertificateError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|error| CertificateError::File {
                path: path.display().to_string(),
                reason: error.to_string(),
            })
        };
        Self::of_pem(&read("tls.crt")?, &read("tls.key")?)
    }

    fn first(&self) -> Option<&CertificateDer<'static>> {
        self.key.cert.first()
    }
}

fn validity(certificate: &CertificateDer<'_>) -> Result<(i64, i64), CertificateError> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|error| CertificateError::Unfit(error.to_string()))?;
    let validity = parsed.validity();
    Ok((
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    ))
}

/// The certificate in use; shared by all connections.
#[derive(Debug)]
pub struct Certificates {
    current: RwLock<Shown>,
}

impl Certificates {
    /// Begins with one.
    #[must_use]
    pub fn new(first: Shown) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(first),
        })
    }

    /// Shows another from now on. Whether it is another.
    pub fn exchange(&self, next: Shown) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let another = current.first() != next.first();
        *current = next;
        another
    }

    /// When the one in use ends, in seconds since 1970.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .not_after
    }

    /// The settings of the server.
    ///
    /// # Errors
    /// Never in practice: the provider knows the default versions.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| CertificateError::Unfit(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current.key))
    }
}
