//! The flags of registries and of results of scanners.

use std::path::PathBuf;
use std::time::Duration;

use sources::azure::Trust;
use sources::live::Source;
use sources::registry::{self, Identity, Key, Options, Pace, Trusted, TrustedRoot};

use super::azure::{AzureArgs, SignIn};
use super::estate::Stopped;
use crate::failure::Failure;

/// What is asked of registries, and what scanners said.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct RegistryArgs {
    /// Ask registries about every image that workloads name: digest, age, user, signatures
    #[arg(long)]
    pub(crate) images: bool,
    /// With --images: read layers too, for the names of shells, package managers, sudo and SSH
    #[arg(long)]
    pub(crate) layers: bool,
    /// Of images for several platforms, the one that is looked at
    #[arg(long, value_name = "OS/ARCH", default_value = "linux/amd64")]
    pub(crate) platform: String,
    /// Folder with Notation's trustpolicy.json and truststore: whose signatures count
    #[arg(long, value_name = "DIR")]
    pub(crate) notation: Option<PathBuf>,
    /// A public key of cosign (PEM): whose signatures count; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) cosign_key: Vec<PathBuf>,
    /// Sigstore's trusted_root.json: whose certificates count in signatures without keys (keyless)
    #[arg(long, value_name = "FILE")]
    pub(crate) cosign_trusted_root: Option<PathBuf>,
    /// Who may sign without a key: who says who they are, and as whom; repeatable
    #[arg(long, value_name = "ISSUER=SUBJECT")]
    pub(crate) cosign_identity: Vec<String>,
    /// The same as regular expressions, which match anywhere in the text unless anchored; repeatable
    #[arg(long, value_name = "ISSUER=SUBJECT")]
    pub(crate) cosign_identity_regexp: Vec<String>,
    /// How to sign in to Azure's registries [default: what `docker login` kept]
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) acr_auth: Option<SignIn>,
    /// Results of a scanner (Trivy, Grype, Defender, SARIF, CycloneDX) or VEX; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) scan: Vec<PathBuf>,
}

impl RegistryArgs {
    /// Whether it matters which images workloads name.
    pub(crate) const fn asks(&self) -> bool {
        self.images || !self.scan.is_empty()
    }

    /// The source, when anything is asked for.
    pub(crate) fn source(&self, azure: &AzureArgs) -> anyhow::Result<Option<Box<dyn Source>>> {
        let more = [
            (self.layers, "--layers"),
            (self.notation.is_some(), "--notation"),
            (!self.cosign_key.is_empty(), "--cosign-key"),
            (self.cosign_trusted_root.is_some(), "--cosign-trusted-root"),
            (!self.cosign_identity.is_empty(), "--cosign-identity"),
            (
                !self.cosign_identity_regexp.is_empty(),
                "--cosign-identity-regexp",
            ),
            (self.acr_auth.is_some(), "--acr-auth"),
        ];
        if let (false, Some((_, flag))) = (self.images, more.iter().find(|(given, _)| *given)) {
            return Err(
                Failure::new(format!("`{flag}` asks registries for nothing"))
                    .help("add `--images`, which asks them")
                    .into(),
            );
        }
        if !self.asks() {
            return Ok(None);
        }
        let pace = Pace::default();
        let azure = match self.acr_auth {
            Some(how) => Some(azure.sign_in_as(how, Duration::from_secs(30))?),
            None => None,
        };
        Ok(Some(Box::new(registry::Source::new(Options {
            ask: self.images,
            layers: self.layers,
            platform: self.platform.clone(),
            trusted: self.trusted()?,
            scans: self.scans()?,
            docker: registry::docker_config(),
            azure,
            trust: Trust::default(),
            pace,
            now: jiff::Timestamp::now(),
        }))))
    }

    fn trusted(&self) -> anyhow::Result<Trusted> {
        let mut trusted = Trusted::default();
        if let Some(folder) = &self.notation {
            trusted.read_notation(folder).map_err(Stopped::Live)?;
        }
        for file in &self.cosign_key {
            let shown = file.display();
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
            let key = Key::from_pem(&text).ok_or_else(|| {
                Failure::new(format!("`{shown}` is no public key of cosign")).help(
                    "give what `cosign generate-key-pair` calls cosign.pub, or `cosign public-key` prints",
                )
            })?;
            let name = file.file_name().unwrap_or(file.as_os_str());
            trusted.trust(&name.to_string_lossy(), key);
        }
        let identities = self.identities()?;
        if let Some(file) = &self.cosign_trusted_root {
            if identities.is_empty() {
                let why = "`--cosign-trusted-root` says whose certificates count, not who may sign";
                return Err(Failure::new(why)
                    .help("add `--cosign-identity ISSUER=SUBJECT`")
                    .into());
            }
            let shown = file.display();
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
            let root = TrustedRoot::read(&text).map_err(|why| {
                Failure::new(format!("`{shown}` is no trusted root of Sigstore: {why}")).help(
                    "give what `cosign trusted-root create` prints, or the public one: `cosign initialize` keeps it as ~/.sigstore/root/tuf-repo-cdn.sigstore.dev/targets/trusted_root.json",
                )
            })?;
            trusted.trust_identities(root, identities);
        } else if !identities.is_empty() {
            let why = "`--cosign-identity` says who may sign, not whose certificates count";
            return Err(Failure::new(why)
                .help("add `--cosign-trusted-root trusted_root.json`")
                .into());
        }
        Ok(trusted)
    }

    /// Who may sign without a key.
    fn identities(&self) -> anyhow::Result<Vec<Identity>> {
        let exact = self
            .cosign_identity
            .iter()
            .map(|text| Identity::exactly(text));
        let like = self
            .cosign_identity_regexp
            .iter()
            .map(|text| Identity::like(text));
        exact
            .chain(like)
            .map(|identity| {
                identity.map_err(|why| {
                    Failure::new(why)
                        .help("for instance `https://accounts.google.com=me@example.com`")
                        .into()
                })
            })
            .collect()
    }

    fn scans(&self) -> anyhow::Result<Vec<(String, String)>> {
        let read = |file: &PathBuf| {
            let shown = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("cannot read `{shown}`: {error}")).help(
                    "give what a scanner wrote, for instance `trivy image -f json -o FILE IMAGE`",
                )
            })?;
            Ok((shown, text))
        };
        self.scan.iter().map(read).collect()
    }
}
