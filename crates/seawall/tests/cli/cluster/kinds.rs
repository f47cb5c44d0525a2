//! Nothing that a guideline reads is forgotten in the table of kinds.

use std::collections::BTreeSet;

use guide::guideline::Applies;
use sources::cluster::kinds::{SECRETS, WANTED};

/// Kinds that only the guidelines about versions of manifests name. A cluster shows every object in a
/// version that it serves, so there is nothing to judge; what writes old versions is told of the cluster
/// itself.
const IN_FILES_ONLY: [&str; 16] = [
    "CSINode",
    "CSIStorageCapacity",
    "ClusterTrustBundle",
    "ControllerRevision",
    "DeviceClass",
    "FlowSchema",
    "IPAddress",
    "Lease",
    "PriorityLevelConfiguration",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
    "ServiceCIDR",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "Endpoints",
];

/// Kinds that only fixes read: what runs is not fixed.
const FOR_FIXES: [&str; 2] = [
    "ClusterIssuer.cert-manager.io",
    "ClusterSecretStore.external-secrets.io",
];

#[test]
fn every_kind_that_a_guideline_reads_is_listed() {
    let (guide, _) = guide::Guide::builtin();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for guideline in &guide.guidelines {
        if let Applies::Kinds(kinds) = &guideline.applies {
            read.extend(kinds.iter().map(|kind| &**kind));
        }
        read.extend(guideline.needs.kinds.iter().map(|kind| &**kind));
    }
    let listed: BTreeSet<String> = WANTED
        .iter()
        .chain([&SECRETS])
        .map(|wanted| wanted.name())
        .collect();
    let forgotten: Vec<&str> = read
        .into_iter()
        .filter(|kind| {
            !(kind.contains('/')
                || kind.ends_with(".seawall.dev")
                || *kind == "workloads"
                || IN_FILES_ONLY.contains(kind)
                || FOR_FIXES.contains(kind)
                || listed.contains(*kind))
        })
        .collect();
    assert_eq!(forgotten, Vec::<&str>::new());
}
