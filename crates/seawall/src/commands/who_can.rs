//! `seawall who-can`: who may do what, what somebody may do, and whose rights amount to more.

mod all;
mod azure;
mod principal;
mod question;
mod subject;

use std::io::Write as _;
use std::path::PathBuf;

use report::rights::text::Layout;
use report::rights::{Words, matrix, page};

use super::rights::{Rights, RightsArgs};
use crate::failure::Failure;
use crate::output;

/// Lists who may do something, and by which binding.
///
/// Answers from the given paths or from a cluster as the API server would: aggregated roles, names, subresources,
/// groups, service accounts. Where an AKS cluster with Azure RBAC is given, Azure's roles count too. Each line says
/// by which binding and rule; what nobody can say, and what was not given, is listed.
///
/// Exit code: 0 answered; 2 wrong use; 3 nothing to answer from; 4 something given could not be read.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "seawall who-can [OPTIONS] VERB RESOURCE[/SUBRESOURCE] [PATH]...
       seawall who-can [OPTIONS] VERB /PATH-OF-THE-SERVER [PATH]...
       seawall who-can [OPTIONS] AZURE-ACTION [PATH]...
       seawall who-can [OPTIONS] --takeover [PATH]...
       seawall who-can [OPTIONS] --as SUBJECT [PATH]...
       seawall who-can [OPTIONS] --escalations [PATH]...
       seawall who-can [OPTIONS] --all [PATH]...",
    after_help = "Examples:
  seawall who-can list secrets -n payments deploy         in one namespace
  seawall who-can create pods/exec --cluster              in a running cluster
  seawall who-can get secrets --name db deploy            one object
  seawall who-can get /metrics deploy                     a path of the server
  seawall who-can Microsoft.ContainerService/managedClusters/runCommand/action infra
  seawall who-can --takeover infra                        who gets into the clusters through Azure
  seawall who-can --as sa:shop/web deploy                 what a service account may do
  seawall who-can --escalations deploy --bootstrap-roles  whose rights amount to more
  seawall who-can --all -n shop deploy --format html=rights.html"
)]
pub(crate) struct Args {
    #[command(flatten)]
    rights: RightsArgs,
    /// Only this namespace
    #[arg(short = 'n', long = "in", value_name = "NAMESPACE")]
    within: Option<String>,
    /// Only the object of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// List what somebody may do: `jane`, `group:dev`, `sa:NAMESPACE/NAME`, `azure:OBJECT-ID`
    #[arg(long = "as", value_name = "SUBJECT", conflicts_with_all = ["escalations", "all", "name"])]
    subject: Option<String>,
    /// With `--as`: a group that they are in as well (repeatable)
    #[arg(long, value_name = "GROUP", requires = "subject")]
    as_group: Vec<String>,
    /// List whose rights amount to more than they say
    #[arg(long, conflicts_with_all = ["all", "name"])]
    escalations: bool,
    /// List who can take over the AKS clusters through Azure's roles
    #[arg(long, conflicts_with_all = ["subject", "escalations", "all", "name"])]
    takeover: bool,
    /// Of an Azure action: only this resource, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["subject", "escalations", "all", "takeover", "name"])]
    scope: Option<String>,
    /// Every verb and resource: how many may; as a matrix, who may what in a namespace
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// List the parts of Kubernetes itself one by one
    #[arg(long)]
    built_in: bool,
    /// text, json, csv, matrix, html; `F=FILE` writes to a file
    #[arg(long, value_name = "F[=FILE]", default_value = "text")]
    format: String,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Csv,
    Matrix,
    Html,
}

/// What is asked for, with the rights to answer from.
struct Asking<'a> {
    args: &'a Args,
    rights: &'a Rights,
    format: Format,
    layout: Layout,
    /// What was read, as people call it.
    read: Vec<String>,
}

pub(crate) fn run(mut args: Args) -> anyhow::Result<u8> {
    let (format, file) = format(&args.format)?;
    if let Some(about) = azure::question(&mut args)? {
        return azure::run(&args, &about, format, file);
    }
    let asks = args.subject.is_none() && !args.escalations && !args.all;
    let words = if asks {
        Some(take_question(&mut args.rights.estate.paths)?)
    } else {
        None
    };
    let rights = Rights::read(&args.rights)?;
    if rights.is_empty() {
        let mut stderr = anstream::stderr().lock();
        writeln!(
            stderr,
            "error: nothing to answer from: no role or binding in what was given"
        )?;
        writeln!(
            stderr,
            "  help: give manifests of roles and bindings, or `--cluster`"
        )?;
        return Ok(3);
    }
    let mut read: Vec<String> = args
        .rights
        .estate
        .paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let snapshots = args.rights.estate.snapshot.iter();
    read.extend(snapshots.map(|path| path.display().to_string()));
    if args.rights.estate.cluster {
        read.push("the cluster".to_owned());
    }
    let asking = Asking {
        args: &args,
        rights: &rights,
        format,
        layout: Layout {
            width: if file.is_some() { 80 } else { output::width() },
            built_in: args.built_in,
        },
        read,
    };
    let text = match &words {
        Some((verb, resource)) => question::answer(&asking, verb, resource)?,
        None => match &args.subject {
            Some(subject) => subject::answer(&asking, subject)?,
            None if args.escalations => subject::escalations(&asking)?,
            None => all::answer(&asking)?,
        },
    };
    match file {
        Some(file) => std::fs::write(&file, text)
            .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?,
        None => anstream::stdout().lock().write_all(text.as_bytes())?,
    }
    // The other formats say it with all that was not given.
    if format == Format::Csv && !rights.which_cluster.is_empty() {
        let text = format!(
            "Azure's roles do not count: {} were given, say with `--aks` which one is meant",
            rights.which_cluster.join(", ")
        );
        output::say("note", &text)?;
    }
    Ok(rights.exit_code())
}

/// The first two words are the question, the others paths.
fn take_question(paths: &mut Vec<PathBuf>) -> anyhow::Result<(String, String)> {
    // `who-can get .` lacks the resource.
    let is_path = |word: &PathBuf| !word.starts_with("/") && word.exists();
    if paths.len() < 2 || (paths.len() == 2 && paths.get(1).is_some_and(is_path)) {
        return Err(Failure::new("say who may do what: a verb and a resource")
            .help("for instance `seawall who-can list secrets -n payments .`")
            .into());
    }
    let rest = paths.split_off(2);
    let words: Vec<String> = std::mem::replace(paths, rest)
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match <[String; 2]>::try_from(words) {
        Ok([verb, resource]) => Ok((verb, resource)),
        Err(_) => Err(Failure::new("say who may do what: a verb and a resource").into()),
    }
}

fn format(word: &str) -> anyhow::Result<(Format, Option<String>)> {
    let (name, file) = match word.split_once('=') {
        Some((name, file)) => (name, Some(file.to_owned())),
        None => (word, None),
    };
    let format = match name {
        "text" | "terminal" => Format::Text,
        "json" => Format::Json,
        "csv" => Format::Csv,
        "matrix" => Format::Matrix,
        "html" => Format::Html,
        other => {
            return Err(Failure::new(format!(
                "there is no format `{other}`; there are text, json, csv, matrix, html"
            ))
            .into());
        }
    };
    Ok((format, file))
}

impl Asking<'_> {
    /// Puts rights into words.
    fn words<T>(&self, use_them: impl FnOnce(&Words<'_>) -> T) -> T {
        use_them(&Words {
            estate: &self.rights.estate,
            name: &|id| self.rights.name(id),
        })
    }

    /// A matrix as text or as a page.
    fn matrix(&self, matrix: &matrix::Matrix) -> String {
        match self.format {
            Format::Html => page::html(matrix, &self.read, self.args.built_in),
            _ => matrix::shown(matrix, self.layout),
        }
    }

    /// What was not given.
    fn gaps(&self) -> Vec<String> {
        self.rights.gaps(match &self.args.within {
            Some(namespace) => analysis::ask::Within::Namespace(namespace),
            None => analysis::ask::Within::Anywhere,
        })
    }

    /// A format that makes no sense here.
    fn refuse(&self, what: &str) -> anyhow::Error {
        Failure::new(format!("`{what}` has no such format"))
            .help("take text, json or csv")
            .into()
    }
}

/// JSON as it is printed.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
