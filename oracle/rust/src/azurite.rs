//! Blob storage of its own for each test that asks for it: Azurite, Microsoft's emulator, over TLS and with tokens, as
//! Azure has it.
//!
//! It checks what a token claims (audience, times, issuer) and not who signed it.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::client::Client;
use crate::guard::Guard;
use crate::server::{PATIENCE, free_ports, new_folder, write};
use crate::{Error, Result, fixture, part};

/// The account that the emulator has.
const ACCOUNT: &str = "devstoreaccount1";

/// A running emulator. It ends when dropped; its folder is deleted then.
#[derive(Debug)]
pub struct Azurite {
    server: Option<Guard>,
    command: (PathBuf, Vec<String>),
    folder: PathBuf,
    address: String,
    certificate: String,
}

impl Azurite {
    /// Starts it, empty, and waits until it listens.
    pub fn start() -> Result<Self> {
        let (node, script) = (part("node")?, script()?);
        let folder = new_folder()?;
        let failed = |error: rcgen::Error| Error::Answer(error.to_string());
        let made =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).map_err(failed)?;
        let certificate = made.cert.pem();
        write(&folder, "tls.crt", &certificate)?;
        write(&folder, "tls.key", &made.signing_key.serialize_pem())?;
        let [port] = free_ports()?;
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let arguments = [
            &script,
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            &port.to_string(),
            "--location",
            &file("data"),
            "--cert",
            &file("tls.crt"),
            "--key",
            &file("tls.key"),
            "--oauth",
            "basic",
            // It would tell Microsoft that it was started.
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--silent",
        ];
        let arguments = arguments.map(str::to_owned).to_vec();
        let mut azurite = Self {
            server: None,
            command: (node, arguments),
            folder,
            address: format!("127.0.0.1:{port}"),
            certificate,
        };
        azurite.revive()?;
        Ok(azurite)
    }

    /// Kills it. What it has written down stays: it does so every few seconds.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it again after [`Azurite::kill`], at the same address, and waits until it listens.
    pub fn revive(&mut self) -> Result<()> {
        let (program, arguments) = &self.command;
        let mut server = Guard::start(program, arguments, &self.folder, false)?;
        let begin = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            server.alive()?;
            if begin.elapsed() > PATIENCE {
                return Err(server.failed("was not ready in time"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.server = Some(server);
        Ok(())
    }

    /// `https://127.0.0.1:PORT/ACCOUNT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}/{ACCOUNT}", self.address)
    }

    /// Its certificate, PEM, which is its own authority.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Makes a container.
    pub fn container(&self, name: &str) -> Result<()> {
        let client = Client::new(&format!("https://{}", self.address), &self.certificate)?;
        let path = format!("/{ACCOUNT}/{name}?restype=container");
        let headers = [("x-ms-version", "2021-12-02")];
        let (status, answer, _) = client.request_with(&token(), &headers, "PUT", &path, None)?;
        if status == 201 {
            Ok(())
        } else {
            Err(Error::Answer(format!("{status} {answer}")))
        }
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn script() -> Result<String> {
    let script = fixture("azurite")?.join("node_modules/azurite/dist/src/blob/main.js");
    Ok(script.to_string_lossy().into_owned())
}

/// A token for storage, as Microsoft Entra would give it but for its signature.
#[must_use]
pub fn token() -> String {
    let claims = json!({
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
        "iat": 1, "nbf": 1, "exp": 4_102_444_800_u64,
        "tid": "11111111-1111-1111-1111-111111111111",
        "oid": "bbbbbbbb-0000-4000-8000-000000000002",
    });
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let parts = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!(
        "{}.{}.{}",
        parts[0],
        parts[1],
        URL_SAFE_NO_PAD.encode("unsigned")
    )
}
