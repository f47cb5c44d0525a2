//! What comes from the system's packages: etcd, a browser, a registry and what pushes to it, openssl, Node, Java, networks
//! with rules, tools of shells. As root on Debian it is installed; elsewhere the command to type is said.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{output, run, step, which};

/// Programs, any of which will do, and Debian's package that has the first.
const PACKAGES: [(&[&str], &str); 14] = [
    (&["etcd"], "etcd-server"),
    (CHROMIUM, "chromium"),
    (&["docker-registry"], "docker-registry"),
    (&["openssl"], "openssl"),
    (&["skopeo"], "skopeo"),
    // It brings node.
    (&["npm"], "npm"),
    (&["java"], "default-jre-headless"),
    (&["mvn"], "maven"),
    // A network of its own for a test, with rules.
    (&["ip"], "iproute2"),
    (&["nft"], "nftables"),
    // What the scripts of pipelines run, and what checks them.
    (&["curl"], "curl"),
    (&["jq"], "jq"),
    (&["shellcheck"], "shellcheck"),
    // It checks manual pages.
    (&["mandoc"], "mandoc"),
];

const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// The browser: `$CHROMIUM`, or one on `PATH`.
pub(crate) fn chromium() -> Option<PathBuf> {
    env::var_os("CHROMIUM")
        .map(PathBuf::from)
        .filter(|file| file.is_file())
        .or_else(|| which(CHROMIUM))
}

/// Installs what is missing.
pub(crate) fn install() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(programs, _)| {
            which(programs).is_none() && !(*programs == CHROMIUM && chromium().is_some())
        })
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if which(&["apt-get"]).is_none() {
        bail!("`{names}` missing\nhelp: install these programs, or what your system calls them");
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("`{names}` missing\nhelp: sudo apt-get install --no-install-recommends {names}");
    }
    step(&format!("packages {names}"), || {
        run(apt().args(["update", "-qq"]))?;
        run(apt()
            .args(["install", "-qq", "--yes", "--no-install-recommends"])
            .args(&missing))
    })
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
