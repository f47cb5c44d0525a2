//! The certificates that an API server shows: when they end, and how strong their keys are.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use kube::client::ConfigExt as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

const PATIENCE: Duration = Duration::from_secs(5);

/// Shakes hands and hangs up. Nothing is known through a proxy, or where the hands are not shaken.
pub(super) fn shown(config: &kube::Config) -> Vec<CertificateDer<'static>> {
    shake(config).unwrap_or_default()
}

fn shake(config: &kube::Config) -> Option<Vec<CertificateDer<'static>>> {
    let url = &config.cluster_url;
    if config.proxy_url.is_some() || url.scheme_str() != Some("https") {
        return None;
    }
    let host = url.host()?.trim_matches(['[', ']']);
    let address = (host, url.port_u16().unwrap_or(443))
        .to_socket_addrs()
        .ok()?
        .next()?;
    let name = config.tls_server_name.as_deref().unwrap_or(host);
    let name = ServerName::try_from(name.to_owned()).ok()?;
    let tls = Arc::new(config.rustls_client_config().ok()?);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut connection = rustls::ClientConnection::new(tls, name).ok()?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    let shown = connection.peer_certificates()?;
    Some(
        shown
            .iter()
            .map(|certificate| certificate.clone().into_owned())
            .collect(),
    )
}

/// A certificate in the words of guidelines.
pub(super) fn describe(of: &str, der: &[u8]) -> Option<Value> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let ends = certificate.validity().not_after.to_datetime();
    let not_after = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        ends.year(),
        u8::from(ends.month()),
        ends.day(),
        ends.hour(),
        ends.minute(),
        ends.second()
    );
    let key = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(key)) => format!("EC {}", key.key_size()),
        _ => "unknown".to_owned(),
    };
    Some(json!({"of": of, "notAfter": not_after, "key": key}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_when_it_ends_and_how_strong_it_is() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut wanted =
            rcgen::CertificateParams::new(vec!["shop.example.com".to_owned()]).unwrap();
        wanted.not_after = rcgen::date_time_ymd(2027, 3, 4);
        let made = wanted.self_signed(&key).unwrap();
        assert_eq!(
            describe("API server", made.der()),
            Some(json!({"of": "API server", "notAfter": "2027-03-04T00:00:00Z", "key": "EC 256"}))
        );
        assert_eq!(describe("API server", b"nonsense"), None);
    }
}
