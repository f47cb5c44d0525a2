//! End to end: the binary as people run it, from files to exit codes and text.
//!
//! Real parts (fixtures of Pod Security, helm, kustomize) come from the test set-up; a test that
//! lacks one fails and says so.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "cli/audit_learn.rs"]
mod audit_learn;
#[path = "cli/awkward.rs"]
mod awkward;
#[path = "cli/azure.rs"]
mod azure;
#[path = "cli/azure_rights.rs"]
mod azure_rights;
#[path = "cli/beside.rs"]
mod beside;
#[path = "cli/canary.rs"]
mod canary;
#[path = "cli/cluster.rs"]
mod cluster;
#[path = "cli/decide.rs"]
mod decide;
#[path = "cli/deploy.rs"]
mod deploy;
#[path = "cli/deployed.rs"]
mod deployed;
#[path = "cli/detect.rs"]
mod detect;
#[path = "cli/diff.rs"]
mod diff;
#[path = "cli/disguises.rs"]
mod disguises;
#[path = "cli/enables.rs"]
mod enables;
#[path = "cli/examples.rs"]
mod examples;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/failures.rs"]
mod failures;
#[path = "cli/fix.rs"]
mod fix;
#[path = "cli/fix_added.rs"]
mod fix_added;
#[path = "cli/fix_rendered.rs"]
mod fix_rendered;
#[path = "cli/fix_terraform.rs"]
mod fix_terraform;
#[path = "cli/follow.rs"]
mod follow;
#[path = "cli/generate.rs"]
mod generate;
#[path = "cli/guide.rs"]
mod guide;
#[cfg(feature = "history")]
#[path = "cli/history.rs"]
mod history;
#[path = "cli/hub.rs"]
mod hub;
#[path = "cli/images.rs"]
mod images;
#[path = "cli/kql.rs"]
mod kql;
#[path = "cli/lsp.rs"]
mod lsp;
#[path = "cli/maintenance.rs"]
mod maintenance;
#[path = "cli/node.rs"]
mod node;
#[path = "cli/node_published.rs"]
mod node_published;
#[path = "cli/oddities.rs"]
mod oddities;
#[path = "cli/open_world.rs"]
mod open_world;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/paths.rs"]
mod paths;
#[path = "cli/picture.rs"]
mod picture;
#[path = "cli/pipelines.rs"]
mod pipelines;
#[path = "cli/pod_security.rs"]
mod pod_security;
#[path = "cli/policy.rs"]
mod policy;
#[path = "cli/probe.rs"]
mod probe;
#[path = "cli/reach.rs"]
mod reach;
#[path = "cli/reading.rs"]
mod reading;
#[path = "cli/rendering.rs"]
mod rendering;
#[path = "cli/rights.rs"]
mod rights;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/schemas.rs"]
mod schemas;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/shells.rs"]
mod shells;
#[path = "cli/site.rs"]
mod site;
#[path = "cli/snapshot.rs"]
mod snapshot;
#[path = "cli/stable.rs"]
mod stable;
#[path = "cli/templates.rs"]
mod templates;
#[path = "cli/waivers.rs"]
mod waivers;
