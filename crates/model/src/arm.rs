//! Which texts are ARM templates.

/// Whether a text names the schema of a template: of a resource group, or (with a prefix, hence
/// a capital) of a subscription, a management group or a tenant.
#[must_use]
pub fn is_template(text: &str) -> bool {
    [
        "deploymentTemplate.json",
        "DeploymentTemplate.json",
        "deploymenttemplate.json",
    ]
    .iter()
    .any(|schema| text.contains(schema))
}
