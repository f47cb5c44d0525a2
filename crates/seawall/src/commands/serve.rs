//! `seawall serve`: the guide at the door of a cluster, and its watch.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::guide::{Guide, Guideline, Pages};
use jiff::Timestamp;
use report::config::Config;
use serde_json::{Value, json};
use server::bench::{Alone, Bench, Beside, Law, gate};
use server::configuration::{Configuration, Followed};
use server::desk::{self, Desk, Issuer, Key};
use server::docket::Docket;
use server::http::{Limits, More};
use server::install::{self, CONFIGURATIONS, Installed, NAME, Way};
use server::metrics::Metrics;
use server::run::{self, Dashboard, Kept, Log, RunError, Serving};
use server::secret::{Secret, SecretError};
use server::tls::made;
use server::watch::{self, Level, Shared};
use sources::azure::Trust;
use sources::cluster::{self, Writer};
use sources::snapshot::Configuration as Configured;

use crate::choices;
use crate::commands::azure::AzureArgs;
use crate::commands::{assess, estate, read_guide};
use crate::failure::Failure;

/// Judges what is written to a cluster, and watches what runs there.
///
/// An API server asks this webhook before it writes an object. What fails a critical or high guideline is refused,
/// the rest is let in with a warning; `serve` in seawall.yaml says otherwise, and its waivers hold as they do for
/// files. Guidelines that read other objects are held against the cluster as the watch last saw it, and only warn
/// unless `deny-joined` is set. A change is never refused for what was so before it.
///
/// Begin with `--dry-run`. `--install` leads the API server here, `--remove` undoes it, whatever else is broken.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall serve --dry-run                       in a pod: certificate in the Secret seawall-webhook
  seawall serve --cert-dir /tls                 a certificate that cert-manager renews
  seawall serve --install                       the API server asks from now on
  seawall serve --remove                        it asks no more
  seawall serve --install --url https://10.0.0.4:8443   a webhook outside of the cluster

Paths: /validate/closed, /validate/open, /healthz, /readyz, /metrics.

Exit code: 0 ended by a signal, installed, or removed; 2 wrong use, or it cannot begin.")]
pub(crate) struct Args {
    /// Write the webhook configuration, and end
    #[arg(long, conflicts_with = "remove")]
    install: bool,
    /// Delete the webhook configuration, with `--reports` the reports too, and end
    #[arg(long)]
    remove: bool,
    /// Refuse nothing: warn of what would be refused
    #[arg(long)]
    dry_run: bool,
    /// Judge objects alone: the cluster is not watched
    #[arg(long, conflicts_with_all = ["reports", "alerts", "alerts_monitor", "history", "dashboard"])]
    no_watch: bool,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,
    /// Folder with tls.crt and tls.key, renewed by somebody else (and ca.crt, which `--install` trusts)
    #[arg(long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// With `--install`: have cert-manager write the authority of this Certificate when it changes
    #[arg(long, value_name = "NAMESPACE/NAME", requires_all = ["install", "cert_dir"])]
    inject_ca_from: Option<String>,
    /// Secret of the own namespace in which the certificate is made and renewed; it must be there
    #[arg(long, value_name = "NAME", default_value = "seawall-webhook")]
    secret: String,
    /// Service that leads to the webhook
    #[arg(long, value_name = "NAME", default_value = "seawall")]
    service: String,
    /// Port of that Service
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    port: u16,
    /// Own namespace [default: the pod's, else seawall]
    #[arg(long, value_name = "NAME")]
    own_namespace: Option<String>,
    /// Where API servers find the webhook, instead of through a Service
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Seconds to go on after SIGTERM, until nobody is led here any more
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
    /// Reviews that may wait; beyond them the failure mode answers
    #[arg(long, value_name = "NUMBER", default_value_t = 512)]
    queue: usize,
    /// Write PolicyReport objects into the cluster, where it has their definitions; one replica does
    #[arg(long)]
    reports: bool,
    /// Folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, for the history of the posture: a line for
    /// each change, a file for each day
    #[arg(long, value_name = "DIR|URL")]
    history: Option<String>,
    /// Show the dashboard on this address, with the same certificate
    #[arg(long, value_name = "ADDRESS")]
    dashboard: Option<SocketAddr>,
    /// File with 32 random bytes or more that all replicas share: a session then counts at each of them
    #[arg(long, value_name = "FILE", requires = "dashboard")]
    dashboard_key: Option<PathBuf>,
    /// Let people sign in to the dashboard there, by OpenID Connect (https://login.microsoftonline.com/TENANT/v2.0)
    #[arg(long, value_name = "URL", requires_all = ["dashboard", "oidc_client_id", "oidc_url"])]
    oidc_issuer: Option<String>,
    /// Application (client) id of the dashboard there
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    oidc_client_id: Option<String>,
    /// Address at which people reach the dashboard; they come back to /sign-in/back below it
    #[arg(long, value_name = "URL", requires = "oidc_issuer")]
    oidc_url: Option<String>,
    /// File with the secret of the application, unless it is a public one
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_secret: Option<PathBuf>,
    /// Files or a snapshot that the cluster is to be as: what differs is told
    #[arg(long, value_name = "PATH", conflicts_with = "no_watch")]
    drift: Option<PathBuf>,
    /// Tell new critical findings to the address in the environment variable SEAWALL_ALERTS_URL
    #[arg(long)]
    alerts: bool,
    /// Tell them to Azure Monitor too: https://ENDPOINT/dataCollectionRules/IMMUTABLE-ID/streams/STREAM
    #[arg(long, value_name = "URL")]
    alerts_monitor: Option<String>,
    /// Follow audit logs, and alert of what detections find in them: a folder, a file,
    /// https://ACCOUNT.blob.core.windows.net/insights-logs-kube-audit, or an Event Hub:
    /// eventhub://NAMESPACE.servicebus.windows.net/HUB
    #[arg(long, value_name = "PATH|URL", conflicts_with = "no_watch")]
    audit: Option<String>,
    /// File, or https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME, that says how far logs were read; all replicas
    /// share it
    #[arg(long, value_name = "FILE|URL", requires = "audit")]
    audit_checkpoint: Option<String>,
    /// File with a connection string of the Event Hub, instead of signing in [default: what
    /// SEAWALL_EVENTHUB_CONNECTION_STRING holds]
    #[arg(long, value_name = "FILE", requires = "audit")]
    audit_connection_string: Option<PathBuf>,
    /// Alerts of audit logs at or above this severity are told with `--alerts` and `--alerts-monitor`
    #[arg(
        long,
        value_name = "SEVERITY",
        requires = "audit",
        default_value = "high"
    )]
    audit_alerts: String,
    /// Only guidelines that map to this framework (pss-baseline, cis-aks-1.8, …); repeatable
    #[arg(long, value_name = "ID")]
    framework: Vec<String>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Kubernetes version to judge against [default: what seawall.yaml says, else the newest known]
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    /// Configuration to use instead of the seawall.yaml here or above
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    // Read beside the cluster, every quarter of an hour.
    #[command(flatten)]
    azure: AzureArgs,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Kubeconfig to use [default: $KUBECONFIG, ~/.kube/config, the pod's own account]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

mod beside;
mod kept;

/// Where a pod reads its namespace
/// (<https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>).
const OWN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    if args.remove {
        return remove(args);
    }
    run::keep_pages_small();
    let folder = args.guide.as_deref();
    let pages = match &args.audit {
        Some(_) => Pages::All,
        None => Pages::Guidelines,
    };
    let guide = Arc::new(read_guide(folder, pages)?);
    let (config, file) = configured(args, &guide)?;
    choices::frameworks(&args.framework, &config, &guide)?;
    choices::guidelines_exist(&args.guideline, &guide)?;
    let given = args.kubernetes.as_deref();
    let minor = choices::kubernetes(given, &config, &guide, || Ok(None))?;
    let (asked, frameworks) = (args.guideline.clone(), args.framework.clone());
    let law = Law {
        guide,
        config: Configuration::new(config),
        kubernetes_minor: given.map(|_| minor),
        select: Arc::new(move |config: &Config, guideline: &Guideline| {
            let maps = |id: &str| guideline.controls(id).next().is_some();
            (asked.is_empty() || asked.iter().any(|id| **id == *guideline.id.0))
                && if frameworks.is_empty() {
                    config.frameworks.is_empty() || config.frameworks.iter().any(|id| maps(id))
                } else {
                    frameworks.iter().any(|id| maps(id))
                }
        }),
        dry_run: args.dry_run,
    };
    if args.install {
        install(args, &law)
    } else {
        serve(args, law, file)
    }
}

/// `seawall.yaml` and what it says, where there is one.
fn configured(args: &Args, guide: &Guide) -> anyhow::Result<(Config, Option<Configured>)> {
    let Some(found) = assess::config_text(args.config.as_deref(), &[PathBuf::from(".")])? else {
        return Ok((Config::default(), None));
    };
    let config = assess::parse_config(&found, guide)?;
    Ok((config, Some(found)))
}

impl Args {
    fn cluster(&self) -> cluster::Options {
        cluster::Options {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespaces: Vec::new(),
            secrets: false,
            patience: estate::patience(),
        }
    }

    fn writer(&self) -> anyhow::Result<Writer> {
        Writer::connect(&self.cluster()).map_err(|error| estate::Stopped::Live(error).into())
    }

    fn own_namespace(&self) -> String {
        let own = || std::fs::read_to_string(OWN).ok();
        let own = self.own_namespace.clone().or_else(own);
        let own = own.map(|name| name.trim().to_owned());
        own.filter(|name| !name.is_empty())
            .unwrap_or_else(|| "seawall".to_owned())
    }

    /// The Secret, with the names that API servers and people call the webhook by.
    fn secret(&self) -> Secret {
        let namespace = self.own_namespace();
        let service = format!("{}.{namespace}.svc", self.service);
        let mut names = vec![service.clone(), format!("{service}.cluster.local")];
        let host = self.url.as_deref().and_then(host);
        names.extend(host.map(str::to_owned));
        Secret {
            namespace,
            name: self.secret.clone(),
            names,
        }
    }
}

/// The host of `https://host:port/path`.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?']).next()?;
    match host.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => host.split(':').next(),
    }
    .filter(|host| !host.is_empty())
}

fn remove(args: &Args) -> anyhow::Result<u8> {
    let writer = args.writer()?;
    match writer.delete(&format!("{CONFIGURATIONS}/{NAME}")) {
        Ok(_) => say("removed: API servers ask no more")?,
        Err(refused) if refused.is_absent() => say("nothing to remove: there is no configuration")?,
        Err(refused) => {
            return Err(Failure::new(format!(
                "cannot delete the ValidatingWebhookConfiguration {NAME}: {refused}"
            ))
            .help(format!(
                "`kubectl delete validatingwebhookconfiguration {NAME}` does the same as somebody who may"
            ))
            .into());
        }
    }
    if args.reports {
        let removed = watch::remove_reports(&writer).map_err(|refused| {
            Failure::new(format!("cannot delete reports: {refused}")).help(
                "it needs `list` and `delete` of policyreports and clusterpolicyreports; \
                 `kubectl delete policyreports,clusterpolicyreports --all-namespaces --selector app.kubernetes.io/managed-by=seawall` does the same",
            )
        })?;
        say(&format!("removed: {removed} reports"))?;
    }
    Ok(0)
}

fn install(args: &Args, law: &Law) -> anyhow::Result<u8> {
    if let Some(url) = args.url.as_deref().filter(|url| host(url).is_none()) {
        return Err(Failure::new(format!("`{url}` is no address of a webhook"))
            .help("write it as `--url https://10.0.0.4:8443`")
            .into());
    }
    let writer = args.writer()?;
    let secret = args.secret();
    let trusted = match &args.cert_dir {
        // Where there is none, cert-manager's injector or a public authority is relied on.
        Some(folder) => std::fs::read_to_string(folder.join("ca.crt")).ok(),
        None => {
            let kept = secret
                .look(&writer, Timestamp::now().as_second())
                .map_err(|error| failure(&RunError::Secret(error), &secret))?;
            made::trusted(&kept).map(str::to_owned)
        }
    };
    let config = law.config.now();
    let installed = Installed {
        way: match &args.url {
            Some(url) => Way::Url(url.clone()),
            None => Way::Service {
                namespace: secret.namespace.clone(),
                name: args.service.clone(),
                port: args.port,
            },
        },
        trusted,
        exclude: install::excluded(&secret.namespace, &config),
        injected_from: args.inject_ca_from.clone(),
    };
    let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let settings = law.setting(&config, &day).map_err(Failure::new)?;
    let configuration = install::configuration(&gate(law, &config, &settings, &day), &installed);
    writer
        .apply(
            &format!("{CONFIGURATIONS}/{NAME}"),
            "seawall",
            &configuration.to_string(),
        )
        .map_err(|refused| {
            Failure::new(format!(
                "cannot write the ValidatingWebhookConfiguration {NAME}: {refused}"
            ))
            .help("whoever installs needs `create` and `patch` of validatingwebhookconfigurations")
        })?;
    say("installed: API servers ask from now on; `seawall serve --remove` undoes it")?;
    Ok(0)
}

/// What people see, where that is asked for.
fn dashboard(
    args: &Args,
    law: &Law,
    metrics: &Arc<Metrics>,
    watched: Option<&Arc<Shared>>,
) -> anyhow::Result<Option<Dashboard>> {
    let (Some(listen), Some(shared)) = (args.dashboard, watched) else {
        return Ok(None);
    };
    let key = match &args.dashboard_key {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| {
                Failure::new(format!("cannot read `{}`: {error}", file.display()))
                    .help("`--dashboard-key` takes a file that every replica has")
            })?;
            if bytes.len() < 32 {
                return Err(Failure::new(format!("`{}` is too short", file.display()))
                    .help("`head -c 32 /dev/urandom > FILE` makes one")
                    .into());
            }
            Key::of(&bytes)
        }
        None => Key::random().map_err(Failure::new)?,
    };
    let issuer = match (&args.oidc_issuer, &args.oidc_client_id, &args.oidc_url) {
        (Some(issuer), Some(client_id), Some(here)) => Some(Issuer {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            here: here.clone(),
            secret: args.oidc_secret.clone(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            trust: Trust::default(),
        }),
        _ => None,
    };
    let desk = Desk::new(desk::Options {
        guide: Arc::clone(&law.guide),
        shared: Arc::clone(shared),
        config: Arc::clone(&law.config),
        writer: Arc::new(args.writer()?),
        history: kept::folder(args),
        issuer,
        key,
        metrics: Arc::clone(metrics),
        clock: Arc::new(Timestamp::now),
    })
    .map_err(|why| {
        Failure::new(why).help("`--oidc-url` takes an address such as https://seawall.example")
    })?;
    Ok(Some(Dashboard { listen, desk }))
}

fn serve(args: &Args, law: Law, file: Option<Configured>) -> anyhow::Result<u8> {
    let log: Log = Arc::new(|level, what, more| {
        let word = match level {
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
        };
        write_line(word, what, more);
    });
    // The log is JSON, whatever happens; what a panic says may be of an object.
    std::panic::set_hook(Box::new(|panicked| {
        let at = panicked.location().map(ToString::to_string);
        write_line("error", "panicked", json!({ "at": at }));
    }));
    let metrics = Arc::new(Metrics::new());
    let stop = AtomicBool::new(false);
    let tracer = kept::tracer()?;
    let drift = args.drift.as_deref();
    let drift = drift.map(|path| beside::base(path, &law, args.config.as_deref()));
    let drift = drift.transpose()?;
    let options = watch::Options {
        log: Arc::clone(&log),
        keeping: kept::keeping(args)?,
        azure: beside::azure(&args.azure)?,
        audit: kept::audit(args)?,
        drift,
        tracer: Arc::clone(&tracer),
        ..watch::Options::new(args.cluster(), Arc::clone(&law.config))
    };
    let watched = if args.no_watch {
        None
    } else {
        let shared = Shared::new(&law.guide, &options).map_err(Failure::new)?;
        Some(Arc::new(shared))
    };
    let beside: Arc<dyn Beside> = match &watched {
        Some(shared) => Arc::clone(shared) as Arc<dyn Beside>,
        None => Arc::new(Alone),
    };
    let more = watched
        .clone()
        .map(|shared| -> More { Arc::new(move || shared.figures(Timestamp::now())) });
    let traces = Arc::clone(&tracer);
    let more: Option<More> = Some(Arc::new(move || {
        kept::trace_figures(&traces) + &more.as_ref().map(|more| more()).unwrap_or_default()
    }));
    let secret = args.secret();
    let kept = match &args.cert_dir {
        Some(folder) => Kept::Folder(folder.clone()),
        None => Kept::Secret(args.secret(), Box::new(args.writer()?)),
    };
    let guide: Arc<Guide> = Arc::clone(&law.guide);
    let followed = file.map(|file| {
        let said = (file.path.as_str(), file.text.as_str());
        Followed::new(Path::new(&file.path), said, &guide, &law.config)
    });
    let dashboard = dashboard(args, &law, &metrics, watched.as_ref())?;
    let serving = Serving {
        listen: args.listen,
        kept,
        bench: Bench {
            law,
            beside,
            docket: Arc::new(Docket::new(args.queue)),
            metrics,
            clock: Arc::new(Timestamp::now),
            judges: std::thread::available_parallelism().map_or(2, usize::from),
            refresh: Duration::from_secs(10),
        },
        followed,
        limits: Limits::default(),
        drain: Duration::from_secs(args.drain),
        dashboard,
        tracer: Arc::clone(&tracer),
    };
    let told = |address: SocketAddr| {
        log(
            Level::Info,
            "serving",
            json!({ "address": address.to_string(), "dryRun": args.dry_run, "watch": !args.no_watch }),
        );
    };
    std::thread::scope(|scope| {
        let (tracer, ended) = (&tracer, &stop);
        scope.spawn(move || tracer.export(ended, &kept::traced));
        if let Some(shared) = &watched {
            let (guide, options, stop) = (&guide, &options, &stop);
            scope.spawn(move || watch::run(guide, options, shared, stop));
        }
        let served = run::run(serving, &log, more, told);
        stop.store(true, Ordering::Relaxed);
        served
    })
    .map_err(|error| failure(&error, &secret))?;
    Ok(0)
}

/// What to do about what keeps it from beginning.
fn failure(error: &RunError, secret: &Secret) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        RunError::Secret(SecretError::Refused { refused, .. }) if refused.is_absent() => failure
            .help(format!(
                "`kubectl create secret generic {} --namespace {}` makes an empty one; or give `--cert-dir`",
                secret.name, secret.namespace
            )),
        RunError::Secret(SecretError::Refused { refused, .. }) if refused.status == Some(403) => {
            failure.help(format!(
                "it needs `get` and `update` of the Secret {} by name, and of the ValidatingWebhookConfiguration {NAME}",
                secret.name
            ))
        }
        RunError::Certificate(_) => {
            failure.help("`--cert-dir` takes a folder with tls.crt and tls.key in PEM form")
        }
        RunError::Listen(..) => failure.help("choose another address with `--listen`"),
        _ => failure,
    }
}

fn say(what: &str) -> anyhow::Result<()> {
    writeln!(anstream::stdout().lock(), "{what}")?;
    Ok(())
}

/// A line of the log: JSON on standard error.
fn write_line(level: &str, what: &str, more: Value) {
    let mut line = match more {
        Value::Object(more) => more,
        _ => serde_json::Map::new(),
    };
    // These three are always there, and always these.
    line.insert("time".to_owned(), Timestamp::now().to_string().into());
    line.insert("level".to_owned(), level.into());
    line.insert("what".to_owned(), what.into());
    // Nobody can be told that nobody can be told.
    let _ = writeln!(std::io::stderr().lock(), "{}", Value::Object(line));
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts_of_addresses() {
        assert_eq!(host("https://10.0.0.4:8443"), Some("10.0.0.4"));
        assert_eq!(host("https://seawall.example/x"), Some("seawall.example"));
        assert_eq!(host("https://[::1]:8443"), Some("::1"));
        assert_eq!(host("http://10.0.0.4"), None);
        assert_eq!(host("https://"), None);
    }
}
