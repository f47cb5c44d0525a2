//! The variables by which tests find what the set-up made. A test that lacks
//! one fails and says so; it is never skipped.

use std::ffi::OsString;

use anyhow::Result;

use crate::packages;
use crate::places::Places;
use crate::run::print;

/// Names and values, in the order they are printed.
pub(crate) fn variables(places: &Places) -> Result<Vec<(&'static str, OsString)>> {
    let cache = |name: &str| places.cache.join(name).into_os_string();
    let bin = |name: &str| places.bin(name).into_os_string();
    let mut all = vec![
        ("KUBEBUILDER_ASSETS", cache("bin")),
        ("SEAWALL_ORACLE_CEL", bin("oracle-cel")),
        ("SEAWALL_ORACLE_YAML", bin("oracle-yaml")),
        ("SEAWALL_ORACLE_PSS", bin("oracle-pss")),
        ("SEAWALL_CEL_CONFORMANCE", cache("cel-conformance")),
        ("SEAWALL_PSS_TESTDATA", cache("pss-testdata")),
        ("SEAWALL_KUBERNETES_SCHEMA", cache("kubernetes-schema.json")),
        ("SEAWALL_SARIF_SCHEMA", cache("sarif-schema-2.1.0.json")),
        ("SEAWALL_TERRAFORM_SCHEMA", cache("terraform-schema.json")),
        ("SEAWALL_ORACLE_HCL", bin("oracle-hcl")),
        ("PATH", places.path()?),
    ];
    all.extend(packages::chromium().map(|file| ("CHROMIUM", file.into_os_string())));
    Ok(all)
}

/// Prints them for a shell.
pub(crate) fn print_for_shell(places: &Places) -> Result<()> {
    for (name, value) in variables(places)? {
        let value = value.to_string_lossy().replace('\'', r"'\''");
        print(&format!("export {name}='{value}'\n"));
    }
    Ok(())
}
