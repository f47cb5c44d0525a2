//! The scripts: one writes down what a registry holds, one carries a plan out. Everything of a registry that stands in
//! them is quoted.

use std::fmt::Write as _;

use super::Answer;
use crate::failure::Failure;

const LIST_ACR: &str = include_str!("list-acr.sh");
const LIST_OCI: &str = include_str!("list-oci.sh");
const REMOVE_HEAD: &str = include_str!("remove-head.sh");
const REMOVE_ACR: &str = include_str!("remove-acr.sh");
const REMOVE_OCI: &str = include_str!("remove-oci.sh");

/// A registry, as its scripts call it.
struct Names {
    host: String,
    /// The name of a registry of ACR.
    acr: Option<String>,
    /// `https://registry.example.com`; of this machine `http`, as container runtimes do.
    base: String,
}

impl Names {
    fn read(host: &str) -> Result<Self, Failure> {
        let host = host.to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return Err(Failure::new(format!("`{host}` is no registry"))
                .help("write its host, for instance `shop.azurecr.io`"));
        }
        let name = host
            .rsplit_once(':')
            .map_or(host.as_str(), |(name, _)| name);
        let ip: Option<std::net::IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        let here = name == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        let suffixes = [".azurecr.io", ".azurecr.cn", ".azurecr.us"];
        Ok(Self {
            acr: suffixes
                .iter()
                .find_map(|suffix| host.strip_suffix(suffix))
                .map(str::to_owned),
            base: format!("{}://{host}", if here { "http" } else { "https" }),
            host,
        })
    }

    fn fill(&self, script: &str) -> String {
        let script = script.replace("@HOST@", &self.host);
        let script = script.replace("@BASE@", &self.base);
        script.replace("@NAME@", self.acr.as_deref().unwrap_or_default())
    }
}

/// The script that writes down what a registry holds.
pub(super) fn list(host: &str) -> Result<String, Failure> {
    let names = Names::read(host)?;
    Ok(names.fill(if names.acr.is_some() {
        LIST_ACR
    } else {
        LIST_OCI
    }))
}

/// The script that carries a plan out.
pub(super) fn remove(answer: &Answer) -> Result<String, Failure> {
    let names = Names::read(&answer.listing.registry)?;
    let manifests = answer.plan.remove.iter().map(|group| group.manifests.len());
    let count = report::count(answer.plan.remove.len(), "image");
    let manifests = report::count(manifests.sum(), "manifest");
    let head = names
        .fill(REMOVE_HEAD)
        .replace("@DAY@", &answer.day)
        .replace("@MADE@", &answer.today.to_string())
        .replace("@COUNT@", &format!("{count}, {manifests}"));
    let mut script = head
        + &names.fill(if names.acr.is_some() {
            REMOVE_ACR
        } else {
            REMOVE_OCI
        });
    for group in &answer.plan.remove {
        for manifest in &group.manifests {
            let _ = writeln!(
                script,
                "remove {} {} {}",
                report::shell_word(&group.repository),
                report::shell_word(&manifest.digest),
                report::shell_word(&manifest.tags.join(",")),
            );
        }
    }
    script.push_str(
        "if [ \"$mode\" != --show ]; then printf '%s removed, %s were gone already\\n' \"$removed\" \"$gone\"; fi\n",
    );
    Ok(script)
}
