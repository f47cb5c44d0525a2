//! The guide as Azure Policy: for what runs in clusters definitions of our own, which the add-on of
//! AKS hands to Gatekeeper; for Azure resources the built-in definitions that ask for the same
//! (`data/azure-policies.yaml`); and one initiative of all.
//!
//! It leaves out assignments: where and to whom it applies is decided in Azure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{GuidelineId, Ref, Severity};
use serde_json::{Map, Value, json};

use super::azure_fields;
use super::fold::{self, Constants};
use super::gatekeeper;
use super::policy::Draft;
use super::{Definition, Enforce, Options};
use crate::catalogue::Guide;
use crate::front_matter;
use crate::guideline::Guideline;
use crate::judge::Setting;

/// Of `Microsoft.Authorization/policyDefinitions` and `policySetDefinitions`.
const API_VERSION: &str = "2025-01-01";

/// What the definitions and the initiative are filed under.
const CATEGORY: &str = "Kubernetes";

/// A built-in definition.
struct BuiltIn<'g> {
    id: &'g str,
    effects: Vec<&'g str>,
    parameters: Option<Ref<'g>>,
    differs: Option<&'g str>,
}

/// A definition for objects of clusters.
///
/// # Errors
/// Says what the add-on does not know.
pub(crate) fn definition(name: &str, draft: &Draft<'_>) -> Result<Definition, String> {
    let template = gatekeeper::template(draft)?;
    let kinds = gatekeeper::kinds(draft);
    let warns = draft.actions.contains(&"Warn");
    let effect = if draft.actions.contains(&"Deny") {
        "Deny"
    } else {
        "Audit"
    };
    let mut details = json!({
        "templateInfo": {"sourceType": "Base64Encoded", "content": STANDARD.encode(&template)},
        "apiGroups": kinds.groups,
        "kinds": kinds.kinds,
        "warn": "[parameters('warn')]",
        "labelSelector": "[parameters('labelSelector')]",
    });
    let mut parameters = json!({
        "effect": effect_parameter(&["Audit", "Deny", "Disabled"], effect),
        "warn": {
            "type": "Boolean",
            "defaultValue": warns,
            "metadata": {"displayName": "Warn", "description": "Whether whoever makes the request sees what is wrong"},
        },
        "labelSelector": {
            "type": "Object",
            "defaultValue": {},
            "metadata": {"displayName": "Label selector", "description": "Only objects with these labels; all when it is empty"},
        },
    });
    if let (Some(spared), Some(details), Some(parameters)) = (
        draft.spared,
        details.as_object_mut(),
        parameters.as_object_mut(),
    ) {
        for (key, default, about) in [
            (
                "excludedNamespaces",
                json!(spared),
                "Namespaces that are left alone",
            ),
            (
                "namespaces",
                json!([]),
                "Only these namespaces; all when it is empty",
            ),
        ] {
            details.insert(key.to_owned(), format!("[parameters('{key}')]").into());
            parameters.insert(
                key.to_owned(),
                json!({"type": "Array", "defaultValue": default, "metadata": {"displayName": key, "description": about}}),
            );
        }
    }
    Ok(Definition {
        name: name.to_owned(),
        template: Some(template),
        properties: json!({
            "displayName": draft.guideline.title,
            "description": format!("Guideline {}. Why, when not, how to fix: seawall explain {0}", draft.guideline.id),
            "policyType": "Custom",
            "mode": "Microsoft.Kubernetes.Data",
            "metadata": {
                "category": CATEGORY,
                "version": "1.0.0",
                "guideline": &*draft.guideline.id.0,
                "severity": draft.severity.word(),
            },
            "parameters": parameters,
            "policyRule": {
                "if": {"field": "type", "equals": "Microsoft.ContainerService/managedClusters"},
                "then": {"effect": "[parameters('effect')]", "details": details},
            },
        }),
    })
}

fn effect_parameter(allowed: &[&str], default: &str) -> Value {
    json!({
        "type": "String",
        "allowedValues": allowed,
        "defaultValue": default,
        "metadata": {"displayName": "Effect", "description": "Audit reports, Deny refuses, Disabled does nothing"},
    })
}

/// A definition for Azure resources.
///
/// # Errors
/// Says what conditions on fields cannot express.
pub(crate) fn field_definition(
    guide: &Guide,
    guideline: &Guideline,
    setting: &Setting,
    options: Options<'_>,
) -> Result<Definition, String> {
    let condition = azure_fields::condition(guide, guideline, setting)?;
    let severity = severity(guideline, setting);
    let effect = if Enforce::actions(options.enforce, severity).contains(&"Deny") {
        "Deny"
    } else {
        "Audit"
    };
    Ok(Definition {
        name: format!("seawall-{}", guideline.id),
        template: None,
        properties: json!({
            "displayName": guideline.title,
            "description": format!("Guideline {}. Why, when not, how to fix: seawall explain {0}", guideline.id),
            "policyType": "Custom",
            "mode": "All",
            "metadata": {
                "category": CATEGORY,
                "version": "1.0.0",
                "guideline": &*guideline.id.0,
                "severity": severity.word(),
            },
            "parameters": {"effect": effect_parameter(&["Audit", "Deny", "Disabled"], effect)},
            "policyRule": {"if": condition, "then": {"effect": "[parameters('effect')]"}},
        }),
    })
}

/// The built-in definitions that ask for what a guideline asks for, as entries of an initiative.
///
/// # Errors
/// Says why there are none.
pub(crate) fn built_in(
    guide: &Guide,
    guideline: &Guideline,
    setting: &Setting,
) -> Result<Vec<Value>, String> {
    let none = || "it reads Azure resources, and no built-in definition asks for it".to_owned();
    let text = guide.data.get("azure-policies.yaml").ok_or_else(none)?;
    let doc = front_matter::read(text, 1).map_err(|(_, message)| message)?;
    let constants = Constants {
        minor: setting.kubernetes_minor,
        params: setting.params.root(),
        live: false,
        resource: true,
    };
    let never = guideline
        .when
        .as_ref()
        .and_then(|when| fold::rewrite(when.expr(), constants).ok())
        .and_then(|when| fold::constant(&when))
        == Some(false);
    if never {
        return Err("it asks nothing with this configuration".to_owned());
    }
    let entries = doc
        .root()
        .get("definitions")
        .into_iter()
        .flat_map(Ref::items);
    let found: Vec<Value> = entries
        .filter(|entry| entry.get("guideline").and_then(Ref::as_str) == Some(&*guideline.id.0))
        .filter_map(read)
        .enumerate()
        .map(|(number, built_in)| built_in.entry(guideline, setting, number))
        .collect();
    if found.is_empty() {
        Err(none())
    } else {
        Ok(found)
    }
}

fn read(entry: Ref<'_>) -> Option<BuiltIn<'_>> {
    Some(BuiltIn {
        id: entry.get("id")?.as_str()?,
        effects: entry
            .get("effects")?
            .items()
            .filter_map(Ref::as_str)
            .collect(),
        parameters: entry.get("parameters"),
        differs: entry.get("differs").and_then(Ref::as_str),
    })
}

impl BuiltIn<'_> {
    fn entry(&self, guideline: &Guideline, setting: &Setting, number: usize) -> Value {
        let mut parameters = Map::new();
        let effect = if self.effects.contains(&"Deny") {
            severity_effect(severity(guideline, setting))
        } else if self.effects.contains(&"AuditIfNotExists") {
            "existsEffect"
        } else {
            "auditEffect"
        };
        parameters.insert(
            "effect".to_owned(),
            json!({"value": format!("[parameters('{effect}')]")}),
        );
        for (key, _, value) in self.parameters.into_iter().flat_map(Ref::entries) {
            let value = crate::setting::to_json(value);
            parameters.insert(key.to_owned(), json!({"value": value}));
        }
        let suffix = if number == 0 {
            String::new()
        } else {
            format!("-{}", number + 1)
        };
        json!({
            "policyDefinitionReferenceId": format!("{}{suffix}", guideline.id),
            "policyDefinitionId": format!("/providers/Microsoft.Authorization/policyDefinitions/{}", self.id),
            "parameters": parameters,
        })
    }
}

/// What the built-in definitions of a guideline ask for that it does not, or do not ask for.
pub(crate) fn differences(guide: &Guide, id: &GuidelineId) -> Vec<String> {
    let doc = guide
        .data
        .get("azure-policies.yaml")
        .and_then(|text| front_matter::read(text, 1).ok());
    let Some(doc) = doc else {
        return Vec::new();
    };
    let entries = doc
        .root()
        .get("definitions")
        .into_iter()
        .flat_map(Ref::items);
    entries
        .filter(|entry| entry.get("guideline").and_then(Ref::as_str) == Some(&*id.0))
        .filter_map(read)
        .filter_map(|built_in| built_in.differs.map(str::to_owned))
        .collect()
}

fn severity(guideline: &Guideline, setting: &Setting) -> Severity {
    setting
        .severities
        .get(&*guideline.id.0)
        .copied()
        .unwrap_or(guideline.severity)
}

/// The initiative's parameter for the effect of a severity.
fn severity_effect(severity: Severity) -> &'static str {
    if severity >= Severity::High {
        "effectOfCriticalAndHigh"
    } else {
        "effectOfMediumAndLow"
    }
}

/// The entry of the initiative for a definition of our own.
pub(crate) fn entry(definition: &Definition, guideline: &Guideline, setting: &Setting) -> Value {
    let severity = severity(guideline, setting);
    let mut parameters = json!({
        "effect": {"value": format!("[parameters('{}')]", severity_effect(severity))},
    });
    if let Some(parameters) = parameters.as_object_mut()
        && definition
            .properties
            .pointer("/parameters/excludedNamespaces")
            .is_some()
    {
        parameters.insert(
            "excludedNamespaces".to_owned(),
            json!({"value": "[parameters('excludedNamespaces')]"}),
        );
    }
    json!({
        "policyDefinitionReferenceId": &*guideline.id.0,
        "policyDefinitionId": format!("[subscriptionResourceId('Microsoft.Authorization/policyDefinitions', '{}')]", definition.name),
        "parameters": parameters,
    })
}

/// The initiative's properties.
pub(crate) fn initiative<'n>(
    options: Options<'_>,
    namespaces: impl Iterator<Item = &'n str>,
    entries: &[Value],
) -> Value {
    let (high, low) = match options.enforce {
        None => ("Deny", "Audit"),
        Some(Enforce::Deny) => ("Deny", "Deny"),
        Some(_) => ("Audit", "Audit"),
    };
    let all = ["Audit", "Deny", "Disabled"];
    let used = entries
        .iter()
        .map(|entry| entry["parameters"].to_string())
        .collect::<String>();
    let namespaces: Vec<&str> = namespaces.collect();
    let mut parameters = Map::new();
    for (key, parameter) in [
        ("effectOfCriticalAndHigh", effect_parameter(&all, high)),
        ("effectOfMediumAndLow", effect_parameter(&all, low)),
        (
            "auditEffect",
            effect_parameter(&["Audit", "Disabled"], "Audit"),
        ),
        (
            "existsEffect",
            effect_parameter(&["AuditIfNotExists", "Disabled"], "AuditIfNotExists"),
        ),
        (
            "excludedNamespaces",
            json!({"type": "Array", "defaultValue": namespaces,
                "metadata": {"displayName": "Excluded namespaces", "description": "Namespaces that are left alone"}}),
        ),
    ] {
        if used.contains(&format!("parameters('{key}')")) {
            parameters.insert(key.to_owned(), parameter);
        }
    }
    json!({
        "displayName": "Guidelines for Securing Kubernetes on Azure",
        "description": "What of the guide Azure Policy can ask for",
        "policyType": "Custom",
        "metadata": {"category": CATEGORY, "version": "1.0.0"},
        "parameters": parameters,
        "policyDefinitions": entries,
    })
}

/// Everything as one template for a subscription.
pub(crate) fn deployment(definitions: &[Definition], initiative: &Value) -> String {
    let mut resources: Vec<Value> = definitions
        .iter()
        .map(|definition| {
            json!({
                "type": "Microsoft.Authorization/policyDefinitions",
                "apiVersion": API_VERSION,
                "name": definition.name,
                "properties": escaped(&definition.properties),
            })
        })
        .collect();
    let needs: Vec<String> = definitions
        .iter()
        .map(|definition| {
            format!(
                "[subscriptionResourceId('Microsoft.Authorization/policyDefinitions', '{}')]",
                definition.name
            )
        })
        .collect();
    resources.push(json!({
        "type": "Microsoft.Authorization/policySetDefinitions",
        "apiVersion": API_VERSION,
        "name": "seawall",
        "dependsOn": needs,
        "properties": escaped(initiative),
    }));
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": resources,
        "outputs": {"initiative": {"type": "string",
            "value": "[subscriptionResourceId('Microsoft.Authorization/policySetDefinitions', 'seawall')]"}},
    });
    pretty(&template)
}

/// Expressions of policies are no expressions of the template: a second bracket says so. Ids of
/// definitions that the template makes are its own.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text)
            if text.starts_with('[') && !text.starts_with("[subscriptionResourceId(") =>
        {
            format!("[{text}").into()
        }
        Value::Array(items) => items.iter().map(escaped).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), escaped(value)))
            .collect(),
        other => other.clone(),
    }
}

/// JSON over several lines, with a line feed at the end.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
