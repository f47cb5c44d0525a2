//! `seawall node`: judges a node by its files, or tells its cluster what they say.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use model::kinds::Kind;
use sources::cluster::{self, Writer};
use sources::node::{OBJECTS, object};

use crate::commands::estate::{EstateArgs, Stopped, patience};
use crate::commands::{assess, load_guide};
use crate::failure::Failure;

/// Who is noted as the writer of the object.
const MANAGER: &str = "seawall-node";

/// Judges a node by its files: the host benchmark.
///
/// Reads modes and owners of files, what the kubelet, containerd, sshd and the kernel are set to, and judges them by the
/// guidelines about nodes. Runs nothing and changes nothing. Contents of azure.json, kubeconfigs and keys are never
/// read. Run it as root on the node, or where its root folder is mounted.
///
/// Exit code: 0 nothing at or above the floor; 1 findings at or above it; 2 wrong use; 4 something could not be read
/// (and nothing at the floor was found).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall node                                       this machine
  seawall node --root /host --format json            a node whose root is mounted there
  seawall node --framework cis-aks-1.8               the benchmark's section on worker nodes
  seawall snapshot --node /host -o node.snapshot     to be judged elsewhere, with the rest of the estate
  seawall assess --cluster --snapshot node.snapshot
  seawall node --root /host --publish --every 12     what the chart's `node.enabled` runs on each node")]
pub(crate) struct Args {
    /// The node's root folder
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// What the node is called [default: what its files say]
    #[arg(long, value_name = "NAME")]
    node_name: Option<String>,
    /// Judge nothing; keep what was read in the cluster, as an object of kind Node (seawall.dev/v1) that `--cluster` and
    /// `serve` judge: by the kubeconfig, or the account of this pod
    #[arg(long)]
    publish: bool,
    /// With --publish: again after so many hours, for ever
    #[arg(long, value_name = "HOURS", requires = "publish",
          value_parser = clap::value_parser!(u16).range(1..=720))]
    every: Option<u16>,
    /// Context of the kubeconfig to use with `--publish`
    #[arg(long, value_name = "NAME", requires = "publish")]
    context: Option<String>,
    /// Kubeconfig to use with `--publish` [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE", requires = "publish")]
    kubeconfig: Option<PathBuf>,
    /// Only guidelines that map to this framework (cis-aks-1.8, …); repeatable
    #[arg(long, value_name = "ID")]
    framework: Vec<String>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Lowest severity that makes the exit code 1: critical, high, medium, low, none [default: high]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
    /// Unknown verdicts count as findings for the exit code
    #[arg(long)]
    fail_on_unknown: bool,
    /// terminal, json, sarif, html, junit, markdown, csv, policyreport; `F=FILE` writes to a
    /// file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
    /// `all` lists every verdict in JSON, passes too
    #[arg(long, value_name = "WHICH", value_parser = ["findings", "all"], default_value = "findings")]
    verdicts: String,
    /// An earlier JSON report: its findings are known and do not count
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The day to judge as of (waivers and dated facts hang on it) [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// A seawall.yaml with waivers and severities
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<u8> {
    if args.publish {
        return publish(&args);
    }
    let mut guideline = args.guideline;
    if guideline.is_empty() {
        // What is about nodes; the rest of the guide has nothing to look at here.
        let about = Kind::Kubernetes {
            group: "seawall.dev".into(),
            kind: "Node".into(),
        };
        let guide = load_guide(args.guide.as_deref())?;
        guideline.extend(
            guide
                .guidelines
                .iter()
                .filter(|guideline| guideline.is_about(&about, false))
                .map(|guideline| guideline.id.0.to_string()),
        );
    }
    assess::run(&assess::Args {
        estate: EstateArgs {
            node: vec![args.root],
            node_name: args.node_name,
            ..EstateArgs::default()
        },
        framework: args.framework,
        chapter: Vec::new(),
        guideline,
        audit: Vec::new(),
        kubernetes: None,
        fail_on: args.fail_on,
        fail_on_unknown: args.fail_on_unknown,
        format: args.format,
        verdicts: args.verdicts,
        baseline: args.baseline,
        as_of: args.as_of,
        config: args.config,
        guide: args.guide,
    })
}

/// Tells the cluster what is read, once or for ever.
fn publish(args: &Args) -> anyhow::Result<u8> {
    let options = cluster::Options {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        patience: patience(),
        ..cluster::Options::default()
    };
    let writer = Writer::connect(&options).map_err(Stopped::Live)?;
    loop {
        let told = tell(args, &writer);
        let Some(hours) = args.every else {
            return told.map(|()| 0);
        };
        // A cluster that is away for a while is told the next time, soon.
        let wait = match told {
            Ok(()) => Duration::from_secs(u64::from(hours) * 3600),
            Err(error) => {
                crate::output::say("error", &error.to_string())?;
                Duration::from_secs(60)
            }
        };
        std::thread::sleep(wait);
    }
}

fn tell(args: &Args, writer: &Writer) -> anyhow::Result<()> {
    let (name, json) = object(&args.root, args.node_name.as_deref()).map_err(Stopped::Live)?;
    writer
        .apply(&format!("{OBJECTS}/{name}"), MANAGER, &json)
        .map_err(|refused| {
            let failure = Failure::new(format!("the cluster does not keep node `{name}`: {refused}"));
            if refused.is_absent() {
                failure.help("the chart's `node.enabled` defines what it is kept as (`nodereadings.seawall.dev`)")
            } else {
                failure.help("deploy/chart/templates/node.yaml holds the rights that it needs")
            }
        })?;
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "the cluster keeps node {name}")?;
    Ok(())
}
