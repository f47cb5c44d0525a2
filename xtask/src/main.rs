//! The project's chores as one program, so that cargo alone suffices: the test
//! set-up, the tests, the checks. It ships nothing and knows no guideline.

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::places::Places;

mod archive;
mod azure_policies;
mod azure_roles;
mod azure_types;
mod azurerm;
mod check;
mod conform;
mod dist;
mod elf;
mod environment;
mod image;
mod kafka;
mod kubernetes_versions;
mod manifests;
mod packages;
mod places;
mod policy_kinds;
mod python;
mod run;
mod setup;
mod shipped;
mod terraform_schema;
mod tidy;
mod types;

const HELP: &str = "\
The chores of seawall. Run one with `cargo xtask CHORE`.

  setup        Build and fetch the real parts that tests compare seawall with:
               kube-apiserver and kube-controller-manager, the Go oracles, helm,
               kustomize, the fixtures, the schemas of Terraform's providers;
               install etcd, Chromium, docker-registry, skopeo, openssl (needs
               root).
               The first time takes about ten minutes on two cores, later
               milliseconds. Each step is done only when its input has changed.
  test [ARGS]  setup, then all tests of the workspace in one run, then every
               example of the guide with its mutations. ARGS go to `cargo test`:
                 cargo xtask test -p seawall-cel
                 cargo xtask test -- validating_admission
  check        Format, clippy, tidy, and licences when cargo-deny is installed.
  tidy         Only what no other tool looks at: white space, module comments,
               file lengths, paths of one machine.
  types        Write the table of Kubernetes' field types that the binary
               carries, from the oracle's (`test` says when it is stale).
  azure-roles  Write the table of Azure's built-in roles that the binary carries:
                 cargo xtask azure-roles --from LIST.json --seen DATE
  azure-policies
               Renew what the binary knows of Azure Policy, and hold the built-in
               definitions that it names against what is published:
                 cargo xtask azure-policies --policies DIR
  kubernetes-versions
               Renew AKS's calendar of versions from its page:
                 cargo xtask kubernetes-versions --page FILE.md --seen DATE
  azure-types  Write the types of the resources that seawall generates, from a
               checkout of Azure/bicep-types-az:
                 cargo xtask azure-types --types DIR
  conform      Hold the Bicep compiler against the official one's output:
                 cargo xtask conform bicep --pairs DIR [--types DIR]
               or the table of azurerm's arguments against Azure's types:
                 cargo xtask conform azurerm --types DIR
               or the types that generated Bicep is held against, likewise:
                 cargo xtask conform azure-types --types DIR
  image        Make the container image of seawall: the static program and the
               authorities to trust, nothing else.
                 cargo xtask image [--binary FILE] [--out DIR] [--push HOST:PORT/NAME:TAG]
               Without --binary it is built first, which needs the target
               x86_64-unknown-linux-musl and musl-gcc. DIR becomes an OCI image
               layout; --push is for a registry on this machine.
  dist         Make what a release consists of: an archive with the static program,
               completions and manual pages, a bill of materials, checksums.
                 cargo xtask dist [--binary FILE] [--out DIR]
               Without --binary it is built first, with all features.
  manifests    Write the server's plain manifests, from its chart (`test` says
               when they are stale).
  env          Print the variables that `test` sets, for a shell:
                 eval \"$(cargo xtask env)\" && cargo test -p seawall-oracle

Everything built or fetched is in ~/.cache/seawall, or in $SEAWALL_CACHE.
Needed: Go, Rust, Python with pip; to install programs by itself, Debian's apt as root.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match chore(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn chore(arguments: &[String]) -> Result<()> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("--help", arguments),
    };
    if !rest.is_empty()
        && !matches!(
            name,
            "test"
                | "conform"
                | "azure-policies"
                | "azure-roles"
                | "azure-types"
                | "dist"
                | "kubernetes-versions"
                | "image"
        )
    {
        bail!("`{name}` takes no arguments\nhelp: cargo xtask --help");
    }
    let places = Places::find()?;
    match name {
        "setup" => setup::setup(&places),
        "test" => check::test(&places, rest),
        "check" => check::check(&places),
        "tidy" => tidy::tidy(&places),
        "types" => types::write(&places),
        "azure-policies" => azure_policies::renew(&places, rest),
        "azure-roles" => azure_roles::write(&places, rest),
        "kubernetes-versions" => kubernetes_versions::write(&places, rest),
        "azure-types" => azure_types::write(&places, rest),
        "conform" => match rest.first().map(String::as_str) {
            Some("azurerm") => azurerm::conform(&places, rest),
            Some("azure-types") => azure_types::conform(&places, rest),
            _ => conform::conform(&places, rest),
        },
        "manifests" => manifests::write(&places),
        "dist" => dist::make(&places, rest),
        "image" => image::make(&places, rest),
        "env" => environment::print_for_shell(&places),
        "help" | "-h" | "--help" => {
            run::print(HELP);
            Ok(())
        }
        other => bail!("no chore `{other}`\nhelp: cargo xtask --help"),
    }
}
