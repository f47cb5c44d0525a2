//! `seawall policy`: the guide as what a cluster enforces by itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::guide::export::{
    self, AzurePolicy, ConfigMap, Enforce, Export, FIRST_MUTATING_MINOR, Fixes, LeftOut,
    NAMESPACE_LABEL, Options, Waiver,
};
use ::guide::{Guide, Guideline, Setting};
use clap::Subcommand;
use report::config::Config;

use crate::choices;
use crate::commands::{assess, load_guide};
use crate::failure::Failure;

/// Makes admission policies of the guide.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Export(Box<ExportArgs>),
}

/// Writes the guidelines that can be enforced where objects are made as admission policies.
///
/// `vap` makes a ValidatingAdmissionPolicy and a ValidatingAdmissionPolicyBinding of each guideline.
/// The API server evaluates them itself: no webhook, nothing to keep running. `kyverno` makes a
/// ValidatingPolicy of each, for clusters that run Kyverno; `gatekeeper` a ConstraintTemplate and its
/// constraint. `azure-policy` makes what Azure Policy takes: a definition of each, which the add-on of
/// AKS hands to Gatekeeper, and one initiative of these and of the built-in definitions that ask for
/// what the guide asks of Azure resources, all in one template to deploy.
///
/// A guideline that needs other objects, Azure or a setting that is missing is not exported;
/// standard error lists each with the reason.
///
/// What a policy does follows the severity: critical and high are denied, medium and low warn
/// and leave an audit event. Begin with `--enforce warn`, see what would be refused, then leave
/// it out. With `--namespace-label` a namespace says itself what is done there: `warn`, `audit`,
/// `deny` or `off`; who may say so is a right of its own, which the export brings along.
/// `--mutating` has the API server make safe fixes itself, before policies judge.
/// Namespaces that AKS owns are left alone. Waivers of seawall.yaml that name a resource become
/// match conditions; they do not end by themselves, so export again when they do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall policy export --as vap --enforce warn | kubectl apply -f -   see what would be refused
  seawall policy export --as vap --framework pss-baseline --out policies
  kubectl apply --kustomize policies                                   and what it wrote, applied
  seawall policy export --as vap --namespace-label --settings kube-system/seawall-settings
  seawall policy export --as kyverno --guideline pss-host-path
  seawall policy export --as azure-policy --out azure
  az deployment sub create --location westeurope --template-file azure/azuredeploy.json

docs/policies.md tells what each form can do.

Exit code: 0 policies were written; 2 wrong use; 3 nothing can be exported.")]
struct ExportArgs {
    /// What to make: vap (ValidatingAdmissionPolicy), azure-policy, kyverno or gatekeeper
    #[arg(long = "as", value_name = "FORM", value_parser = ["vap", "azure-policy", "kyverno", "gatekeeper"], required = true)]
    form: String,
    /// Folder for one file per guideline and a kustomization [default: all to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Only guidelines that map to this framework (pss-baseline, cis-aks-1.8, …); repeatable
    #[arg(long, value_name = "ID")]
    framework: Vec<String>,
    /// Version of the API server that will enforce them, 1.30 or newer [default: what
    /// seawall.yaml says, else the newest known]
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    /// What every binding does: warn, audit or deny [default: deny for critical and high, warn
    /// and audit for medium and low]
    #[arg(long, value_name = "ACTION", value_parser = ["warn", "audit", "deny"])]
    enforce: Option<String>,
    /// vap: a label of namespaces says what is done there; without a KEY, seawall.dev/enforce
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = NAMESPACE_LABEL)]
    namespace_label: Option<String>,
    /// vap: the API server also makes the safe fixes itself (MutatingAdmissionPolicy, from 1.34 on)
    #[arg(long)]
    mutating: bool,
    /// With --mutating: the other fixes too
    #[arg(long = "unsafe", requires = "mutating")]
    unsafe_too: bool,
    /// vap: policies read lists and numbers of the configuration from this ConfigMap, so that they
    /// change without a new export
    #[arg(long, value_name = "NAMESPACE/NAME")]
    settings: Option<String>,
    /// Configuration to use instead of the seawall.yaml here or above
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The day that decides which waivers are in force [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.action {
        Action::Export(args) => export(args),
    }
}

fn export(args: &ExportArgs) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    let config = assess::read_config(args.config.as_deref(), &[PathBuf::from(".")], guide)?;
    let frameworks = choices::frameworks(&args.framework, &config, guide)?;
    choices::guidelines_exist(&args.guideline, guide)?;
    let setting = setting(args, guide, &config)?;
    let waivers = waivers(args, &config)?;
    let options = Options {
        server_minor: setting.kubernetes_minor,
        enforce: args.enforce.as_deref().and_then(Enforce::parse),
        waivers: &waivers,
        namespace_label: label(args)?,
        fixes: fixes(args, setting.kubernetes_minor)?,
        settings: config_map(args)?,
    };
    let selects = |guideline: &Guideline| {
        (args.guideline.is_empty() || args.guideline.iter().any(|id| **id == *guideline.id.0))
            && (frameworks.is_empty()
                || frameworks
                    .iter()
                    .any(|id| guideline.controls(id).next().is_some()))
    };
    if args.form == "azure-policy" {
        return azure_policy(
            args,
            &export::azure_policy(guide, &setting, options, selects),
            &setting,
        );
    }
    let made = match args.form.as_str() {
        "gatekeeper" => export::gatekeeper(guide, &setting, options, selects),
        "kyverno" => export::kyverno(guide, &setting, options, selects),
        _ => export::vap(guide, &setting, options, selects),
    };
    let fixing = options
        .fixes
        .map(|_| export::map(guide, &setting, options, selects));
    match &args.out {
        Some(folder) => write_files(folder, &made, fixing.as_ref())?,
        None => {
            let beside = made.beside.iter().map(|beside| beside.text.as_str());
            let fixing = fixing.iter().flat_map(|fixing| &fixing.policies);
            let texts: Vec<&str> = beside
                .chain(
                    made.policies
                        .iter()
                        .chain(fixing)
                        .map(|policy| policy.text.as_str()),
                )
                .collect();
            write!(std::io::stdout().lock(), "{}", texts.join("---\n"))?;
        }
    }
    write!(
        anstream::stderr().lock(),
        "{}",
        account(
            &format!(
                "{} exported for Kubernetes 1.{}{}",
                counted(made.policies.len(), "guideline"),
                setting.kubernetes_minor,
                place(args)
            ),
            &made.left_out,
            "waivers that policies do not hold, so the cluster is stricter:",
            &made.stricter,
        )
    )?;
    if let Some(fixing) = &fixing {
        write!(
            anstream::stderr().lock(),
            "{}",
            account(
                &format!(
                    "fixes of {} exported",
                    counted(fixing.policies.len(), "guideline")
                ),
                &unfixed(&made, fixing),
                "fixed in part:",
                &fixing.stricter
            )
        )?;
    }
    Ok(if made.policies.is_empty() { 3 } else { 0 })
}

/// What is judged but not fixed; what is not judged has been named.
fn unfixed(made: &Export, fixing: &Export) -> Vec<LeftOut> {
    let judged = |out: &&LeftOut| {
        made.policies
            .iter()
            .any(|policy| policy.guideline == out.guideline)
    };
    fixing.left_out.iter().filter(judged).cloned().collect()
}

/// Which fixes `--mutating` and `--unsafe` ask for.
fn fixes(args: &ExportArgs, minor: u8) -> anyhow::Result<Option<Fixes>> {
    if !args.mutating {
        return Ok(None);
    }
    only_vap(args, "--mutating")?;
    if minor < FIRST_MUTATING_MINOR {
        return Err(Failure::new(format!(
            "Kubernetes 1.{minor} has no MutatingAdmissionPolicy"
        ))
        .help(format!(
            "it is beta and switched off since 1.{FIRST_MUTATING_MINOR}, stable since 1.36: leave `--mutating` out, or name a newer version"
        ))
        .into());
    }
    Ok(Some(if args.unsafe_too {
        Fixes::All
    } else {
        Fixes::Safe
    }))
}

/// Writes definitions and the initiative, and says what they are.
fn azure_policy(args: &ExportArgs, made: &AzurePolicy, setting: &Setting) -> anyhow::Result<u8> {
    let nothing = made.definitions.is_empty() && made.built_in == 0;
    match &args.out {
        _ if nothing => {}
        Some(folder) => write_azure(folder, made)?,
        None => write!(std::io::stdout().lock(), "{}", made.deployment)?,
    }
    let head = format!(
        "{} made for Kubernetes 1.{}, {} used{}",
        counted(made.definitions.len(), "definition"),
        setting.kubernetes_minor,
        counted(made.built_in, "built-in definition"),
        place(args)
    );
    write!(
        anstream::stderr().lock(),
        "{}",
        account(
            &head,
            &made.left_out,
            "where Azure Policy is not as the guideline:",
            &made.differences
        )
    )?;
    Ok(if nothing { 3 } else { 0 })
}

fn write_azure(folder: &Path, made: &AzurePolicy) -> anyhow::Result<()> {
    let mut files = vec![
        ("azuredeploy.json".to_owned(), made.deployment.clone()),
        (
            "initiative.json".to_owned(),
            format!("{:#}\n", made.initiative),
        ),
    ];
    for definition in &made.definitions {
        files.push((
            format!("definitions/{}.json", definition.name),
            format!("{:#}\n", definition.properties),
        ));
        if let Some(template) = &definition.template {
            files.push((
                format!("templates/{}.yaml", definition.name),
                template.clone(),
            ));
        }
    }
    for (name, text) in files {
        write_file(folder, &name, &text)?;
    }
    Ok(())
}

fn write_file(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| {
            Failure::new(format!("cannot write to `{}`: {error}", folder.display())).into()
        })
}

fn setting(args: &ExportArgs, guide: &Guide, config: &Config) -> anyhow::Result<Setting> {
    let minor = choices::kubernetes(args.kubernetes.as_deref(), config, guide, || Ok(None))?;
    if minor < export::FIRST_MINOR {
        return Err(Failure::new(format!(
            "Kubernetes 1.{minor} has no ValidatingAdmissionPolicy"
        ))
        .help(format!(
            "it is stable since 1.{}: `--kubernetes 1.{0}` or newer",
            export::FIRST_MINOR
        ))
        .into());
    }
    let mut setting = ::guide::setting::setting(guide, config.params.as_deref(), Some(minor))
        .map_err(Failure::new)?;
    setting.severities.clone_from(&config.severities);
    Ok(setting)
}

/// The ConfigMap of `--settings`.
fn config_map(args: &ExportArgs) -> anyhow::Result<Option<ConfigMap<'_>>> {
    let Some(text) = &args.settings else {
        return Ok(None);
    };
    only_vap(args, "--settings")?;
    match text.split_once('/') {
        Some((namespace, name))
            if !namespace.is_empty() && !name.is_empty() && !name.contains('/') =>
        {
            Ok(Some(ConfigMap { namespace, name }))
        }
        _ => Err(Failure::new(format!(
            "`{text}` does not name a ConfigMap with its namespace"
        ))
        .help("NAMESPACE/NAME, for instance `--settings kube-system/seawall-settings`")
        .into()),
    }
}

/// The key of `--namespace-label`.
fn label(args: &ExportArgs) -> anyhow::Result<Option<&str>> {
    let Some(key) = args.namespace_label.as_deref() else {
        return Ok(None);
    };
    only_vap(args, "--namespace-label")?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if plain(name) && prefix.is_none_or(plain) {
        return Ok(Some(key));
    }
    Err(Failure::new(format!("`{key}` is no key of a label"))
        .help(format!(
            "for instance `--namespace-label {NAMESPACE_LABEL}`"
        ))
        .into())
}

fn only_vap(args: &ExportArgs, flag: &str) -> anyhow::Result<()> {
    if args.form == "vap" {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{flag}` is for `--as vap`: policies of {} have no bindings",
        args.form
    ))
    .help("leave it out, or export with `--as vap`")
    .into())
}

/// The waivers in force, as `assess` judges them.
fn waivers(args: &ExportArgs, config: &Config) -> anyhow::Result<Vec<Waiver>> {
    let as_of = choices::day(args.as_of.as_deref())?;
    let in_force = |until: &str| {
        until
            .parse::<jiff::civil::Date>()
            .is_ok_and(|until| until >= as_of)
    };
    let valid = config.waivers.iter().filter(|waiver| {
        !waiver.reason.is_empty()
            && !waiver.owner.is_empty()
            && waiver.until.as_deref().is_none_or(in_force)
    });
    Ok(valid
        .map(|waiver| {
            let until = waiver
                .until
                .as_deref()
                .map(|until| format!(" until {until}"))
                .unwrap_or_default();
            let reason = waiver
                .reason
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let owner = waiver
                .owner
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            Waiver {
                guideline: waiver.guideline.clone(),
                resource: waiver.resource.clone(),
                item: waiver.container.clone(),
                reason: format!("{reason} ({owner}){until}").into(),
            }
        })
        .collect())
}

fn write_files(folder: &Path, made: &Export, fixing: Option<&Export>) -> anyhow::Result<()> {
    let beside = made
        .beside
        .iter()
        .map(|beside| (format!("{}.yaml", beside.stem), &beside.text));
    let policies = made
        .policies
        .iter()
        .map(|policy| (format!("{}.yaml", policy.guideline), &policy.text));
    let mut kustomization = String::from(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n",
    );
    let fixing = fixing.iter().flat_map(|fixing| &fixing.policies);
    let fixing = fixing.map(|policy| (format!("{}-fix.yaml", policy.guideline), &policy.text));
    for (name, text) in beside.chain(policies).chain(fixing) {
        let _ = writeln!(kustomization, "- {name}");
        write_file(folder, &name, text)?;
    }
    if !made.policies.is_empty() {
        write_file(folder, "kustomization.yaml", &kustomization)?;
    }
    Ok(())
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn place(args: &ExportArgs) -> String {
    args.out
        .as_ref()
        .map(|folder| format!(" to {}", folder.display()))
        .unwrap_or_default()
}

/// What was made and what was not, for people.
fn account(head: &str, left_out: &[LeftOut], title: &str, others: &[LeftOut]) -> String {
    let mut text = format!("{head}\n");
    let width = left_out
        .iter()
        .chain(others)
        .map(|out| out.guideline.0.len())
        .max()
        .unwrap_or_default();
    if !left_out.is_empty() {
        let _ = writeln!(text, "{} not exported:", left_out.len());
        for out in left_out {
            let _ = writeln!(text, "  {:width$}  {}", out.guideline.0, out.reason);
        }
    }
    if !others.is_empty() {
        let _ = writeln!(text, "{title}");
        for out in others {
            let _ = writeln!(text, "  {:width$}  {}", out.guideline.0, out.reason);
        }
    }
    text
}
