//! Terraform configurations and plans: read, evaluated, and seen as Azure resources.
//!
//! Stands alone and knows nothing of seawall. It does no I/O: files come through
//! [`files::Files`]. A configuration is evaluated as `terraform plan` would, without providers
//! and state: what only they know (a variable without a value, a data source, an attribute that
//! Azure gives) is unknown and says why; it is never guessed. Values carry the place of the
//! literal that they come from.
//!
//! `bicep` is used for its plain types alone (values, places, problems, resources), so that
//! whoever reads templates reads this as well: [`Environment::resources`] is what
//! `bicep::deployment` has.
//!
//! Left out: provider functions, `terraform_remote_state`, workspaces, `TF_VAR_…`, state.
//!
//! ```
//! # use bicep::source::Sources;
//! # use terraform::{files::Files, reading::Options, table::Table};
//! struct One;
//! impl Files for One {
//!     fn list(&self, _: &str) -> Result<Vec<String>, String> {
//!         Ok(vec!["main.tf".to_owned()])
//!     }
//!     fn read(&self, path: &str) -> Result<Vec<u8>, String> {
//!         match path {
//!             "main.tf" => Ok(br#"
//!                 variable "prefix" {}
//!                 resource "azurerm_resource_group" "a" {
//!                   name     = "${var.prefix}-aks"
//!                   location = lower("WestEurope")
//!                 }
//!             "#.to_vec()),
//!             other => Err(format!("there is no `{other}`")),
//!         }
//!     }
//! }
//! let table = Table::parse("resources: [{azurerm: azurerm_resource_group, id: resource-group,
//!     type: Microsoft.Resources/resourceGroups, api: '2023-07-01', map: {location: location}}]")
//!     .unwrap();
//! let arena = bumpalo::Bump::new();
//! let mut sources = Sources::default();
//! let found = terraform::read(&arena, &One, &mut sources, &table, ".", &Options::default());
//! assert_eq!(found.resources[0].id, "/subscriptions/{subscription}/resourceGroups/{var.prefix}-aks");
//! assert_eq!(found.reading.open[0].name, "prefix");
//! ```

pub mod arm;
pub mod edit;
pub mod files;
pub mod output;
pub mod plan;
pub mod reading;
pub mod table;

mod engine;
mod evaluate;
mod expand;
mod functions;
mod identity;
mod interface;
mod json;
mod load;
mod lower;
mod names;
mod syntax;
mod types;
mod value;
mod version;

use bicep::deployment::Resource;
use bicep::source::Sources;
use bumpalo::Bump;

use arm::Unmapped;
use files::Files;
use output::Reading;
use reading::Options;
use table::Table;

/// A configuration or plan as Azure has it.
#[derive(Debug, Default)]
pub struct Environment<'a> {
    /// What lies in Azure, as for a Bicep file; data sources as existing.
    pub resources: Vec<Resource<'a>>,
    /// Arguments and types that the table does not map: nothing is known of what they set.
    pub unmapped: Vec<Unmapped<'a>>,
    /// What was read: outputs, open variables, problems, and the resources as Terraform has them.
    pub reading: Reading<'a>,
}

/// Reads the root module in a folder.
pub fn read<'a>(
    arena: &'a Bump,
    files: &dyn Files,
    sources: &mut Sources<'a>,
    table: &Table,
    folder: &str,
    options: &Options<'a>,
) -> Environment<'a> {
    let (reading, encoded) =
        reading::evaluated(arena, files, sources, folder, options, Some(table));
    let mapped = arm::map(arena, table, &reading, &encoded);
    Environment {
        resources: mapped.resources,
        unmapped: mapped.unmapped,
        reading,
    }
}

/// Reads a plan: the JSON that `terraform show -json` prints of a plan or of a state.
pub fn read_plan<'a>(
    arena: &'a Bump,
    sources: &mut Sources<'a>,
    table: &Table,
    name: &str,
    text: &str,
) -> Environment<'a> {
    let reading = plan::read(arena, sources, table, name, text);
    let mapped = arm::map(arena, table, &reading, &std::collections::BTreeMap::new());
    Environment {
        resources: mapped.resources,
        unmapped: mapped.unmapped,
        reading,
    }
}

/// Whether a JSON text may be a plan or state of Terraform.
#[must_use]
pub fn looks_like_plan(text: &str) -> bool {
    let start: String = text.chars().take(4096).collect();
    start.contains("\"format_version\"")
        && (start.contains("\"terraform_version\"") || start.contains("\"planned_values\""))
}
