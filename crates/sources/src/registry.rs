//! Registries of container images: what the names that workloads give lead to, what is in the images, who signed them,
//! and what scanners said of them. Told as objects of kind `Image.seawall.dev`, one for each name.
//!
//! Registries are asked as OCI's distribution specification says, for what workloads of the estate name and for nothing
//! else, and nothing is written there. What it deliberately leaves out: scanning, programs that keep passwords for
//! Docker, and pull secrets of the cluster, which are never read.
//!
//! ```text
//! images that workloads name ─▶ for each: manifest, configuration, base, what refers to it ─▶ images::* ─▶ facts
//!                                         results of scanners (files) ──────────────────────┘
//! ```

mod beside;
mod client;
mod credentials;
mod files;
mod resolve;
mod token;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt as _};
use images::cosign;
use images::notation::trust::Trust as NotationTrust;
use images::scan::{self, Scan, Severity, Vex};
use jiff::Timestamp;
use model::coverage::{DocumentEntry, Status};
use model::image::Reference;
use reqwest::Url;
use tokio::sync::{OnceCell, Semaphore};

use crate::azure::auth::Tokens;
use crate::azure::{SignIn, http};
use crate::live::{Event, Images, LiveError};
use client::{Registry, Trouble, Way};
use credentials::Credentials;
use resolve::Found;
use written::{Facts, Known};

pub use client::Pace;
pub use credentials::docker_config;
pub use images::PublicKey as Key;
pub use images::sigstore::{identity::Identity, root::Root as TrustedRoot};

/// Images that are looked at side by side.
const SIDE_BY_SIDE: usize = 24;

/// What is asked, and of whom.
pub struct Options {
    /// Whether registries are asked; else only results of scanners count.
    pub ask: bool,
    /// Whether layers are read for the names of files.
    pub layers: bool,
    /// Of images for several platforms the one that is looked at: `linux/amd64`.
    pub platform: String,
    /// Whom to trust.
    pub trusted: Trusted,
    /// Results of scanners: the file's name and text.
    pub scans: Vec<(String, String)>,
    /// Docker's `config.json`.
    pub docker: Option<PathBuf>,
    /// How one signs in to Azure's registries.
    pub azure: Option<SignIn>,
    /// Which certificates are trusted.
    pub trust: http::Trust,
    /// How registries are asked.
    pub pace: Pace,
    /// Now.
    pub now: Timestamp,
}

/// Whose signatures count.
#[derive(Debug, Default)]
pub struct Trusted {
    /// By Notation's trust policy.
    notation: Option<NotationTrust>,
    /// Keys of cosign, and who signs without one.
    cosign: cosign::Trust,
}

impl Trusted {
    /// Trusts a key of cosign, by what people call it.
    pub fn trust(&mut self, name: &str, key: Key) {
        self.cosign.keys.push(cosign::Named {
            name: name.to_owned(),
            key,
        });
    }

    /// Trusts whom the authorities of a trusted root of Sigstore name by one of these.
    pub fn trust_identities(&mut self, root: TrustedRoot, identities: Vec<Identity>) {
        self.cosign.root = Some(root);
        self.cosign.identities = identities;
    }

    /// Reads `trustpolicy.json` and `truststore/x509/TYPE/NAME/` of a folder, as Notation keeps them
    /// (<https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md>).
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read_notation(&mut self, folder: &std::path::Path) -> Result<(), LiveError> {
        let wrong = |message: String| LiveError {
            message,
            help: Some(
                "give the folder that holds Notation's trustpolicy.json and truststore".to_owned(),
            ),
        };
        // Since Notation 2 the policy for images has a name of its own.
        let policies = ["trustpolicy.oci.json", "trustpolicy.json"].map(|name| folder.join(name));
        let file = policies.iter().find(|file| file.is_file());
        let Some(file) = file else {
            let shown = folder.display();
            return Err(wrong(format!("there is no trust policy in `{shown}`")));
        };
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| wrong(format!("cannot read `{shown}`: {error}")))?;
        let mut trust = NotationTrust::read(&text)
            .map_err(|why| wrong(format!("`{shown}` is no trust policy: {why}")))?;
        let stores: BTreeSet<String> = trust.wanted().map(str::to_owned).collect();
        for store in stores {
            let Some((kind, name)) = store.split_once(':') else {
                continue;
            };
            let within = folder.join("truststore/x509").join(kind).join(name);
            let Ok(entries) = std::fs::read_dir(&within) else {
                let shown = within.display();
                return Err(wrong(format!("there is no trust store `{shown}`")));
            };
            for entry in entries.flatten() {
                let bytes = std::fs::read(entry.path());
                let bytes = bytes.map_err(|error| {
                    wrong(format!("cannot read `{}`: {error}", entry.path().display()))
                })?;
                trust
                    .add(&store, &bytes)
                    .map_err(|why| wrong(format!("`{}`: {why}", entry.path().display())))?;
            }
        }
        self.notation = Some(trust);
        Ok(())
    }
}

/// What is asked of each image.
pub(crate) struct Asking {
    layers: bool,
    platform: String,
    trusted: Trusted,
    now: Timestamp,
}

/// The layers of a base, asked for once.
type Base = OnceCell<Known<BTreeSet<String>>>;

/// Registries, each of which is asked by one client.
pub(crate) struct Registries<'t> {
    client: reqwest::Client,
    plain: reqwest::Client,
    credentials: Credentials,
    azure: Option<&'t Tokens>,
    pace: Pace,
    known: Mutex<HashMap<String, Arc<Registry<'t>>>>,
    bases: Mutex<HashMap<String, Arc<Base>>>,
    /// Layers are read one image at a time, or two.
    layers: Semaphore,
}

impl<'t> Registries<'t> {
    fn of(&self, host: &str) -> Result<Arc<Registry<'t>>, Trouble> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = known.get(host) {
            return Ok(Arc::clone(registry));
        }
        let here = is_loopback(host);
        // Docker Hub's registry has another name than its images.
        let name = if host == "docker.io" {
            "registry-1.docker.io"
        } else {
            host
        };
        let scheme = if here { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{name}/"))
            .map_err(|_| Trouble::of(0, format!("`{host}` is no address of a registry")))?;
        let client = if here { &self.plain } else { &self.client };
        let credential = self.credentials.of(host);
        let way = Way {
            client: client.clone(),
            base,
            pace: self.pace.clone(),
            helper: match credential {
                Some(_) => None,
                None => self.credentials.helper(host).map(str::to_owned),
            },
            credential,
            azure: self.azure,
        };
        let registry = Arc::new(Registry::new(host, way));
        known.insert(host.to_owned(), Arc::clone(&registry));
        Ok(registry)
    }
}

/// Whether a host is this machine: container runtimes ask there without TLS
/// (<https://docs.docker.com/reference/cli/dockerd/#insecure-registries>).
fn is_loopback(host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Registries as a source.
pub struct Source {
    options: Options,
    images: Images,
    asked: usize,
}

impl Source {
    /// With what is asked.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            images: Images::default(),
            asked: 0,
        }
    }

    /// What scanners said, and what of it does not count.
    fn results(
        &self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(Vec<Scan>, Vec<Vex>), LiveError> {
        let (mut scans, mut excuses) = (Vec::new(), Vec::new());
        for (name, text) in &self.options.scans {
            match scan::read(text) {
                Ok(scan::Read::Scans(read)) => scans.extend(read),
                Ok(scan::Read::Vex(vex)) => excuses.push(vex),
                Err(why) => tell(unread(name, &why, None))?,
            }
        }
        Ok((scans, excuses))
    }

    fn found(
        &self,
        runtime: &tokio::runtime::Runtime,
        tokens: Option<&Tokens>,
        asking: &Asking,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<Vec<Found>, LiveError> {
        let docker = self.options.docker.as_deref();
        let credentials = docker.map_or_else(|| Ok(Credentials::default()), Credentials::read);
        let credentials = credentials.map_err(|message| LiveError {
            message,
            help: Some("DOCKER_CONFIG names the folder of Docker's config.json".to_owned()),
        })?;
        let client = |plain| {
            let (trust, timeout) = (&self.options.trust, self.options.pace.timeout);
            http::client(trust, timeout, plain).map_err(|message| LiveError {
                message,
                help: None,
            })
        };
        let all = Registries {
            client: client(false)?,
            plain: client(true)?,
            credentials,
            azure: tokens,
            pace: self.options.pace.clone(),
            known: Mutex::default(),
            bases: Mutex::default(),
            layers: Semaphore::new(2),
        };
        let count = self.images.len();
        let mut found = Vec::with_capacity(count);
        runtime.block_on(async {
            let mut work = stream::iter(&self.images)
                .map(|(reference, used)| resolve::image(&all, reference, &used.running, asking))
                .buffered(SIDE_BY_SIDE);
            while let Some(one) = work.next().await {
                found.push(one);
                tell(Event::Doing(format!("image {} of {count}", found.len())))?;
            }
            Ok(found)
        })
    }
}

impl crate::live::Source for Source {
    fn name(&self) -> String {
        match (self.options.ask, self.asked) {
            (true, 1) => "1 image".to_owned(),
            (true, count) => format!("{count} images"),
            (false, _) => "results of scanners".to_owned(),
        }
    }

    fn images(&mut self, images: &Images) {
        self.images.clone_from(images);
    }

    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        self.asked = self.images.len();
        let (scans, excuses) = self.results(tell)?;
        let asking = Asking {
            layers: self.options.layers,
            platform: self.options.platform.clone(),
            trusted: std::mem::take(&mut self.options.trusted),
            now: self.options.now,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| LiveError {
                message: error.to_string(),
                help: None,
            })?;
        let sign_in = self.options.azure.as_ref();
        let tokens = sign_in.map(SignIn::tokens).transpose();
        let tokens = tokens.map_err(|message| LiveError {
            message,
            help: None,
        })?;
        let found = if self.options.ask {
            self.found(&runtime, tokens.as_ref(), &asking, tell)?
        } else {
            let why = "its registry was not asked (`--images`)";
            self.images
                .iter()
                .map(|_| Found::nothing(why, None))
                .collect()
        };
        let images = std::mem::take(&mut self.images);
        for ((reference, used), mut one) in images.into_iter().zip(found) {
            // Where layers were asked for, a key says so, whatever became of it.
            if asking.layers && one.files.is_none() {
                one.files = Some(Err(one.digest.as_ref().err().cloned().unwrap_or_default()));
            }
            if let Some(trouble) = one.trouble.take() {
                let name = reference.to_string();
                tell(unread(&name, &trouble.why, trouble.help.as_deref()))?;
            }
            one.digests.extend(used.running.iter().cloned());
            one.digests
                .extend(reference.digest.iter().map(|digest| digest.to_string()));
            let (scans, vulnerabilities) = scanned(&scans, &excuses, &reference, &one.digests);
            let facts = Facts {
                reference,
                running: used.running,
                used_by: used.used_by,
                now: asking.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                asked: self.options.ask,
                exists: one.exists,
                digest: one.digest,
                moved: one.moved,
                content: one.content,
                signatures: one.signatures,
                attestations: one.attestations,
                files: one.files,
                scans,
                vulnerabilities,
            };
            tell(Event::Kept(Box::new(facts.kept())))?;
        }
        tell(Event::Complete {
            kind: KIND.into(),
            within: Box::default(),
        })
    }
}

/// The kind, as guidelines name it.
const KIND: &str = "Image.seawall.dev";

/// Which tools scanned an image, and when; `None` where no results were given.
type Scanned = Option<Known<Vec<(String, Option<String>)>>>;

/// What scanners said of an image. Of one that nobody scanned nothing is known.
fn scanned(
    scans: &[Scan],
    excuses: &[Vex],
    reference: &Reference,
    digests: &BTreeSet<String>,
) -> (Scanned, Vec<scan::Vulnerability>) {
    let name = reference.name_and_tag();
    let own: Vec<&Scan> = scans
        .iter()
        .filter(|scan| scan.is_about(digests, &name))
        .collect();
    if scans.is_empty() {
        return (None, Vec::new());
    }
    if own.is_empty() {
        let why = "no result of a scanner that was given is about it";
        return (Some(Err(why.to_owned())), Vec::new());
    }
    // Scanners find the same: each package's vulnerability once, as bad as the worst says.
    let mut all: BTreeMap<(String, String), scan::Vulnerability> = BTreeMap::new();
    for one in own.iter().flat_map(|scan| &scan.vulnerabilities) {
        let key = (one.id.clone(), one.package.clone());
        all.entry(key)
            .and_modify(|known| join(known, one))
            .or_insert_with(|| one.clone());
    }
    let mut all: Vec<scan::Vulnerability> = all.into_values().collect();
    for excuse in excuses {
        excuse.excuse(digests, &reference.name(), &mut all);
    }
    all.sort_by(|one, other| {
        let key = |one: &scan::Vulnerability| {
            (
                std::cmp::Reverse(one.severity),
                one.id.clone(),
                one.package.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    let tools = own.iter().map(|scan| (scan.tool.clone(), scan.at.clone()));
    (Some(Ok(tools.collect())), all)
}

/// Two scanners say it of one package.
fn join(known: &mut scan::Vulnerability, other: &scan::Vulnerability) {
    known.severity = match (known.severity, other.severity) {
        (Severity::Unknown, other) => other,
        (own, other) => own.max(other),
    };
    if known.fixed.is_empty() {
        known.fixed.clone_from(&other.fixed);
    }
    known.published = known.published.take().or_else(|| other.published.clone());
    // What one leaves out and the other counts, counts.
    if other.excused.is_none() {
        known.excused = None;
    }
}

/// A line of the ledger about what could not be read.
fn unread(path: &str, why: &str, help: Option<&str>) -> Event {
    Event::Entry(Box::new(DocumentEntry {
        path: path.into(),
        live: true,
        index: 0,
        line: 1,
        status: Status::Unreadable,
        kind: Some("Image".into()),
        namespace: None,
        name: Some(path.into()),
        reason: Some(why.into()),
        help: help.map(Into::into),
    }))
}
