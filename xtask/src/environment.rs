//! The variables by which tests find what the set-up made. A test that lacks
//! one fails and says so; it is never skipped.

use std::ffi::OsString;

use anyhow::Result;

use crate::packages;
use crate::places::Places;
use crate::run::print;

/// Names and values, in the order they are printed.
pub(crate) fn variables(places: &Places) -> Result<Vec<(&'static str, OsString)>> {
    let mut all = vec![
        ("SEAWALL_CACHE", places.cache.clone().into_os_string()),
        (
            "KUBEBUILDER_ASSETS",
            places.cache.join("bin").into_os_string(),
        ),
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
