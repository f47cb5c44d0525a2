//! The kinds in which Kyverno and Gatekeeper take policies, as definitions that an API server checks
//! objects against. Of their programs only Gatekeeper's `gator` is built (`setup`); Kyverno's has replaced modules,
//! so that it cannot be installed by its name alone.

use std::fs;

use anyhow::{Context as _, Result};

use crate::places::{Places, Stamp};
use crate::run::{output, step};
use crate::setup::go;

/// Module of the Go module proxy, version, file in it, name in the cache.
const DEFINITIONS: [(&str, &str, &str, &str); 2] = [
    (
        "github.com/kyverno/api",
        "v0.0.1-alpha.3.0.20260723090831-fb2785727f98",
        "config/crds/policies.kyverno.io_validatingpolicies.yaml",
        "kyverno.yaml",
    ),
    (
        "github.com/open-policy-agent/frameworks/constraint",
        "v0.0.0-20260616163050-e1eaa1bf6d62",
        "deploy/crds.yaml",
        "gatekeeper.yaml",
    ),
];

/// Copied, for the module cache may be emptied.
pub(crate) fn fetch(places: &Places) -> Result<()> {
    let made = places.cache.join("policy-kinds");
    let input =
        DEFINITIONS
            .iter()
            .fold(Stamp::default(), |stamp, (module, version, file, name)| {
                stamp.text_of(&format!("{module} {version} {file} {name}"))
            });
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("kinds of policies", || {
        fs::create_dir_all(&made)?;
        for (module, version, file, name) in DEFINITIONS {
            let wanted = format!("{module}@{version}");
            let said = output(go(&places.cache).args(["mod", "download", "-json", &wanted]))?;
            let said: serde_json::Value = serde_json::from_str(&said)?;
            let folder = said
                .get("Dir")
                .and_then(serde_json::Value::as_str)
                .with_context(|| format!("`go mod download` names no folder for {wanted}"))?;
            fs::copy(std::path::Path::new(folder).join(file), made.join(name))
                .with_context(|| format!("`{file}` of {wanted}"))?;
        }
        places.stamp(&made, &input)
    })
}
