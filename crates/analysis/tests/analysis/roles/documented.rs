//! What Microsoft documents about Azure roles, one case each.

use analysis::ask::{Answer, Ground};
use analysis::roles::critical;
use analysis::roles::{Ask, Who, identities_of};
use serde_json::json;

use super::{SUBSCRIPTION, assignment, build, cluster, cluster_id, custom, guid, lines, live};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const RBAC_ADMINISTRATOR: &str = "f58310d9-a9f6-439a-9e8d-f62e7b41a168";
const CLUSTER_ADMIN: &str = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8";
const ADMIN_CREDENTIAL: &str =
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action";

/// learn.microsoft.com/azure/role-based-access-control/role-definitions, "Example: Wildcards" and the rule for
/// `notActions`: another assignment may allow what one excludes.
#[test]
fn what_one_role_takes_out_another_may_give() {
    let export = "Microsoft.CostManagement/exports/write";
    let narrow = custom(
        1,
        json!([{"actions": ["Microsoft.CostManagement/exports/*"],
                "notActions": ["Microsoft.CostManagement/exports/write"]}]),
    );
    let estate = live(&[
        narrow.clone(),
        assignment(5, SUBSCRIPTION, &guid(1), 1, json!({})),
    ]);
    assert!(lines(&build(&estate), export, false, SUBSCRIPTION).is_empty());
    let both = [
        narrow,
        custom(2, json!([{"actions": [export]}])),
        assignment(5, SUBSCRIPTION, &guid(1), 1, json!({})),
        assignment(6, SUBSCRIPTION, &guid(2), 1, json!({})),
    ];
    let holders = lines(&build(&live(&both)), export, false, SUBSCRIPTION);
    assert_eq!(holders, [format!("{} by Custom 2", guid(1))]);
}

/// role-definitions, "notActions": subtracted within the permission that lists them. `permissions` has several
/// entries in some built-in roles (Azure Container Storage Owner).
#[test]
fn subtraction_is_within_one_permission() {
    let role = custom(
        1,
        json!([
            {"actions": ["*"], "notActions": ["A.b/*"]},
            {"actions": ["A.b/read"]},
        ]),
    );
    let estate = live(&[role, assignment(5, SUBSCRIPTION, &guid(1), 1, json!({}))]);
    let roles = build(&estate);
    assert_eq!(lines(&roles, "A.b/read", false, SUBSCRIPTION).len(), 1);
    assert!(lines(&roles, "A.b/write", false, SUBSCRIPTION).is_empty());
}

/// role-definitions, "Control and data actions": Owner of a storage account reads no blob.
#[test]
fn owner_has_no_data_action() {
    let estate = live(&[assignment(5, SUBSCRIPTION, OWNER, 1, json!({}))]);
    let roles = build(&estate);
    let blob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
    assert!(lines(&roles, blob, true, SUBSCRIPTION).is_empty());
    assert_eq!(
        lines(
            &roles,
            "Microsoft.Storage/storageAccounts/listKeys/action",
            false,
            SUBSCRIPTION
        )
        .len(),
        1
    );
}

/// learn.microsoft.com/azure/role-based-access-control/scope-overview: children inherit.
#[test]
fn scopes_are_inherited_downwards_only() {
    let group = format!("{SUBSCRIPTION}/resourceGroups/shop");
    let estate = live(&[
        assignment(5, SUBSCRIPTION, OWNER, 1, json!({})),
        assignment(6, &cluster_id(), CLUSTER_ADMIN, 2, json!({})),
        assignment(7, &group, CONTRIBUTOR, 3, json!({})),
        assignment(8, &group, READER, 4, json!({})),
    ]);
    let roles = build(&estate);
    assert_eq!(
        lines(&roles, ADMIN_CREDENTIAL, false, &cluster_id()),
        [
            format!("{} by Owner, inherited", guid(1)),
            format!("{} by Azure Kubernetes Service Cluster Admin Role", guid(2)),
            format!("{} by Contributor, inherited", guid(3)),
        ]
    );
    assert_eq!(lines(&roles, ADMIN_CREDENTIAL, false, &group).len(), 2);
}

/// learn.microsoft.com/azure/role-based-access-control/deny-assignments: properties `doNotApplyToChildScopes`,
/// `excludePrincipals`, and the principal that stands for everybody.
#[test]
fn denials_win_but_for_those_they_spare() {
    let deny = |here_only: bool| {
        json!({
            "id": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/denyAssignments/{}", guid(9)),
            "properties": {
                "denyAssignmentName": "blueprint",
                "scope": SUBSCRIPTION,
                "doNotApplyToChildScopes": here_only,
                "permissions": [{"actions": ["*"], "notActions": ["*/read"]}],
                "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
                "excludePrincipals": [{"id": guid(2), "type": "ServicePrincipal"}],
            },
        })
    };
    let owners = |deny| {
        let estate = live(&[
            assignment(5, SUBSCRIPTION, OWNER, 1, json!({})),
            assignment(6, SUBSCRIPTION, OWNER, 2, json!({})),
            deny,
        ]);
        lines(&build(&estate), ADMIN_CREDENTIAL, false, &cluster_id())
    };
    assert_eq!(
        owners(deny(false)),
        [format!("{} by Owner, inherited", guid(2))]
    );
    assert_eq!(owners(deny(true)).len(), 2);
}

/// learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples: a delegate who may
/// give AcrPull alone is no way to take a cluster over; one who may give all but three roles is.
#[test]
fn constrained_delegates_take_nothing_over() {
    let given = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]";
    let write = "!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})";
    let only = format!(
        "{write} OR {given} ForAnyOfAnyValues:GuidEquals {{7f951dda-4ed3-4680-a7ca-43fe172d538d}}"
    );
    let but = format!(
        "{write} OR {given} ForAnyOfAllValues:GuidNotEquals {{{OWNER}, 18d7d88d-d35e-4fb5-a5c3-7773c20a72d9, {RBAC_ADMINISTRATOR}}}"
    );
    let estate = live(&[
        cluster(json!({"aadProfile": {"managed": true}, "disableLocalAccounts": true})),
        assignment(
            5,
            SUBSCRIPTION,
            RBAC_ADMINISTRATOR,
            1,
            json!({"condition": only}),
        ),
        assignment(
            6,
            SUBSCRIPTION,
            RBAC_ADMINISTRATOR,
            2,
            json!({"condition": but}),
        ),
    ]);
    let roles = build(&estate);
    let all = lines(
        &roles,
        "Microsoft.Authorization/roleAssignments/write",
        false,
        &cluster_id(),
    );
    assert_eq!(all.len(), 2);
    assert!(all[0].ends_with("if the role is `AcrPull`"), "{}", all[0]);
    let (takeovers, unknown) = roles.takeovers(&roles.clusters()[0]);
    let who: Vec<_> = takeovers
        .iter()
        .map(|(critical, grant)| (critical.id, grant.who.clone(), grant.is_certain()))
        .collect();
    assert_eq!(who, [("role-assignment", Who::Id(guid(2).into()), true)]);
    assert!(unknown.is_empty());
}

/// learn.microsoft.com/azure/aks/local-accounts and control-kubeconfig-access.
#[test]
fn credentials_give_nothing_where_they_do_not_exist() {
    let take = |properties| {
        let estate = live(&[
            cluster(properties),
            assignment(5, &cluster_id(), CLUSTER_ADMIN, 1, json!({})),
            assignment(
                6,
                &cluster_id(),
                "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
                2,
                json!({}),
            ),
        ]);
        let roles = build(&estate);
        let (found, _) = roles.takeovers(&roles.clusters()[0]);
        found
            .into_iter()
            .filter(|(_, grant)| grant.is_certain())
            .map(|(critical, grant)| format!("{} {}", critical.id, roles.name(&grant.who)))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        take(json!({})),
        [
            format!("admin-credential {}", guid(1)),
            format!("access-profile {}", guid(1)),
            format!("user-credential {}", guid(2)),
            format!("run-command {}", guid(1)),
        ]
    );
    let entra = json!({"managed": true});
    assert_eq!(take(json!({"aadProfile": entra})).len(), 2);
    assert!(take(json!({"aadProfile": entra, "disableLocalAccounts": true})).is_empty());
}

/// learn.microsoft.com/azure/aks/node-resource-group-lockdown: a deny assignment; the API's reference: "only */read
/// RBAC permissions allowed on the managed node resource group".
#[test]
fn a_locked_node_resource_group_leaves_reading() {
    let holders = |level: &str| {
        let estate = live(&[
            cluster(json!({"nodeResourceGroupProfile": {"restrictionLevel": level}})),
            assignment(5, SUBSCRIPTION, CONTRIBUTOR, 1, json!({})),
        ]);
        let roles = build(&estate);
        let cluster = &roles.clusters()[0];
        assert_eq!(
            &*cluster.node_group,
            format!("{SUBSCRIPTION}/resourceGroups/MC_shop_shop_westeurope")
        );
        let count = |id: &str| {
            let holders = roles.holders_for(critical::find(id).unwrap(), cluster);
            holders
                .grants
                .iter()
                .map(|grant| grant.is_certain())
                .collect::<Vec<_>>()
        };
        (count("node-write"), count("node-run-command"))
    };
    assert_eq!(holders("Unrestricted"), (vec![true], vec![true]));
    assert_eq!(holders("ReadOnly"), (vec![], vec![]));
}

/// Members of groups, and who is only named by a group that nobody read.
#[test]
fn groups_give_to_their_members_where_those_are_known() {
    let group = |number: u32, name: &str, members: serde_json::Value| {
        json!({"id": format!("/providers/Microsoft.Graph/groups/{}", guid(number)), "name": guid(number),
               "properties": {"displayName": name, "members": members}})
    };
    let given = |who: u32| {
        assignment(
            5,
            SUBSCRIPTION,
            OWNER,
            who,
            json!({"principalType": "Group"}),
        )
    };
    let estate = live(&[
        given(20),
        group(20, "platform", json!([guid(1), guid(21)])),
        group(21, "break-glass", json!([guid(2)])),
        json!({"id": format!("/providers/Microsoft.Graph/users/{}", guid(2)), "name": guid(2),
               "properties": {"displayName": "Ada"}}),
    ]);
    let roles = build(&estate);
    assert_eq!(
        lines(&roles, ADMIN_CREDENTIAL, false, &cluster_id()),
        [
            format!("{} by Owner, inherited, through {}", guid(1), guid(20)),
            format!(
                "Ada by Owner, inherited, through {} > {}",
                guid(20),
                guid(21)
            ),
            format!("break-glass by Owner, inherited, through {}", guid(20)),
            "platform by Owner, inherited".to_owned(),
        ]
    );
    let unread = live(&[given(20)]);
    let roles = build(&unread);
    let ask = Ask {
        action: ADMIN_CREDENTIAL,
        data: false,
        resource: &cluster_id(),
        attributes: &[],
    };
    let holders = roles.holders(&ask);
    assert_eq!(
        &*holders.unknown[0].text,
        format!("not all members of group {} are known", guid(20))
    );
    assert!(matches!(
        roles.can(&guid(1), None, &ask),
        Answer::Unknown(_)
    ));
    // A token lists the groups.
    assert!(roles.can(&guid(1), Some(&[&guid(20)]), &ask).is_yes());
    assert_eq!(
        roles.can(&guid(1), Some(&[]), &ask),
        Answer::No(Ground::ByWhatWasGiven)
    );
}

/// learn.microsoft.com/azure/role-based-access-control/pim-integration: an eligible assignment gives nothing until
/// it is activated.
#[test]
fn an_eligible_role_is_a_condition() {
    let mut eligible = assignment(5, SUBSCRIPTION, OWNER, 1, json!({}));
    eligible["id"] = json!(format!(
        "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances/{}",
        guid(5)
    ));
    let estate = live(&[eligible]);
    assert_eq!(
        lines(&build(&estate), ADMIN_CREDENTIAL, false, &cluster_id()),
        [format!(
            "{} by Owner, inherited, if it is activated in Privileged Identity Management",
            guid(1)
        )]
    );
}

#[test]
fn an_unknown_role_or_management_group_is_a_doubt() {
    let estate = live(&[
        assignment(5, SUBSCRIPTION, &guid(77), 1, json!({})),
        assignment(
            6,
            "/providers/Microsoft.Management/managementGroups/root",
            OWNER,
            2,
            json!({}),
        ),
    ]);
    let found = lines(&build(&estate), ADMIN_CREDENTIAL, false, &cluster_id());
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("but what the role"), "{}", found[0]);
    assert!(found[1].contains("but whether its scope"), "{}", found[1]);
    let mut known = vec![assignment(
        6,
        "/providers/Microsoft.Management/managementGroups/root",
        OWNER,
        2,
        json!({}),
    )];
    let chain = |names: &[&str]| {
        json!({"id": "/providers/Microsoft.Resources/subscriptions/00000000-0000-0000-0000-00000000000a",
               "properties": {"managementGroupAncestorsChain":
                   names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}})
    };
    known.push(chain(&["Platform", "Root"]));
    assert_eq!(
        lines(
            &build(&live(&known)),
            ADMIN_CREDENTIAL,
            false,
            &cluster_id()
        ),
        [format!("{} by Owner, inherited", guid(2))]
    );
    known.pop();
    known.push(chain(&["other"]));
    assert!(
        lines(
            &build(&live(&known)),
            ADMIN_CREDENTIAL,
            false,
            &cluster_id()
        )
        .is_empty()
    );
}

#[test]
fn identities_of_a_cluster_are_one_with_what_assignments_name() {
    let mut shop = cluster(json!({
        "identityProfile": {"kubeletidentity": {"objectId": guid(31), "resourceId": "/x"}},
        "addonProfiles": {"azurepolicy": {"enabled": true, "identity": {"objectId": guid(32)}}},
    }));
    shop["identity"] = json!({"type": "SystemAssigned", "principalId": guid(30)});
    let estate = live(&[shop, assignment(5, SUBSCRIPTION, OWNER, 31, json!({}))]);
    let number = estate.of_kind("Microsoft.ContainerService/managedClusters")[0];
    let found: Vec<Who> = identities_of(&estate, number)
        .into_iter()
        .map(|(_, who)| who)
        .collect();
    let wanted: Vec<Who> = [30, 31, 32].map(|one| Who::Id(guid(one).into())).to_vec();
    assert_eq!(found, wanted);
    let roles = build(&estate);
    assert_eq!(roles.assigned(&wanted[1]).count(), 1);
    assert_eq!(roles.assigned(&wanted[0]).count(), 0);
    assert_eq!(
        lines(&roles, ADMIN_CREDENTIAL, false, &cluster_id()),
        ["kubelet identity of shop by Owner, inherited"]
    );
}

/// learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest: the list of a subscription
/// holds what is assigned above it, so the group of an assignment that was read is above the only subscription
/// that was.
#[test]
fn a_management_group_is_above_the_only_subscription_that_was_read() {
    let kind = "Microsoft.Authorization/roleAssignments";
    let root = assignment(
        6,
        "/providers/Microsoft.Management/managementGroups/root",
        OWNER,
        2,
        json!({}),
    );
    let mut estate = live(&[root]);
    estate.completeness.declare(kind, SUBSCRIPTION);
    let roles = build(&estate);
    let ask = Ask {
        action: ADMIN_CREDENTIAL,
        data: false,
        resource: &cluster_id(),
        attributes: &[],
    };
    let holders = roles.holders(&ask);
    assert_eq!(holders.ground, Ground::Complete);
    assert!(holders.grants[0].is_certain());
    assert_eq!(
        roles.can(&guid(7), None, &ask),
        Answer::No(Ground::Complete)
    );
    estate
        .completeness
        .declare(kind, "/subscriptions/00000000-0000-0000-0000-00000000000b");
    assert!(!build(&estate).holders(&ask).grants[0].is_certain());
}

#[test]
fn what_could_not_be_read_is_said() {
    let mut estate = live(&[]);
    estate.completeness.gap(model::Gap {
        kind: "Microsoft.Authorization/roleAssignments".into(),
        within: SUBSCRIPTION.into(),
        why: "Azure refused to list role assignments (403)".into(),
    });
    let roles = build(&estate);
    let ask = Ask {
        action: ADMIN_CREDENTIAL,
        data: false,
        resource: &cluster_id(),
        attributes: &[],
    };
    let holders = roles.holders(&ask);
    assert_eq!(
        &*holders.unknown[0].text,
        "Azure refused to list role assignments (403)"
    );
    assert!(matches!(
        roles.can(&guid(7), None, &ask),
        Answer::Unknown(_)
    ));
}

#[test]
fn actions_are_told_from_data_actions_and_asked_where_they_can_be_done() {
    let estate = live(&[
        cluster(json!({})),
        assignment(5, SUBSCRIPTION, OWNER, 1, json!({})),
        assignment(
            6,
            &format!(
                "{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/hub"
            ),
            OWNER,
            1,
            json!({}),
        ),
    ]);
    let roles = build(&estate);
    for (action, data) in [
        (
            "Microsoft.ContainerService/managedClusters/runCommand/action",
            Some(false),
        ),
        (
            "Microsoft.ContainerService/managedClusters/pods/exec/action",
            Some(true),
        ),
        (
            "Microsoft.ContainerService/managedClusters/apps/deployments/read",
            Some(true),
        ),
        (
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Some(true),
        ),
        (
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            Some(true),
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            Some(false),
        ),
        ("Microsoft.Nobody/knows/read", None),
    ] {
        assert_eq!(roles.is_data_action(action), data, "{action}");
    }
    let targets = |action: &str| -> Vec<String> {
        roles
            .targets(&estate, action)
            .iter()
            .map(|id| id.to_string())
            .collect()
    };
    assert_eq!(
        targets("Microsoft.ContainerService/managedClusters/agentPools/write"),
        [cluster_id()]
    );
    assert_eq!(
        targets("Microsoft.Compute/virtualMachineScaleSets/write"),
        [format!(
            "{SUBSCRIPTION}/resourceGroups/MC_shop_shop_westeurope"
        )]
    );
    assert_eq!(targets("Microsoft.KeyVault/vaults/write"), [SUBSCRIPTION]);
    assert_eq!(
        targets("Microsoft.Authorization/roleAssignments/write"),
        [cluster_id()]
    );
}
