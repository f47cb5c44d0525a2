//! `seawall template`: what a template comes to, and what Bicep compiles to.

mod values;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bicep::deployment::{Problem, ProblemKind};
use clap::Subcommand;
use sources::template::{Expanded, expand};

use crate::choices;
use crate::failure::Failure;

/// Evaluates ARM templates and Bicep, and compiles Bicep, offline.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prints the resources that a template would deploy, as JSON
    ///
    /// Reads ARM JSON, Bicep and .bicepparam. What the template leaves open is
    /// `{"$unknown": "the expression", "because": ["what decides it"]}`; secrets are
    /// `{"$secret": "…"}`. Exit code: 0 all evaluated; 4 something could not be.
    #[command(after_help = "Examples:
  seawall template expand main.bicep
  seawall template expand main.bicep --parameters main.parameters.json
  seawall template expand prod.bicepparam")]
    Expand {
        /// An ARM template, a Bicep file or a .bicepparam file
        file: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Prints the ARM JSON that a Bicep file compiles to
    #[command(after_help = "Example:
  seawall template build main.bicep --out main.json")]
    Build {
        /// A Bicep file
        file: PathBuf,
        /// A file to write instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        inputs: Inputs,
    },
}

#[derive(Debug, clap::Args)]
struct Inputs {
    /// Parameter files (JSON); repeatable, a later one counts more
    #[arg(long, value_name = "FILE")]
    parameters: Vec<PathBuf>,
    /// Folder with published Bicep modules, laid out as in ~/.bicep/br or PATH/VERSION/main.json;
    /// repeatable
    #[arg(long, value_name = "DIR")]
    module_cache: Vec<PathBuf>,
}

impl Inputs {
    fn options(&self) -> sources::Options {
        sources::Options {
            parameters: self.parameters.clone(),
            module_caches: self.module_cache.clone(),
            ..sources::Options::default()
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let (file, inputs) = match &args.action {
        Action::Expand { file, inputs } | Action::Build { file, inputs, .. } => (file, inputs),
    };
    choices::inputs_exist(&inputs.parameters, &inputs.module_cache)?;
    is_template(file, matches!(args.action, Action::Build { .. }))?;
    let outcome = expand(file, &inputs.options(), |expanded| match &args.action {
        Action::Expand { .. } => {
            let mut out = anstream::stdout().lock();
            out.write_all(values::document(expanded).as_bytes())?;
            report(
                expanded,
                expanded.problems.iter().chain(&expanded.expansion.problems),
            )
        }
        Action::Build { out, .. } => {
            let json = bicep::emit::emit(expanded.root);
            let broken = expanded
                .problems
                .iter()
                .any(|problem| problem.kind == ProblemKind::Syntax);
            match out {
                // What stood there is worth more than half a template.
                Some(_) if broken => {}
                Some(path) if is_source(path, expanded) => {
                    return Err(Failure::new(format!(
                        "`{}` is one of the files that are read",
                        path.display()
                    ))
                    .help("give another file to `--out`")
                    .into());
                }
                Some(path) => std::fs::write(path, json).map_err(|error| {
                    Failure::new(format!("cannot write `{}`: {error}", path.display()))
                })?,
                None => anstream::stdout().lock().write_all(json.as_bytes())?,
            }
            report(expanded, expanded.problems.iter())
        }
    });
    outcome.map_err(|reason| {
        Failure::new(reason).help("give an ARM template, a `.bicep` or a `.bicepparam` file")
    })?
}

/// Whether a file is among the texts that were read.
fn is_source(path: &Path, expanded: &Expanded<'_, '_>) -> bool {
    let real = path.canonicalize().ok();
    real.is_some()
        && expanded
            .sources
            .iter()
            .any(|(_, source)| Path::new(source.name).canonicalize().ok() == real)
}

/// Refuses what is no template before anything is made of it.
fn is_template(file: &Path, only_bicep: bool) -> anyhow::Result<()> {
    let refuse = |what: &str, help: &str| Err(Failure::new(what.to_owned()).help(help).into());
    let shown = file.display();
    if file.as_os_str() == "-" {
        return refuse(
            "standard input is not taken here",
            "give an ARM template, a `.bicep` or a `.bicepparam` file",
        );
    }
    if file.is_dir() || file.extension().is_some_and(|ending| ending == "tf") {
        return refuse(
            &format!("`{shown}` is no template file"),
            "give one `.bicep`, `.bicepparam` or ARM JSON file; `seawall assess` reads folders and \
             Terraform",
        );
    }
    let ending = file.extension().and_then(|ending| ending.to_str());
    if matches!(ending, Some("bicep" | "bicepparam")) {
        return Ok(());
    }
    if only_bicep {
        return refuse(
            &format!("`{shown}` is no Bicep file"),
            "`template build` compiles `.bicep`; `template expand` evaluates ARM JSON too",
        );
    }
    // A file that cannot be read is told by whoever reads it.
    let text = std::fs::read(file).unwrap_or_default();
    if !text.is_empty() && !model::arm::is_template(&String::from_utf8_lossy(&text)) {
        return refuse(
            &format!("`{shown}` is no ARM template: its `$schema` does not say so"),
            "give an ARM template, a `.bicep` or a `.bicepparam` file",
        );
    }
    Ok(())
}

/// Says what went wrong on standard error, a line each.
fn report<'p>(
    expanded: &Expanded<'_, '_>,
    problems: impl Iterator<Item = &'p Problem>,
) -> anyhow::Result<u8> {
    let mut stderr = anstream::stderr().lock();
    let mut seen = BTreeSet::new();
    for problem in problems {
        let name = expanded
            .sources
            .get(problem.span.file)
            .map_or("", |source| source.name);
        let (line, column) = expanded.sources.line_column(problem.span);
        let message =
            model::azure::secrets::scrubbed(&problem.message, &expanded.secrets, expanded.sources);
        let text = format!("{name}:{line}:{column}: {message}");
        if seen.insert(text.clone()) {
            writeln!(stderr, "{text}")?;
            if let Some(help) = &problem.help {
                writeln!(stderr, "  help: {help}")?;
            }
        }
    }
    Ok(if seen.is_empty() { 0 } else { 4 })
}
