//! The policies that a guideline is exported as, with the settings that a cluster has by default.

use std::collections::BTreeMap;

use guide::export::{self, Options};
use guide::{Guide, Guideline};
use maud::{Markup, html};
use model::GuidelineId;
use serde_json::Value;

use crate::html::prose;

/// Policies of all guidelines, or why there is none.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// ValidatingAdmissionPolicies.
    admission: BTreeMap<GuidelineId, Result<String, String>>,
    azure: BTreeMap<GuidelineId, Azure>,
}

/// What Azure Policy has for a guideline.
#[derive(Debug)]
enum Azure {
    /// A definition of one's own.
    Own(String),
    /// Ids of built-in definitions.
    BuiltIn(Vec<String>),
    Nothing(String),
}

impl Policies {
    pub(super) fn of(guide: &Guide) -> Self {
        let Ok(setting) = guide::setting::setting(guide, None, None) else {
            return Self::default();
        };
        let options = Options {
            server_minor: setting.kubernetes_minor,
            ..Options::default()
        };
        let export = export::vap(guide, &setting, options, |_| true);
        let mut admission = BTreeMap::new();
        for left in export.left_out {
            admission.insert(left.guideline, Err(left.reason));
        }
        for policy in export.policies {
            admission.insert(policy.guideline, Ok(policy.text));
        }
        let mut azure = BTreeMap::new();
        for guideline in guide.guidelines.iter().filter(|own| own.needs.azure) {
            let mut made =
                export::azure_policy(guide, &setting, options, |own| own.id == guideline.id);
            let said = match (made.definitions.pop(), made.left_out.pop()) {
                (Some(own), _) => Azure::Own(format!("{:#}", own.properties)),
                (None, Some(left)) => Azure::Nothing(left.reason),
                (None, None) => Azure::BuiltIn(built_in(&made.initiative)),
            };
            azure.insert(guideline.id.clone(), said);
        }
        Self { admission, azure }
    }
}

/// The definitions that an initiative names.
fn built_in(initiative: &Value) -> Vec<String> {
    let entries = initiative
        .get("policyDefinitions")
        .and_then(Value::as_array);
    let id = |entry: &Value| Some(entry.get("policyDefinitionId")?.as_str()?.to_owned());
    entries.into_iter().flatten().filter_map(id).collect()
}

/// Where a guideline can be enforced.
pub(super) fn section(policies: &Policies, guideline: &Guideline) -> Markup {
    let id = &guideline.id;
    html! {
        section.prose aria-labelledby="enforced" {
            h2 #enforced { "Where it can be enforced" }
            @match (policies.admission.get(id), policies.azure.get(id)) {
                (_, Some(azure)) => (self::azure(azure, id)),
                (Some(Ok(policy)), None) => {
                    p { "By the API server itself, as a ValidatingAdmissionPolicy. " code { "seawall policy export --guideline " (id) } " writes it for your settings, and " code { "--as kyverno" } ", " code { "gatekeeper" } " or " code { "azure-policy" } " for others." }
                    (listing("The policy", "ValidatingAdmissionPolicy", policy))
                }
                (Some(Err(reason)), None) => p { "There is no policy by which the API server enforces it: " (prose::words(reason)) "." },
                (None, None) => p { "There is no policy by which the API server enforces it." },
            }
        }
    }
}

fn azure(azure: &Azure, id: &GuidelineId) -> Markup {
    html! {
        @match azure {
            Azure::Own(definition) => {
                p { "By Azure Resource Manager, as a definition of Azure Policy. " code { "seawall policy export --as azure-policy --guideline " (id) } " writes it with its assignment." }
                (listing("The definition", "Azure Policy", definition))
            }
            Azure::BuiltIn(definitions) => {
                p { "By Azure Resource Manager, with what Azure Policy has built in:" }
                ul { @for definition in definitions { li { code { (definition) } } } }
            }
            Azure::Nothing(reason) => p { "There is no Azure Policy that enforces it: " (prose::words(reason)) "." },
        }
    }
}

fn listing(summary: &str, form: &str, text: &str) -> Markup {
    html! {
        details.long {
            summary { (summary) }
            figure.source {
                figcaption { strong { (form) } }
                pre tabindex="0" aria-label=(form) { code { (text.trim_end()) } }
            }
        }
    }
}
