//! `seawall probe run`: what a probe's container runs.

use std::io::Write as _;
use std::time::Duration;

use sources::probe::{self, Report, SCHEMA, Target, Workload};

use crate::failure::Failure;

/// Tries targets from here and prints what came of it, one line of JSON.
///
/// Connects and hangs up; of the instance metadata service and the wire server it asks a question without a secret in
/// the answer, and keeps the status alone. Of each target it says: `open` (connected), `refused` (a packet came
/// back: let through, nobody listens), `silent` (nothing came back, twice), `unreachable`, `unresolved` (no such
/// name), `failed` (nothing follows from it).
#[derive(Debug, clap::Args)]
#[command(after_help = "Targets:
  metadata              169.254.169.254, TCP 80
  wire-server           168.63.129.16, TCP 80 and 32526
  api-server            where KUBERNETES_SERVICE_HOST says
  node                  the kubelet at --node-address, TCP 10250 and 10255
  dns                   the server in /etc/resolv.conf, UDP 53
  internet=HOST:PORT    a host outside
  WORKLOAD:PORT=HOST:PORT
                        pods of a workload at their port, and how to get there:
                        shop/db[StatefulSet]:5432=db.shop.svc:5432

Exit code: 0 everything was tried, whatever came of it; 2 wrong use.")]
pub(crate) struct Args {
    /// In whose place this is tried: shop/web[Deployment]
    #[arg(long = "as", value_name = "WORKLOAD")]
    workload: String,
    /// What to try; repeatable
    #[arg(long, value_name = "TARGET", required = true)]
    target: Vec<String>,
    /// Seconds to wait for an answer, each of two times
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
    /// The address of the node, for the target `node`
    #[arg(long, value_name = "ADDRESS")]
    node_address: Option<String>,
    /// The name of the node, for the report
    #[arg(long, value_name = "NAME")]
    node_name: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let workload: Workload = args.workload.parse().map_err(Failure::new)?;
    let targets = args
        .target
        .iter()
        .map(|text| text.parse::<Target>())
        .collect::<Result<Vec<Target>, String>>()
        .map_err(|why| Failure::new(why).help("`seawall probe run --help` lists targets"))?;
    let options = probe::Options {
        wait: Duration::from_secs(args.wait),
        api_server: api_server(),
        node: args.node_address.clone(),
    };
    let report = Report {
        schema: SCHEMA.to_owned(),
        at: jiff::Timestamp::now()
            .round(jiff::Unit::Second)?
            .to_string(),
        workload,
        node: args.node_name.clone(),
        seconds: args.wait,
        results: probe::run(&targets, &options),
    };
    let line = serde_json::to_string(&report)?;
    writeln!(anstream::stdout().lock(), "{line}")?;
    Ok(0)
}

/// Where Kubernetes tells every container that the API server is
/// (Kubernetes documentation, tasks/run-application/access-api-from-pod).
fn api_server() -> Option<(String, u16)> {
    let host = std::env::var("KUBERNETES_SERVICE_HOST").ok()?;
    let port = std::env::var("KUBERNETES_SERVICE_PORT").ok();
    Some((host, port.and_then(|port| port.parse().ok()).unwrap_or(443)))
}
