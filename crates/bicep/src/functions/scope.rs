//! Where something is deployed: `subscription`, `resourceGroup`, `tenant`, `managementGroup`,
//! `deployment`, `environment`, `deployer`; and `fail`, `externalInput`.

use crate::evaluate::text::Builder;
use crate::expand::Cloud;
use crate::expand::scope::ScopeKind;
use crate::functions::{Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Value, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("subscription", 0, 1, Shape::Object, subscription),
    plain("resourceGroup", 0, 2, Shape::Object, resource_group),
    plain("tenant", 0, 0, Shape::Object, tenant),
    plain("managementGroup", 0, 1, Shape::Object, management_group),
    plain("deployment", 0, 0, Shape::Object, deployment),
    plain("environment", 0, 0, Shape::Object, environment),
    plain("deployer", 0, 0, Shape::Object, deployer),
    plain("fail", 1, 1, Shape::Any, fail),
    plain("externalInput", 1, 2, Shape::Any, external_input),
    plain("externalInputs", 1, 1, Shape::Any, external_input),
];

/// An object of which Azure knows more than what is said here.
fn object<'a>(args: &Args<'_, 'a>, why: &'static str, known: &[(&'a str, Value<'a>)]) -> Value<'a> {
    let text = format!("{}()", args.name);
    let open = args
        .engine
        .unknown(args.span, &text, Shape::Object, &[Why::Scope(why)], false);
    let fields = args.engine.object_of(args.span, known).fields();
    args.engine.with(open, |unknown| unknown.fields = fields)
}

/// A string that Azure knows.
fn open<'a>(args: &Args<'_, 'a>, why: &'static str, text: &str) -> Value<'a> {
    args.engine
        .unknown(args.span, text, Shape::String, &[Why::Scope(why)], false)
}

fn subscription<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut scope = args.env.template.scope;
    scope.kind = ScopeKind::Subscription;
    let mut id = Builder::new(args.engine);
    scope.write(&mut id);
    let known = [
        ("id", id.finish(args.engine, args.span)),
        ("subscriptionId", scope.subscription),
        ("tenantId", open(args, "tenant", "{tenant}")),
        (
            "displayName",
            open(args, "subscription", "{subscription().displayName}"),
        ),
    ];
    Ok(object(args, "subscription", &known))
}

fn resource_group<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut scope = args.env.template.scope;
    if scope.kind != ScopeKind::ResourceGroup {
        return Fault::error("there is no resource group at this scope");
    }
    scope.kind = ScopeKind::ResourceGroup;
    let mut id = Builder::new(args.engine);
    scope.write(&mut id);
    let why = [Why::Scope("resourceGroup")];
    let known = [
        ("id", id.finish(args.engine, args.span)),
        ("name", scope.group),
        (
            "type",
            args.engine
                .str(args.span, "Microsoft.Resources/resourceGroups"),
        ),
        ("location", group_location(args, &scope.group)),
        (
            "tags",
            args.engine.unknown(
                args.span,
                "resourceGroup().tags",
                Shape::Object,
                &why,
                false,
            ),
        ),
        (
            "managedBy",
            args.engine.unknown(
                args.span,
                "resourceGroup().managedBy",
                Shape::Any,
                &why,
                false,
            ),
        ),
    ];
    Ok(object(args, "resourceGroup", &known))
}

/// The location of the group that the outermost template is deployed to, or of another.
fn group_location<'a>(args: &Args<'_, 'a>, group: &Value<'a>) -> Value<'a> {
    if let Some(location) = args.engine.group_location(args.env.template, group) {
        return location;
    }
    let text = match group.data {
        Data::Unknown(unknown) if unknown.text == "{resourceGroup}" => {
            "{resourceGroup().location}".to_owned()
        }
        _ => format!(
            "{{resourceGroup({}).location}}",
            args.engine.expr_text(group)
        ),
    };
    open(args, "resourceGroup", &text)
}

fn tenant<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let known = [
        ("tenantId", open(args, "tenant", "{tenant}")),
        (
            "displayName",
            open(args, "tenant", "{tenant().displayName}"),
        ),
        (
            "countryCode",
            open(args, "tenant", "{tenant().countryCode}"),
        ),
    ];
    Ok(object(args, "tenant", &known))
}

fn management_group<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut scope = args.env.template.scope;
    scope.kind = ScopeKind::ManagementGroup;
    if args.len() == 1 {
        scope.management_group = args.get(0);
    }
    let mut id = Builder::new(args.engine);
    scope.write(&mut id);
    let known = [
        ("id", id.finish(args.engine, args.span)),
        ("name", scope.management_group),
        (
            "type",
            args.engine.str(
                args.span,
                "/providers/Microsoft.Management/managementGroups",
            ),
        ),
    ];
    Ok(object(args, "managementGroup", &known))
}

fn deployment<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let template = args.env.template;
    let known = [
        (
            "name",
            Value {
                span: args.span,
                ..template.name
            },
        ),
        (
            "location",
            template
                .location
                .unwrap_or(open(args, "deployment", "{deployment().location}")),
        ),
    ];
    Ok(object(args, "deployment", &known))
}

fn deployer<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let known = [
        ("objectId", open(args, "deployer", "{deployer().objectId}")),
        ("tenantId", open(args, "tenant", "{tenant}")),
        (
            "userPrincipalName",
            open(args, "deployer", "{deployer().userPrincipalName}"),
        ),
    ];
    Ok(object(args, "deployer", &known))
}

/// Constants of the public cloud, when it is known to be that.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment>
fn environment<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let Some(Cloud::Public) = args.engine.cloud else {
        return Ok(object(args, "environment", &[]));
    };
    let text = |text: &str| args.engine.str(args.span, text);
    let audiences = [
        text("https://management.core.windows.net/"),
        text("https://management.azure.com/"),
    ];
    let authentication = [
        ("loginEndpoint", text("https://login.microsoftonline.com/")),
        ("audiences", args.list(&audiences)?),
        ("tenant", text("common")),
        ("identityProvider", text("AAD")),
    ];
    let suffixes = [
        ("acrLoginServer", text(".azurecr.io")),
        (
            "azureDatalakeAnalyticsCatalogAndJob",
            text("azuredatalakeanalytics.net"),
        ),
        (
            "azureDatalakeStoreFileSystem",
            text("azuredatalakestore.net"),
        ),
        ("azureFrontDoorEndpointSuffix", text("azurefd.net")),
        ("keyvaultDns", text(".vault.azure.net")),
        ("sqlServerHostname", text(".database.windows.net")),
        ("storage", text("core.windows.net")),
    ];
    let known = [
        ("name", text("AzureCloud")),
        ("gallery", text("https://gallery.azure.com/")),
        ("graph", text("https://graph.windows.net/")),
        ("portal", text("https://portal.azure.com")),
        ("graphAudience", text("https://graph.windows.net/")),
        (
            "activeDirectoryDataLake",
            text("https://datalake.azure.net/"),
        ),
        ("batch", text("https://batch.core.windows.net/")),
        ("media", text("https://rest.media.azure.net")),
        (
            "sqlManagement",
            text("https://management.core.windows.net:8443/"),
        ),
        (
            "vmImageAliasDoc",
            text(
                "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
            ),
        ),
        ("resourceManager", text("https://management.azure.com/")),
        (
            "authentication",
            args.engine.object_of(args.span, &authentication),
        ),
        ("suffixes", args.engine.object_of(args.span, &suffixes)),
    ];
    Ok(object(args, "environment", &known))
}

/// Ends the deployment when it is evaluated.
fn fail<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let message = args.engine.key_text(&args.get(0));
    Fault::error(message)
}

fn external_input<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let kind = args.as_str(0)?;
    let text = format!("externalInput('{kind}')");
    let why = [Why::Unresolved(args.engine.bump.alloc_str(&text))];
    Ok(args
        .engine
        .unknown(args.span, &text, Shape::Any, &why, false))
}
