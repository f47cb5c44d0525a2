//! The guide's own admission policies, for the cluster that is set up.

use std::collections::BTreeMap;

use guide::export::{self, Enforce, Options};
use guide::guideline::Applies;
use guide::{Guide, front_matter, setting};
use model::Severity;

use crate::intent::Class;
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
    let accepted = plan.waivers.iter().map(|waiver| export::Waiver {
        guideline: waiver.guideline.clone(),
        resource: waiver.resource.clone(),
        item: waiver.container.clone(),
        reason: waiver.reason.as_str().into(),
    });
    let waivers: Vec<export::Waiver> = accepted.chain(entrance(guide, plan)).collect();
    let options = Options {
        server_minor: setting.kubernetes_minor,
        enforce: Some(Enforce::Deny),
        waivers: &waivers,
        ..Options::default()
    };
    let made = export::vap(guide, &setting, options, |guideline| {
        guideline.severity >= Severity::High
    });
    let texts = made.policies.into_iter();
    Ok(texts
        .map(|policy| (policy.guideline.0.to_string(), policy.text))
        .collect())
}

/// The pods of the entrance come from AKS, or from Microsoft's chart: nobody here can change them, and nothing would come
/// in while a policy refuses them. Pod Security holds for their namespace all the same.
fn entrance(guide: &Guide, plan: &Plan) -> Vec<export::Waiver> {
    let classes = plan.intent.workloads.iter().map(|workload| workload.class);
    let exposed = classes.into_iter().any(|class| class == Class::Web);
    let controller = plan
        .chosen
        .contains("traffic/application-gateway-containers");
    let (resource, reason) = if controller {
        (
            "Deployment/azure-alb-system/*",
            "Microsoft's chart makes the controller of Application Gateway for Containers",
        )
    } else {
        (
            "Deployment/gateway/gateway-*",
            "AKS makes the gateway's pods",
        )
    };
    let workloads = guide
        .guidelines
        .iter()
        .filter(|guideline| guideline.applies == Applies::Workload && exposed);
    workloads
        .map(|guideline| export::Waiver {
            guideline: guideline.id.0.as_ref().into(),
            resource: Some(resource.into()),
            item: None,
            reason: reason.into(),
        })
        .collect()
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
