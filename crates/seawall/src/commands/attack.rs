//! What `paths` and `decide` have in common: an estate, its graph of attacks, and what can be done about it.

use std::collections::BTreeSet;

use ::guide::facts::analyses;
use ::guide::measures::{Measure, Measures, cuts_something};
use ::guide::options::{Recognition, recognise};
use ::guide::{Guide, Judge, Setting, setting};
use analysis::Analyses;
use analysis::paths::{self, Efforts, Wishes};
use model::Estate;
use model::coverage::Coverage;
use report::config::Config;

use super::estate::{self, EstateArgs};
use super::load_guide;
use crate::choices;
use crate::failure::Failure;

/// What the graph is built from.
#[derive(Debug, clap::Args)]
pub(crate) struct AttackArgs {
    #[command(flatten)]
    pub(crate) estate: EstateArgs,
    /// The AKS cluster (name or id) that the manifests go to, where several are given
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) aks: Option<String>,
    /// Kubernetes version to judge against [default: the cluster's, else the newest known]
    #[arg(long, value_name = "1.N")]
    pub(crate) kubernetes: Option<String>,
    /// The day to judge as of [default: today]
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<std::path::PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    pub(crate) guide: Option<std::path::PathBuf>,
}

/// An estate, read and ready.
pub(crate) struct Attack {
    pub(crate) guide: &'static Guide,
    pub(crate) config: Config,
    pub(crate) setting: Setting,
    pub(crate) estate: Estate,
    pub(crate) coverage: Coverage,
    pub(crate) as_of: String,
    /// The cluster that is meant, and what is worth reaching besides what always is.
    pub(crate) wishes: Wishes,
    /// What people call what was given.
    pub(crate) subject: Vec<String>,
}

impl Attack {
    /// Reads what is given.
    pub(crate) fn read(args: &AttackArgs) -> anyhow::Result<Self> {
        let guide = load_guide(args.guide.as_deref())?;
        let mut opened = args.estate.open()?;
        let config = opened.configuration(args.config.as_deref(), &args.estate.paths, guide)?;
        let kubernetes = choices::kubernetes(args.kubernetes.as_deref(), &config, guide, || {
            opened.kubernetes_minor()
        })?;
        let mut setting = setting::setting(guide, config.params.as_deref(), Some(kubernetes))
            .map_err(Failure::new)?;
        setting.severities.clone_from(&config.severities);
        let as_of = choices::day(args.as_of.as_deref())?.to_string();
        setting.aks = setting::aks_versions(guide, Some(&as_of));
        setting.today = setting::midnight(&as_of);
        let whole = choices::whole(&args.estate, args.config.as_deref(), &config)?;
        let subject = opened.subject(&args.estate.paths);
        let (estate, coverage) = {
            let judge = Judge::new(guide, &setting, cuts_something);
            let choices = guide.choice_kinds();
            let chosen = |kind: &model::kinds::Kind| choices.iter().any(|own| kind.is(own));
            let wants =
                |kind: &model::kinds::Kind| paths::reads(kind) || judge.wants(kind) || chosen(kind);
            estate::read(&args.estate, opened, guide, kubernetes, whole, &wants)?
        };
        let named = args.aks.as_deref().map(Into::into);
        let wishes = Wishes {
            cluster: named.or_else(|| config.cluster.clone()),
            jewels: config.jewels.clone(),
        };
        if let Some(named) = &wishes.cluster {
            known_cluster(&estate, named)?;
        }
        Ok(Self {
            guide,
            config,
            wishes,
            setting,
            estate,
            coverage,
            as_of,
            subject,
        })
    }

    /// The analyses of the estate.
    pub(crate) fn analyses(&self) -> Analyses<'_> {
        analyses(self.guide, &self.setting, &self.estate)
    }

    /// What steps cost an attacker.
    pub(crate) fn efforts(&self) -> Efforts {
        self.guide.efforts()
    }

    /// What can be done about steps.
    pub(crate) fn measures<'a>(&'a self, analyses: &'a Analyses<'a>) -> Measures<'a> {
        let judge = Judge::new(self.guide, &self.setting, cuts_something);
        Measures::new(judge, analyses)
    }

    /// What ways are told by.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            guide: self.guide,
            estate: &self.estate,
            coverage: &self.coverage,
            as_of: &self.as_of,
            subject: &self.subject,
        }
    }
}

/// The options that an estate shows to be chosen: what they take away is gone already.
pub(crate) fn chosen(
    guide: &Guide,
    setting: &Setting,
    analyses: &Analyses<'_>,
) -> BTreeSet<Measure> {
    let mut chosen = BTreeSet::new();
    for (topic, of) in guide.topics.iter().enumerate() {
        for (at, option) in of.options.iter().enumerate() {
            if let Some(program) = &option.recognised
                && recognise(guide, setting, analyses, program) == Recognition::Chosen
            {
                chosen.insert(Measure::Choice(topic as u16, at as u16));
            }
        }
    }
    chosen
}

/// What ways are told by.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) estate: &'a Estate,
    pub(crate) coverage: &'a Coverage,
    pub(crate) as_of: &'a str,
    pub(crate) subject: &'a [String],
}

impl Scene<'_> {
    /// `path:line`, or where a live source has an object.
    pub(crate) fn place(
        &self,
        analyses: &Analyses<'_>,
        evidence: &paths::Evidence,
    ) -> Option<Place> {
        let (resource, builtin) = match evidence.object {
            paths::Object::Estate(id) => (self.estate.get(id)?, false),
            paths::Object::BuiltIn(id) => (analyses.rights().estate.get(id)?, true),
            paths::Object::Nothing => return None,
        };
        let value = evidence
            .value
            .map_or(resource.object(), |value| resource.doc.node(value));
        let line = (!resource.origin.live && !builtin).then(|| {
            let holder = value.written_holder();
            resource.doc.line_column(holder.span().start).0
        });
        Some(Place {
            path: resource.origin.path.to_string(),
            line,
            object: resource.name.id(),
            standing: match (resource.origin.live, builtin) {
                (_, true) => Standing::BuiltIn,
                (true, false) => Standing::Live,
                (false, false) => Standing::File,
            },
        })
    }
}

/// A cluster that is named must have been given.
fn known_cluster(estate: &Estate, named: &str) -> anyhow::Result<()> {
    let clusters: Vec<(&str, &str)> = estate
        .of_kind("Microsoft.ContainerService/managedClusters")
        .iter()
        .filter_map(|id| estate.get(*id))
        .filter_map(|cluster| Some((&*cluster.name.name, &*cluster.azure.as_ref()?.id)))
        .collect();
    let known = clusters
        .iter()
        .any(|(name, id)| name.eq_ignore_ascii_case(named) || id.eq_ignore_ascii_case(named));
    if known {
        return Ok(());
    }
    let names: Vec<&str> = clusters.iter().map(|(name, _)| *name).collect();
    let help = match names.as_slice() {
        [] => "no AKS cluster was given".to_owned(),
        names => format!("there are {}", names.join(", ")),
    };
    Err(Failure::new(format!("no AKS cluster `{named}` was given"))
        .help(help)
        .into())
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: Option<u32>,
    pub(crate) object: String,
    pub(crate) standing: Standing,
}

/// In what something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    File,
    /// Answered by a cluster or by Azure.
    Live,
    /// Every cluster has it.
    BuiltIn,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => f.write_str(&self.path),
        }
    }
}
