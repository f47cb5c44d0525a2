//! The guide as admission policies that an API server enforces by itself.
//!
//! A guideline becomes one policy when everything it reads is known to admission: `policy` drafts
//! it in no language, and one module for each language writes it down. What is not exported is
//! named with the reason; nothing is left out silently. It leaves out whatever needs other objects:
//! that is the webhook's work.

mod azure_fields;
mod azure_policy;
mod bindings;
mod fold;
mod gatekeeper;
mod kyverno;
mod layout;
mod mutate;
mod policy;
mod resources;
mod settings;
mod waiver;
mod write;

use std::collections::BTreeSet;

use model::managed::Managed;
use model::{GuidelineId, Severity};

use crate::catalogue::Guide;
use crate::front_matter;
use crate::guideline::Guideline;
use crate::judge::Setting;

/// The first Kubernetes minor in which ValidatingAdmissionPolicy is stable.
pub const FIRST_MINOR: u8 = 30;

/// What a binding does about an object that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforce {
    /// The request goes through; whoever made it sees a warning.
    Warn,
    /// The request goes through; the audit event says so.
    Audit,
    /// The request is refused.
    Deny,
}

impl Enforce {
    /// The word of the command line.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "warn" => Some(Self::Warn),
            "audit" => Some(Self::Audit),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// `validationActions` of a binding. Without a wish, the severity decides: what is critical
    /// or high is refused, the rest warns and leaves an audit event.
    fn actions(wish: Option<Self>, severity: Severity) -> &'static [&'static str] {
        match wish {
            Some(Self::Warn) => &["Warn"],
            Some(Self::Audit) => &["Audit"],
            Some(Self::Deny) => &["Deny"],
            None if severity >= Severity::High => &["Deny"],
            None => &["Warn", "Audit"],
        }
    }

    /// The word of the command line, and of the namespace label.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Audit => "audit",
            Self::Deny => "deny",
        }
    }
}

/// An accepted finding that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Which guideline.
    pub guideline: Box<str>,
    /// Which resources: `Deployment/shop/web`, with `*` for anything; none: all.
    pub resource: Option<Box<str>>,
    /// Which container or other item.
    pub item: Option<Box<str>>,
    /// Why, who, until when: one line.
    pub reason: Box<str>,
}

/// What policies are made for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The minor of the API server that will accept the policies.
    pub server_minor: u8,
    /// What bindings do; by severity when absent.
    pub enforce: Option<Enforce>,
    /// Those in force.
    pub waivers: &'a [Waiver],
    /// A namespace's label with this key says what bindings do there: `warn`, `audit`, `deny` or `off`.
    pub namespace_label: Option<&'a str>,
    /// Which fixes the API server makes by itself.
    pub fixes: Option<Fixes>,
    /// Policies read the configuration from this ConfigMap; without it, it is written into them.
    pub settings: Option<ConfigMap<'a>>,
}

/// Which fixes become MutatingAdmissionPolicies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixes {
    /// Those that may be made without asking.
    Safe,
    /// The others too.
    All,
}

/// The first Kubernetes minor that has MutatingAdmissionPolicy as beta.
pub const FIRST_MUTATING_MINOR: u8 = 34;

/// Where settings are kept in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigMap<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The key of the label that `Options::namespace_label` usually is.
pub const NAMESPACE_LABEL: &str = "seawall.dev/enforce";

/// A guideline as YAML: a policy and its bindings, where its language has these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which.
    pub guideline: GuidelineId,
    /// The name of the policy.
    pub name: String,
    /// One document or several.
    pub text: String,
}

/// What policies need beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The name of a file for it, without its ending.
    pub stem: &'static str,
    /// YAML: one document or several.
    pub text: String,
}

/// Something that policies do not say, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Of which guideline.
    pub guideline: GuidelineId,
    /// A clause.
    pub reason: String,
}

/// A definition of Azure Policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name in Azure.
    pub name: String,
    /// The ConstraintTemplate in it, in clear; a definition for Azure resources has none.
    pub template: Option<String>,
    /// What `Microsoft.Authorization/policyDefinitions` takes.
    pub properties: serde_json::Value,
}

/// The guide as Azure Policy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AzurePolicy {
    /// One for each guideline about what runs in clusters, and for those about Azure resources that
    /// conditions on fields can ask.
    pub definitions: Vec<Definition>,
    /// How many built-in definitions the initiative has.
    pub built_in: usize,
    /// What `Microsoft.Authorization/policySetDefinitions` takes.
    pub initiative: serde_json::Value,
    /// All of it as an ARM template for a subscription.
    pub deployment: String,
    /// Guidelines without a definition.
    pub left_out: Vec<LeftOut>,
    /// Where definitions ask for less, more or something else than the guideline.
    pub differences: Vec<LeftOut>,
}

/// The guide as policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Export {
    /// In the order of guidelines.
    pub policies: Vec<Policy>,
    /// What they need: settings, who may set the label.
    pub beside: Vec<Beside>,
    /// Guidelines without a policy.
    pub left_out: Vec<LeftOut>,
    /// Waivers that a policy does not hold: it is stricter than the configuration.
    pub stricter: Vec<LeftOut>,
}

/// Exports the guidelines that `select` chooses as ValidatingAdmissionPolicies with their bindings, for the version and
/// configuration of `setting`.
#[must_use]
pub fn vap(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
) -> Export {
    let mut keys = BTreeSet::new();
    let mut export = each(guide, setting, options, select, |name, draft| {
        keys.extend(draft.settings.iter().cloned());
        Ok(write::documents(name, draft))
    });
    if let Some(map) = options.settings
        && !keys.is_empty()
    {
        export.beside.push(Beside {
            stem: "seawall-settings",
            text: settings::config_map(guide, setting, map, &keys),
        });
    }
    if let Some(key) = options.namespace_label
        && !export.policies.is_empty()
    {
        export.beside.push(Beside {
            stem: "seawall-enforce-label",
            text: bindings::guard(key),
        });
    }
    export
}

/// Exports the fixes of the guidelines that `select` chooses, as far as `options.fixes` wants them, as
/// MutatingAdmissionPolicies with their bindings.
#[must_use]
pub fn map(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
) -> Export {
    let mut partly = Vec::new();
    let mut export = each(guide, setting, options, select, |name, draft| {
        let (mutations, reasons) = draft.mutations.as_ref().map_err(Clone::clone)?;
        partly.extend(reasons.iter().map(|reason| LeftOut {
            guideline: draft.guideline.id.clone(),
            reason: format!("one of its fixes: {reason}"),
        }));
        Ok(mutate::documents(name, draft, mutations))
    });
    for policy in &mut export.policies {
        policy.name.push_str("-fix");
    }
    export.stricter = partly;
    export
}

/// Exports the guidelines that `select` chooses as Kyverno's ValidatingPolicies.
#[must_use]
pub fn kyverno(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
) -> Export {
    each(guide, setting, options, select, |name, draft| {
        kyverno::document(name, draft)
    })
}

/// Exports the guidelines that `select` chooses as ConstraintTemplates and constraints of Gatekeeper.
#[must_use]
pub fn gatekeeper(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
) -> Export {
    each(guide, setting, options, select, gatekeeper::documents)
}

/// Exports the guidelines that `select` chooses as Azure Policy.
#[must_use]
pub fn azure_policy(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
) -> AzurePolicy {
    let mut made = AzurePolicy::default();
    let mut entries = Vec::new();
    let chosen = |guideline: &Guideline| select(guideline) && !guideline.needs.azure;
    let export = each(guide, setting, options, chosen, |name, draft| {
        let definition = azure_policy::definition(name, draft)?;
        entries.push(azure_policy::entry(&definition, draft.guideline, setting));
        made.definitions.push(definition);
        Ok(String::new())
    });
    made.left_out = export.left_out;
    made.differences = export.stricter;
    for guideline in &guide.guidelines {
        if !guideline.needs.azure || !select(guideline) {
            continue;
        }
        let out = |reason| LeftOut {
            guideline: guideline.id.clone(),
            reason,
        };
        match azure_policy::built_in(guide, guideline, setting) {
            Ok(found) => {
                made.built_in += found.len();
                entries.extend(found);
                let differences = azure_policy::differences(guide, &guideline.id);
                made.differences.extend(differences.into_iter().map(out));
            }
            Err(never) if never.contains("asks nothing") => made.left_out.push(out(never)),
            Err(_) => match azure_policy::field_definition(guide, guideline, setting, options) {
                Ok(definition) => {
                    entries.push(azure_policy::entry(&definition, guideline, setting));
                    made.definitions.push(definition);
                }
                Err(reason) => made.left_out.push(out(reason)),
            },
        }
    }
    let namespaces = aks_namespaces(guide);
    made.initiative =
        azure_policy::initiative(options, namespaces.iter().map(|name| &**name), &entries);
    made.deployment = azure_policy::deployment(&made.definitions, &made.initiative);
    made
}

/// Where a guideline can be enforced, as sentences with what to type.
#[must_use]
pub fn ways(guide: &Guide, guideline: &Guideline) -> Vec<String> {
    let command = |form: &str| {
        format!(
            "seawall policy export --as {form} --guideline {}",
            guideline.id
        )
    };
    let setting = crate::setting::setting(guide, None, None).ok();
    if let Some(why) = guideline.needs.not_enforceable {
        let built_in = setting
            .filter(|_| guideline.needs.azure)
            .and_then(|setting| azure_policy::built_in(guide, guideline, &setting).ok());
        return vec![match built_in {
            Some(found) if found.len() == 1 => {
                format!(
                    "in Azure, by a built-in definition: {}",
                    command("azure-policy")
                )
            }
            Some(_) => format!(
                "in Azure, by built-in definitions: {}",
                command("azure-policy")
            ),
            None => format!("not by the cluster itself: {why}"),
        }];
    }
    let mut ways = vec![
        format!("at admission: {}", command("vap")),
        "for Azure Policy, Kyverno or Gatekeeper: `--as azure-policy`, `kyverno`, `gatekeeper`"
            .to_owned(),
    ];
    if let Some(setting) = setting {
        let fixed_by = |fixes| {
            let options = Options {
                server_minor: setting.kubernetes_minor,
                fixes: Some(fixes),
                ..Options::default()
            };
            !map(guide, &setting, options, |other| other.id == guideline.id)
                .policies
                .is_empty()
        };
        if fixed_by(Fixes::Safe) {
            ways.push("the API server can fix it by itself: `--mutating`".to_owned());
        } else if fixed_by(Fixes::All) {
            ways.push("the API server can fix it by itself: `--mutating --unsafe`".to_owned());
        }
    }
    ways
}

/// Drafts each guideline that `select` chooses and has it written.
fn each(
    guide: &Guide,
    setting: &Setting,
    options: Options<'_>,
    select: impl Fn(&Guideline) -> bool,
    mut write: impl FnMut(&str, &policy::Draft<'_>) -> Result<String, String>,
) -> Export {
    let mut export = Export::default();
    let namespaces = aks_namespaces(guide);
    for guideline in guide
        .guidelines
        .iter()
        .filter(|guideline| select(guideline))
    {
        let mut stricter = Vec::new();
        let out = |reason| LeftOut {
            guideline: guideline.id.clone(),
            reason,
        };
        let name = format!("seawall-{}", guideline.id);
        let written = policy::draft(
            guide,
            guideline,
            setting,
            options,
            &namespaces,
            &mut stricter,
        )
        .and_then(|draft| write(&name, &draft));
        match written {
            Ok(text) => {
                export.policies.push(Policy {
                    guideline: guideline.id.clone(),
                    name,
                    text,
                });
                export.stricter.extend(stricter.into_iter().map(out));
            }
            Err(reason) => export.left_out.push(out(reason)),
        }
    }
    export
}

/// The namespaces that AKS owns, and kube-system, which it needs to start at all.
fn aks_namespaces(guide: &Guide) -> BTreeSet<Box<str>> {
    let managed = guide
        .data
        .get("provider-managed.yaml")
        .and_then(|text| front_matter::read(text, 1).ok())
        .map(|doc| Managed::from_data(doc.root()))
        .unwrap_or_default();
    managed
        .namespaces
        .into_iter()
        .chain(["kube-system".into()])
        .collect()
}
