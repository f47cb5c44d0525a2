//! `seawall audit kql`: the guide's detections as queries.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::guide::Pages;
use audit::kql::{self, File, Form, Query, Refused, Table};

use crate::commands::load_pages;
use crate::failure::Failure;

/// Writes the detections as queries for Log Analytics or Azure Data Explorer (KQL).
///
/// For whoever keeps the logs there: a query gives a row for each alert that `seawall audit detect` would give.
/// `aks-audit` reads AKSAudit and AKSAuditAdmin, the tables of diagnostic settings in resource-specific mode;
/// `azure-diagnostics` the older AzureDiagnostics; `data-explorer` DiagnosticRawRecords, the bodies of an Event Hub in
/// a column `Records`. Detections of Azure's activity log read AzureActivity, or ActivityLogsRawRecords.
///
/// AKS cuts records at 16 KiB, and AKSAudit leaves large objects out. Where the request could change something, that is
/// a row with the verdict `unknown (truncated)`, not silence. A detection that cannot be said exactly is not written;
/// standard error lists each with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit kql --detection exec-into-pod                 one query, to try in the portal
  seawall audit kql --table azure-diagnostics --to queries    a file for each
  seawall audit kql --as sentinel --to rules                  analytics rules of Microsoft Sentinel
  seawall audit kql --as alert-rule --to alerts
  az deployment group create -g monitoring -f alerts/detections.bicep -p workspaceId=…

Exit code: 0 something was written; 2 wrong use; 3 nothing can be said in KQL.")]
pub(crate) struct Args {
    /// Only this detection; repeatable
    #[arg(long, value_name = "ID")]
    detection: Vec<String>,
    /// Where the logs are: aks-audit, azure-diagnostics or data-explorer
    #[arg(long, value_name = "TABLE", default_value = "aks-audit", value_parser = ["aks-audit", "azure-diagnostics", "data-explorer"])]
    table: String,
    /// What to make: query, sentinel (an analytics rule of Microsoft Sentinel) or alert-rule (alert rules of Azure
    /// Monitor, in Bicep)
    #[arg(long = "as", value_name = "FORM", default_value = "query", value_parser = ["query", "sentinel", "alert-rule"])]
    form: String,
    /// Folder for the files [default: all to standard output]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_pages(args.guide.as_deref(), Pages::Detections)?;
    if let Some(id) = args
        .detection
        .iter()
        .find(|id| guide.detection(id).is_none())
    {
        return Err(Failure::new(format!("there is no detection `{id}`"))
            .help("`seawall guide list --detections` shows all")
            .into());
    }
    let table = Table::parse(&args.table).unwrap_or(Table::AksAudit);
    let form = Form::parse(&args.form).unwrap_or(Form::Query);
    if table == Table::DataExplorer && form != Form::Query {
        return Err(Failure::new("Azure Data Explorer has no such rules")
            .help("leave out `--as`, or choose `--table aks-audit` or `azure-diagnostics`")
            .into());
    }
    let selected = guide.detections.iter().filter(|detection| {
        args.detection.is_empty() || args.detection.iter().any(|id| **id == *detection.id)
    });
    let mut queries: Vec<Query> = Vec::new();
    let mut refused: Vec<Refused> = Vec::new();
    for detection in selected {
        match kql::query(guide, detection, table) {
            Ok(query) => queries.push(query),
            Err(reason) => refused.push(reason),
        }
    }
    let (files, more) = kql::written(guide, &queries, table, form);
    refused.extend(more);
    refused.sort_by(|a, b| a.id.cmp(&b.id));
    match &args.to {
        Some(folder) => keep(folder, &files)?,
        None => print(&files, form)?,
    }
    for one in &refused {
        anstream::eprintln!("not exported: {}: {}", one.id, one.reason);
    }
    let written = queries
        .len()
        .saturating_sub(more_than_queries(&queries, &refused));
    anstream::eprintln!(
        "{written} of {} detections written for {}",
        written + refused.len(),
        table.word()
    );
    Ok(if files.is_empty() { 3 } else { 0 })
}

/// How many queries a form had no room for.
fn more_than_queries(queries: &[Query], refused: &[Refused]) -> usize {
    let is_refused = |query: &&Query| refused.iter().any(|one| one.id == query.id);
    queries.iter().filter(is_refused).count()
}

fn keep(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("cannot write `{}`: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn print(files: &[File], form: Form) -> anyhow::Result<()> {
    let between = if form == Form::Sentinel {
        "---\n"
    } else {
        "\n"
    };
    let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
    let mut out = anstream::AutoStream::auto(std::io::stdout());
    out.write_all(texts.join(between).as_bytes())?;
    out.flush()?;
    Ok(())
}
