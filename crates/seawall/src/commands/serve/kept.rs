//! What `serve` keeps and tells: whom it alerts, where the history is, who gets traces.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::Severity;
use serde_json::json;
use server::audit::{Following, pace};
use server::trace::{Settings, Tracer};
use server::watch::archive::Storage;
use server::watch::history::Place;
use server::watch::{Alerting, Election, Keeping, Receiver};
use sources::azure::Trust;
use sources::eventhub::Access;

use super::{Args, write_line};
use crate::commands::audit::connection;
use crate::failure::Failure;

/// How long storage and Azure Monitor may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What is kept of what the watch finds, and by whom.
pub(super) fn keeping(args: &Args) -> anyhow::Result<Keeping> {
    // In a pod there are other replicas.
    let identity = std::env::var("POD_NAME").ok();
    Ok(Keeping {
        election: identity.map(|name| Election::new(&args.own_namespace(), &name)),
        reports: args.reports,
        alerts: alerts(args)?,
        history: history(args)?,
    })
}

/// The folder of the history, where it is one.
pub(super) fn folder(args: &Args) -> Option<PathBuf> {
    let history = args.history.as_deref()?;
    (!is_url(history)).then(|| PathBuf::from(history))
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

fn alerts(args: &Args) -> anyhow::Result<Vec<Alerting>> {
    let mut all = Vec::new();
    if args.alerts {
        let url = std::env::var("SEAWALL_ALERTS_URL").map_err(|_| {
            Failure::new("`--alerts` needs an address")
                .help("set SEAWALL_ALERTS_URL; an address may hold a token, so it is no option")
        })?;
        let to = Receiver::Webhook(url, Trust::default());
        to.check().map_err(|why| {
            Failure::new(format!(
                "SEAWALL_ALERTS_URL is no address of a webhook: {why}"
            ))
            .help("it takes an address such as https://hooks.example.com/seawall")
        })?;
        all.push(to);
    }
    if let Some(url) = &args.alerts_monitor {
        let to = Receiver::Monitor(url.clone(), Box::new(args.azure.sign_in(TIMEOUT)?));
        to.check().map_err(|why| {
            Failure::new(format!("`--alerts-monitor` cannot be used: {why}")).help(
                "deploy/azure/seawall-alerts.bicep makes what it needs, and has the address as its output",
            )
        })?;
        all.push(to);
    }
    let told = all.into_iter().map(|to| Alerting {
        to,
        floor: Severity::Critical,
    });
    Ok(told.collect())
}

fn history(args: &Args) -> anyhow::Result<Option<Place>> {
    let Some(history) = args.history.as_deref() else {
        return Ok(None);
    };
    if !is_url(history) {
        return Ok(Some(Place::Folder(PathBuf::from(history))));
    }
    let writer = ["POD_NAME", "HOSTNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let storage = Storage {
        url: history.to_owned(),
        sign_in: args.azure.sign_in(TIMEOUT)?,
        writer: writer.unwrap_or_else(|| "seawall".to_owned()),
        shown: args.dashboard.is_some(),
    };
    storage.check().map_err(|why| {
        Failure::new(format!("`--history` cannot be used: {why}"))
            .help("it takes a folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX")
    })?;
    Ok(Some(Place::Blobs(Box::new(storage))))
}

/// Which audit logs are followed. What is there for longer than a day when it begins is left.
pub(super) fn audit(args: &Args) -> anyhow::Result<Option<Following>> {
    let Some(source) = &args.audit else {
        return Ok(None);
    };
    let floor = Severity::parse(&args.audit_alerts).ok_or_else(|| {
        Failure::new(format!("`{}` is no severity", args.audit_alerts))
            .help("--audit-alerts takes critical, high, medium or low")
    })?;
    let following = Following {
        source: source.clone(),
        every: pace(source),
        checkpoint: args.audit_checkpoint.clone(),
        access: Access {
            sign_in: args.azure.sign_in(TIMEOUT)?,
            connection: connection(args.audit_connection_string.as_deref())?,
        },
        since: Timestamp::now()
            .checked_sub(SignedDuration::from_hours(24))
            .ok(),
        floor,
    };
    following.check().map_err(|why| {
        Failure::new(format!("`--audit` cannot be used: {why}")).help(
            "`--audit` takes a folder, https://ACCOUNT.blob.core.windows.net/CONTAINER or \
             eventhub://NAMESPACE.servicebus.windows.net/HUB, `--audit-checkpoint` a file or \
             https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME",
        )
    })?;
    Ok(Some(following))
}

/// Where spans go, as the environment says.
pub(super) fn tracer() -> anyhow::Result<Arc<Tracer>> {
    let settings = Settings::of(|name| std::env::var(name).ok());
    let settings = settings.map_err(|why| {
        Failure::new(why).help("OTEL_TRACES_EXPORTER=none sends no traces, whatever else is set")
    })?;
    Ok(Tracer::new(settings))
}

/// Writes a line of the log about traces that cannot be sent, or can again.
pub(super) fn traced(why: Option<&str>) {
    const WHAT: &str = "traces cannot be sent";
    match why {
        Some(why) => write_line("warning", WHAT, json!({ "why": why })),
        None => write_line("info", "that is over", json!({ "trouble": WHAT })),
    }
}

/// What became of spans, as Prometheus reads it.
pub(super) fn trace_figures(tracer: &Tracer) -> String {
    let (sent, dropped) = tracer.counts();
    format!(
        "# HELP seawall_spans_total Spans that a collector took, and those that were dropped.\n\
         # TYPE seawall_spans_total counter\n\
         seawall_spans_total{{outcome=\"sent\"}} {sent}\n\
         seawall_spans_total{{outcome=\"dropped\"}} {dropped}\n"
    )
}
