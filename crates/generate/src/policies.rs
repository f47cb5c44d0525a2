//! The guide's own admission policies, for the cluster that is set up.

use std::collections::BTreeMap;

use guide::export::{self, Enforce, Options};
use guide::{Guide, front_matter, setting};
use model::Severity;

use crate::plan::Plan;

/// Policies by the name of their guideline: those about what must not happen. Everything below that severity is
/// found by the pipeline, where it stands in nobody's way. `configuration` is the text of `seawall.yaml`.
///
/// # Errors
/// When the configuration cannot be read, which no intent can cause.
pub(crate) fn policies(
    guide: &Guide,
    plan: &Plan,
    configuration: &str,
) -> Result<BTreeMap<String, String>, String> {
    let minor = guide::parse_minor(&plan.intent.kubernetes);
    let params = params(guide, configuration)?;
    let setting = setting::setting(guide, Some(&params), minor)?;
    let waivers: Vec<export::Waiver> = plan
        .waivers
        .iter()
        .map(|waiver| export::Waiver {
            guideline: waiver.guideline.clone(),
            resource: waiver.resource.clone(),
            item: waiver.container.clone(),
            reason: waiver.reason.as_str().into(),
        })
        .collect();
    let options = Options {
        server_minor: setting.kubernetes_minor,
        enforce: Some(Enforce::Deny),
        waivers: &waivers,
    };
    let made = export::vap(guide, &setting, options, |guideline| {
        guideline.severity >= Severity::High
    });
    let texts = made.policies.into_iter();
    Ok(texts
        .map(|policy| (policy.guideline.0.to_string(), policy.text))
        .collect())
}

/// What guidelines read of the configuration, as YAML.
fn params(guide: &Guide, configuration: &str) -> Result<String, String> {
    let doc = front_matter::read(configuration, 1)
        .map_err(|(line, message)| format!("seawall.yaml:{line}: {message}"))?;
    let known = guide.params.iter().filter_map(|param| {
        let value = doc.root().get(&param.key)?;
        Some((param.key.to_string(), setting::to_json(value)))
    });
    let map: serde_json::Map<String, serde_json::Value> = known.collect();
    Ok(serde_json::Value::Object(map).to_string())
}
