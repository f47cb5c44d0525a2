//! One API server with its etcd, and controllers when asked for.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::certificate::authority;
use crate::client::Client;
use crate::guard::Guard;
use crate::{Error, Options, Result, User, part};

/// How long a server may take to get ready: about five seconds on an idle
/// machine, much more beside compilers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The files of the keys of service account tokens.
const SIGN: &str = "service-accounts.key";
const CHECK: &str = "service-accounts.pub";

/// The files of the authority that client certificates are trusted from.
const CLIENT_CA: &str = "clients.crt";
const CLIENT_CA_KEY: &str = "clients.key";

/// A running API server, empty but for what Kubernetes creates itself. It ends
/// when dropped, or with this process; its folder is deleted then.
#[derive(Debug)]
pub struct ApiServer {
    // In this order, so that no part outlives one that it needs.
    _controllers: Option<Guard>,
    server: Mutex<Option<Guard>>,
    etcd: Guard,
    /// The program of the server and its flags, to start it again.
    command: (PathBuf, Vec<String>),
    client: Client,
    folder: PathBuf,
    url: String,
    ca: String,
    users: Vec<(User, String)>,
}

impl ApiServer {
    /// Starts the default server: see [`Options`].
    pub fn start() -> Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts a server and waits until it is ready.
    pub fn start_with(options: &Options) -> Result<Self> {
        let begin = Instant::now();
        loop {
            match Self::attempt(options) {
                // Another process may take a free port before the server does.
                Err(Error::Process { log, .. })
                    if log.contains("address already in use") && begin.elapsed() < PATIENCE => {}
                other => return other,
            }
        }
    }

    fn attempt(options: &Options) -> Result<Self> {
        let (server, etcd) = (part("kube-apiserver")?, part("etcd")?);
        let folder = new_folder()?;
        let users = sign_in(options)?;
        write(&folder, "tokens.csv", &token_file(&users))?;
        signing_key(&folder)?;
        let [client_port, peer_port, port] = free_ports()?;
        let flags = etcd_flags(&folder, client_port, peer_port);
        let mut etcd = Guard::start(&etcd, &flags, &folder, true)?;
        let command = (server, server_flags(options, &folder, client_port, port)?);
        let mut server = Guard::start(&command.0, &command.1, &folder, false)?;
        let url = format!("https://127.0.0.1:{port}");
        let admin = users.first().map(|(_, token)| token.clone());
        let admin = admin.unwrap_or_default();
        let (client, ca) = ready(&mut etcd, &mut server, &folder, &url, &admin)?;
        write(&folder, "kubeconfig", &kubeconfig(&url, &ca, &admin))?;
        let controllers = if options.controllers.is_empty() {
            None
        } else {
            let program = part("kube-controller-manager")?;
            let flags = controller_flags(options, &folder);
            Some(Guard::start(&program, &flags, &folder, false)?)
        };
        Ok(Self {
            _controllers: controllers,
            server: Mutex::new(Some(server)),
            etcd,
            command,
            client,
            folder,
            url,
            ca,
            users,
        })
    }

    /// Kills the server; what it stored stays.
    pub fn kill(&self) {
        *self.own() = None;
    }

    fn own(&self) -> MutexGuard<'_, Option<Guard>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has etcd stop where it stands, or go on: nothing is answered that has to be read from it or written.
    pub fn etcd(&self, goes_on: bool) -> Result<()> {
        self.etcd.signal(if goes_on { "CONT" } else { "STOP" })
    }

    /// Starts it again after [`ApiServer::kill`], at the same address, and waits until it is ready.
    pub fn revive(&self) -> Result<()> {
        let (program, flags) = &self.command;
        let mut server = Guard::start(program, flags, &self.folder, false)?;
        let begin = Instant::now();
        while !matches!(self.request("GET", "/readyz", None), Ok((200, _))) {
            server.alive()?;
            if begin.elapsed() > PATIENCE {
                return Err(server.failed("was not ready in time"));
            }
            thread::sleep(Duration::from_millis(100));
        }
        *self.own() = Some(server);
        Ok(())
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of `admin`, who is in `system:masters`.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token_of("admin")
    }

    /// The token of a user of [`Options::user`]; empty, which is
    /// `system:anonymous`, when there is no such user.
    #[must_use]
    pub fn token_of(&self, user: &str) -> &str {
        self.users
            .iter()
            .find(|(known, _)| known.name == user)
            .map_or("", |(_, token)| token)
    }

    /// The certificate to trust, as PEM.
    #[must_use]
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// A kubeconfig file of `admin`.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Writes and returns a kubeconfig file of a user of [`Options::user`].
    pub fn kubeconfig_of(&self, user: &str) -> Result<PathBuf> {
        let name = format!("kubeconfig-{}", user.replace(['/', ':'], "-"));
        let text = kubeconfig(&self.url, &self.ca, self.token_of(user));
        write(&self.folder, &name, &text)?;
        Ok(self.folder.join(name))
    }

    /// The audit events as JSON lines, with [`Options::audit`].
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// A request as `admin`: the status and the body (JSON, or a string when it
    /// is something else). The method `APPLY` is server-side apply, `PATCH` a
    /// merge patch.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        self.request_as(self.token(), method, path, body)
    }

    /// The same as whoever the token belongs to.
    pub fn request_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let (status, answer, _) = self.client.request(token, method, path, body)?;
        Ok((status, answer))
    }

    /// The same with further headers, for instance `Impersonate-User`.
    pub fn request_with(
        &self,
        token: &str,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let (status, answer, _) = self
            .client
            .request_with(token, headers, method, path, body)?;
        Ok((status, answer))
    }

    /// The same as whoever a client certificate names, with [`Options::signing`];
    /// it and its key are PEM.
    pub fn request_certified(
        &self,
        certificate: &str,
        key: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let client = Client::certified(&self.url, &self.ca, certificate, key)?;
        let (status, answer, _) = client.request("", method, path, body)?;
        Ok((status, answer))
    }

    /// The same as `admin`, with the warnings of admission.
    pub fn request_warned(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value, Vec<String>)> {
        self.client.request(self.token(), method, path, body)
    }

    /// Asks again until `wanted` is true of the answer, for at most half a
    /// minute; the last answer either way. Admission policies, RBAC caches and
    /// controllers take effect a moment after they are written.
    pub fn eventually(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wanted: impl Fn(u16, &Value) -> bool,
    ) -> Result<(u16, Value)> {
        let begin = Instant::now();
        loop {
            let (status, answer) = self.request(method, path, body)?;
            if wanted(status, &answer) || begin.elapsed() > Duration::from_secs(30) {
                return Ok((status, answer));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A folder of this server alone; it holds tokens, so nobody else reads it.
pub(crate) fn new_folder() -> Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("seawall-oracle-{}-{count}", process::id());
    let folder = env::temp_dir().join(name);
    // A killed process with the same number may have left its own behind.
    let _ = fs::remove_dir_all(&folder);
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(Error::io(&folder))?;
    Ok(folder)
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(Error::io(&path))
}

/// Different ports that nobody listens on.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    // Held together, or the system may give the same port twice.
    let held = (0..N).map(|_| TcpListener::bind(("127.0.0.1", 0)));
    let ports = held.collect::<io::Result<Vec<_>>>().and_then(|held| {
        let ports = held
            .iter()
            .map(|listener| Ok(listener.local_addr()?.port()));
        ports.collect::<io::Result<Vec<u16>>>()
    });
    let ports = ports.map_err(Error::io("127.0.0.1"))?;
    ports
        .try_into()
        .map_err(|_| Error::Answer("no ports".to_owned()))
}

/// `admin` and whom the test asked for, each with a token.
fn sign_in(options: &Options) -> Result<Vec<(User, String)>> {
    let admin = User {
        name: "admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
    };
    [&admin]
        .into_iter()
        .chain(&options.users)
        .map(|user| {
            let mut bytes = [0; 16];
            SystemRandom::new()
                .fill(&mut bytes)
                .map_err(|_| Error::Answer("no random numbers".to_owned()))?;
            let token = bytes.iter().fold(String::new(), |mut token, byte| {
                let _ = write!(token, "{byte:02x}");
                token
            });
            Ok((user.clone(), token))
        })
        .collect()
}

/// kube-apiserver's static token file: token, name, uid, groups.
fn token_file(users: &[(User, String)]) -> String {
    users
        .iter()
        .map(|(user, token)| {
            let (name, groups) = (&user.name, user.groups.join(","));
            format!("{token},\"{name}\",\"{name}\",\"{groups}\"\n")
        })
        .collect()
}

/// What comes before the point of a P-256 key in a SubjectPublicKeyInfo (RFC
/// 5480): the sequence, ecPublicKey, prime256v1, the bit string.
const P256_PUBLIC: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The key that signs service account tokens, and the one that checks them.
fn signing_key(folder: &Path) -> Result<()> {
    let failed = |_| Error::Answer("no key for service accounts".to_owned());
    let (curve, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let private = EcdsaKeyPair::generate_pkcs8(curve, &random).map_err(failed)?;
    let pair = EcdsaKeyPair::from_pkcs8(curve, private.as_ref(), &random)
        .map_err(|_| Error::Answer("no key for service accounts".to_owned()))?;
    let public = [&P256_PUBLIC[..], pair.public_key().as_ref()].concat();
    write(folder, SIGN, &pem("PRIVATE KEY", private.as_ref()))?;
    write(folder, CHECK, &pem("PUBLIC KEY", &public))
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----");
    for (index, letter) in STANDARD.encode(der).chars().enumerate() {
        if index % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text + &format!("\n-----END {label}-----\n")
}

fn flags(lines: &str) -> Vec<String> {
    lines.split_whitespace().map(str::to_owned).collect()
}

fn file_flag(name: &str, folder: &Path, file: &str) -> String {
    format!("--{name}={}", folder.join(file).display())
}

fn etcd_flags(folder: &Path, client: u16, peer: u16) -> Vec<String> {
    let mut all = flags(&format!(
        "--listen-client-urls=http://127.0.0.1:{client}
         --advertise-client-urls=http://127.0.0.1:{client}
         --listen-peer-urls=http://127.0.0.1:{peer}
         --initial-advertise-peer-urls=http://127.0.0.1:{peer}
         --initial-cluster=default=http://127.0.0.1:{peer}
         --unsafe-no-fsync --log-level=warn"
    ));
    all.push(file_flag("data-dir", folder, "etcd"));
    all
}

fn server_flags(options: &Options, folder: &Path, etcd: u16, port: u16) -> Result<Vec<String>> {
    let mut all = flags(&format!(
        "--etcd-servers=http://127.0.0.1:{etcd}
         --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port={port}
         --endpoint-reconciler-type=none
         --authorization-mode=RBAC
         --allow-privileged=true
         --service-cluster-ip-range=10.96.0.0/16
         --service-account-issuer=https://kubernetes.default.svc.cluster.local"
    ));
    for (name, file) in [
        ("cert-dir", "certificates"),
        ("token-auth-file", "tokens.csv"),
        ("service-account-key-file", CHECK),
        ("service-account-signing-key-file", SIGN),
    ] {
        all.push(file_flag(name, folder, file));
    }
    if options.controllers.is_empty() {
        // Nothing creates the service accounts that it would ask for.
        all.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    if options.signs {
        let (certificate, key) = authority("clients")?;
        write(folder, CLIENT_CA, &certificate)?;
        write(folder, CLIENT_CA_KEY, &key)?;
        all.push(file_flag("client-ca-file", folder, CLIENT_CA));
    }
    if options.audit {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "RequestResponse"}],
        });
        write(folder, "audit-policy.yaml", &policy.to_string())?;
        all.push(file_flag("audit-policy-file", folder, "audit-policy.yaml"));
        all.push(file_flag("audit-log-path", folder, "audit.log"));
        all.push("--audit-log-mode=blocking".to_owned());
    }
    all.extend(options.flags.iter().cloned());
    Ok(all)
}

fn controller_flags(options: &Options, folder: &Path) -> Vec<String> {
    let mut all = flags("--secure-port=0 --leader-elect=false");
    let mut controllers = options.controllers.join(",");
    if options.signs {
        controllers.push_str(",certificatesigningrequest-signing-controller");
        all.push(file_flag("cluster-signing-cert-file", folder, CLIENT_CA));
        all.push(file_flag("cluster-signing-key-file", folder, CLIENT_CA_KEY));
    }
    all.push(format!("--controllers={controllers}"));
    for (name, file) in [
        ("kubeconfig", "kubeconfig"),
        ("service-account-private-key-file", SIGN),
        ("root-ca-file", "certificates/apiserver.crt"),
    ] {
        all.push(file_flag(name, folder, file));
    }
    all
}

/// Waits for `/readyz`, and for RBAC's bootstrap roles, which it includes.
fn ready(
    etcd: &mut Guard,
    server: &mut Guard,
    folder: &Path,
    url: &str,
    token: &str,
) -> Result<(Client, String)> {
    let begin = Instant::now();
    let certificate = folder.join("certificates/apiserver.crt");
    loop {
        etcd.alive()?;
        server.alive()?;
        if let Ok(pem) = fs::read_to_string(&certificate)
            && let Ok(client) = Client::new(url, &pem)
            && let Ok((200, ..)) = client.request(token, "GET", "/readyz", None)
        {
            return Ok((client, pem));
        }
        if begin.elapsed() > PATIENCE {
            return Err(server.failed("was not ready in time"));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn kubeconfig(url: &str, ca: &str, token: &str) -> String {
    let name = "oracle";
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {
            "server": url,
            "certificate-authority-data": STANDARD.encode(ca),
        }}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    });
    format!("{config:#}\n")
}
