//! What every command reads an estate from: paths, a live cluster, live Azure, snapshots.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ::guide::Guide;
use model::coverage::{Coverage, DocumentEntry, Status};
use model::kinds::Kind;
use model::manifest::Reader;
use model::{Estate, Scope};
use report::config::Config;
use sources::cluster::{self, Cluster};
use sources::live::{LiveError, Patience, Source};
use sources::node::NodeRoot;
use sources::probe::Reports;
use sources::snapshot::{self, Configuration, Snapshot};
use sources::{Given, Input, Options, Tools};

use super::assess;
use super::azure::AzureArgs;
use super::registries::RegistryArgs;
use crate::choices;
use crate::failure::Failure;
use crate::progress::Progress;

/// Where the estate is read from.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct EstateArgs {
    /// Files and folders; `-` for standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Values for Helm charts; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
    /// Parameter files for templates (JSON, .tfvars) instead of those beside them;
    /// repeatable, a later one counts more
    #[arg(long, value_name = "FILE")]
    pub(crate) parameters: Vec<PathBuf>,
    /// Folder with published Bicep modules, laid out as in ~/.bicep/br or PATH/VERSION/main.json;
    /// repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) module_cache: Vec<PathBuf>,
    /// The given files are the whole estate: what is absent does not exist
    #[arg(long)]
    pub(crate) whole: bool,
    /// A running cluster: the kubeconfig's current context, or this pod's own cluster
    #[arg(long)]
    pub(crate) cluster: bool,
    /// Context of the kubeconfig to use with `--cluster`
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) context: Option<String>,
    /// Kubeconfig to use with `--cluster` [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Of the cluster only this namespace (and what belongs to none); repeatable
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) namespace: Vec<String>,
    /// Read names and labels of the cluster's Secrets too; their values are never asked for
    #[arg(long, requires = "cluster")]
    pub(crate) secrets: bool,
    /// A snapshot that `seawall snapshot` took; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Vec<PathBuf>,
    /// The root folder of a node, to judge the node too (`seawall node` judges it alone); repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) node: Vec<PathBuf>,
    /// What probes saw (`seawall probe`), to be held against what policies say; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) probed: Vec<PathBuf>,
    /// What the node is called
    #[arg(skip)]
    pub(crate) node_name: Option<String>,
    #[command(flatten)]
    pub(crate) azure: AzureArgs,
    #[command(flatten)]
    pub(crate) registries: RegistryArgs,
    /// What was rendered, when the same is read several times
    #[arg(skip)]
    pub(crate) renderings: sources::Renderings,
    /// What audit logs say beside the configuration: keys of `params`
    #[arg(skip)]
    pub(crate) learned: OnceLock<serde_json::Value>,
    /// Texts that an editor has open: files are read as these
    #[arg(skip)]
    pub(crate) open: sources::Overlay,
}

impl EstateArgs {
    /// Opens what is given.
    pub(crate) fn open(&self) -> anyhow::Result<Opened> {
        choices::inputs_exist(&self.parameters, &self.module_cache)?;
        if self.whole && !self.namespace.is_empty() {
            return Err(
                Failure::new("`--whole` and `--namespace` contradict each other")
                    .help("leave one of them out: of a few namespaces a cluster is not whole")
                    .into(),
            );
        }
        for (at, file) in self.snapshot.iter().enumerate() {
            if self.snapshot.iter().take(at).any(|other| other == file) {
                let shown = file.display();
                return Err(
                    Failure::new(format!("the snapshot `{shown}` is given twice"))
                        .help("give each once")
                        .into(),
                );
            }
        }
        let (mut kept, mut config) = (Vec::new(), None);
        let live = self.live(&mut kept, &mut config)?;
        if self.paths.is_empty() && live.is_empty() && self.open.is_empty() {
            return Err(Failure::new("nothing to read was given")
                .help(
                    "give files or folders, `-` for standard input, `--cluster`, `--azure`, or `--snapshot FILE`",
                )
                .into());
        }
        if let Some(path) = self.paths.iter().find(|path| snapshot::is_snapshot(path)) {
            let shown = path.display();
            return Err(Failure::new(format!("`{shown}` is a snapshot"))
                .help(format!("give it with `--snapshot {shown}`"))
                .into());
        }
        let inputs = sources::walk(&self.paths).map_err(|error| {
            Failure::new(error.to_string())
                .help("give files or folders that exist, or `-` for standard input")
        })?;
        Ok(Opened {
            inputs,
            live,
            kept,
            config,
            learned: self.learned.get().cloned(),
        })
    }

    /// The running estates and snapshots that are asked for.
    fn live(
        &self,
        kept: &mut Vec<String>,
        config: &mut Option<Configuration>,
    ) -> anyhow::Result<Vec<Box<dyn Source>>> {
        let mut live: Vec<Box<dyn Source>> = Vec::new();
        if self.cluster {
            let options = cluster::Options {
                kubeconfig: self.kubeconfig.clone(),
                context: self.context.clone(),
                namespaces: self.namespace.clone(),
                secrets: self.secrets,
                patience: patience(),
            };
            live.push(Box::new(Cluster::new(options).map_err(Stopped::Live)?));
        }
        for path in &self.snapshot {
            let opened = Snapshot::open(path, snapshot::Limits::default());
            let opened = opened.map_err(Stopped::Live)?;
            kept.extend(opened.about().given.iter().cloned());
            *config = config.take().or_else(|| opened.about().config.clone());
            live.push(Box::new(opened));
        }
        for path in &self.node {
            live.push(Box::new(NodeRoot::new(
                path.clone(),
                self.node_name.clone(),
            )));
        }
        for path in &self.probed {
            live.push(Box::new(Reports::new(path.clone())));
        }
        // Last, so that it can be asked who the groups are that the others name.
        live.extend(self.azure.source()?);
        // What runs is known once everything else was read.
        live.extend(self.registries.source(&self.azure)?);
        Ok(live)
    }

    /// How files are read.
    pub(crate) fn options(&self, guide: &Guide, kubernetes_minor: u8) -> Options {
        Options {
            tools: Tools {
                values: self.values.clone(),
                kubernetes_minor: Some(kubernetes_minor),
                renderings: self.renderings.clone(),
                ..Tools::default()
            },
            given: self.paths.clone(),
            parameters: self.parameters.clone(),
            azurerm: guide
                .data
                .get("azurerm.yaml")
                .map_or_else(String::new, |text| text.to_string()),
            module_caches: self.module_cache.clone(),
            overlay: self.open.clone(),
            new_files: sources::Overlay::default(),
        }
    }
}

/// What is given, ready to be read.
pub(crate) struct Opened {
    pub(crate) inputs: Vec<Input>,
    pub(crate) live: Vec<Box<dyn Source>>,
    /// The paths that snapshots were taken of.
    kept: Vec<String>,
    /// The configuration that a snapshot was taken with.
    pub(crate) config: Option<Configuration>,
    learned: Option<serde_json::Value>,
}

impl Opened {
    /// The Kubernetes minor that a live cluster runs.
    pub(crate) fn kubernetes_minor(&mut self) -> anyhow::Result<Option<u8>> {
        for source in &mut self.live {
            if let Some(minor) = source.kubernetes_minor().map_err(Stopped::Live)? {
                return Ok(Some(minor));
            }
        }
        Ok(None)
    }

    /// The configuration that is given, stands beside the files, or was kept with a snapshot.
    pub(crate) fn configuration(
        &self,
        given: Option<&Path>,
        paths: &[PathBuf],
        guide: &Guide,
    ) -> anyhow::Result<Config> {
        let of: Vec<PathBuf> = self.kept.iter().map(PathBuf::from).collect();
        let kept = self.config.as_ref().map(|config| (config, of.as_slice()));
        let mut config = assess::read_config_or(given, paths, kept, guide)?;
        if let Some(learned) = &self.learned {
            config.add_params(learned);
        }
        Ok(config)
    }

    /// The paths that places are relative to: those given, and those that snapshots were taken of.
    pub(crate) fn roots(&self, paths: &[PathBuf]) -> Vec<String> {
        let paths = paths.iter().map(|path| path.display().to_string());
        paths.chain(self.kept.iter().cloned()).collect()
    }

    /// What people call it.
    pub(crate) fn subject(&self, paths: &[PathBuf]) -> Vec<String> {
        subject(paths, self.live.iter().map(|source| source.name()))
    }
}

/// What people call an estate: the paths, then the names of what is read live.
pub(crate) fn subject(paths: &[PathBuf], live: impl IntoIterator<Item = String>) -> Vec<String> {
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.chain(live).collect()
}

/// Tells on standard error what is waited for.
pub(crate) fn patience() -> Patience {
    Patience::new(|what| {
        // Over a progress bar, where there may be one.
        let over = if io::stderr().is_terminal() {
            "\r\u{1b}[K"
        } else {
            ""
        };
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{over}waiting for {}", report::clean(what));
    })
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Writing the output failed.
    Output(io::Error),
    /// A live source cannot be read at all.
    Live(LiveError),
    /// Nobody waits for it any more.
    Superseded,
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<LiveError> for Stopped {
    fn from(error: LiveError) -> Self {
        Self::Live(error)
    }
}

impl From<Stopped> for anyhow::Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Output(error) => error.into(),
            Stopped::Superseded => Failure::new("what was read has changed meanwhile").into(),
            Stopped::Live(error) => {
                let failure = Failure::new(error.message);
                match error.help {
                    Some(help) => failure.help(help).into(),
                    None => failure.into(),
                }
            }
        }
    }
}

/// The ledger as it fills: what is broken once is told once.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) coverage: Coverage,
    broken: BTreeSet<(std::sync::Arc<str>, u32, Option<Box<str>>)>,
}

impl Ledger {
    /// A module that several templates call is broken once: whether the entry is new.
    pub(crate) fn add(&mut self, entry: DocumentEntry) -> bool {
        let known = entry.status.incomplete()
            && !self
                .broken
                .insert((entry.path.clone(), entry.line, entry.reason.clone()));
        if !known {
            self.coverage.documents.push(entry);
        }
        !known
    }
}

/// Reads the whole estate without judging it: for the commands that answer questions about it. Only
/// what is of a wanted kind is kept.
pub(crate) fn read(
    args: &EstateArgs,
    opened: Opened,
    guide: &Guide,
    kubernetes_minor: u8,
    whole: bool,
    wants: &(dyn Fn(&Kind) -> bool + Sync),
) -> anyhow::Result<(Estate, Coverage)> {
    let managed = guide.managed();
    let schema = guide.schema();
    let reader = Reader {
        symbols: &guide.symbols,
        wants,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: schema.as_ref(),
    };
    let mut estate = Estate::new(if whole { Scope::Whole } else { Scope::Open });
    let mut ledger = Ledger::default();
    let mut progress = Progress::new(opened.inputs.len());
    let template = model::azure::template::kind();
    let given = Given {
        inputs: &opened.inputs,
        live: opened.live,
    };
    let read = sources::read(
        given,
        &args.options(guide, kubernetes_minor),
        &reader,
        |_| (),
        |reading, ()| {
            ledger.coverage.empty += usize::from(reading.empty);
            reading.entries.into_iter().for_each(|entry| {
                ledger.add(entry);
            });
            for resource in reading.resources {
                if resource.name.kind != template {
                    estate.add(resource);
                }
            }
            Ok::<(), Stopped>(())
        },
        |reached| progress.tick(reached),
    )?;
    progress.finish();
    let mut coverage = ledger.coverage;
    coverage.files = read.files;
    settle(&mut estate, &coverage, read.completeness, guide);
    // Of a live estate only what could not be read is listed.
    let nothing = estate.resources().is_empty() && coverage.count(Status::Assessed) == 0;
    if nothing && coverage.incomplete() {
        tell_unread(&coverage)?;
    }
    Ok((estate, coverage))
}

/// What is known once everything has been read.
pub(crate) fn settle(
    estate: &mut Estate,
    coverage: &Coverage,
    completeness: model::Completeness,
    guide: &Guide,
) {
    // What could not be read in files may hold what seems to be absent.
    if coverage
        .documents
        .iter()
        .any(|entry| entry.status.incomplete() && !entry.live)
    {
        estate.scope = Scope::Open;
    }
    estate.completeness = completeness;
    estate.imply_namespaces(&guide.symbols);
}

/// Nothing but what could not be read: that is an error, with the first reason.
fn tell_unread(coverage: &Coverage) -> anyhow::Result<()> {
    let Some(entry) = coverage
        .documents
        .iter()
        .find(|entry| entry.status.incomplete())
    else {
        return Ok(());
    };
    let failure = Failure::new(format!(
        "cannot read `{}`: {}",
        entry.path,
        entry.reason.as_deref().unwrap_or("no reason is known")
    ));
    Err(match &entry.help {
        Some(help) => failure.help(help.to_string()).into(),
        None => failure.into(),
    })
}
