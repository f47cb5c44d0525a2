//! Secrets, tokens, other names, certificates.

use model::{Ref, Within};

use super::Hands;
use crate::ask::{MASTERS, Subject};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::Place;

/// The type of a Secret that holds a token (kubernetes pkg/apis/core, `SecretTypeServiceAccountToken`), and the
/// annotation that says whose.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";
const TOKEN_OF: &str = "kubernetes.io/service-account.name";

pub(super) fn add(builder: &mut Builder<'_>, hands: &Hands) {
    within_namespaces(builder);
    not_given(builder);
    token_secrets(builder);
    names(builder);
    certificates(builder, hands);
}

fn within_namespaces(builder: &mut Builder<'_>) {
    let namespaces: Vec<Box<str>> = builder.namespaces.iter().cloned().collect();
    for namespace in &namespaces {
        let place = builder.namespace(namespace);
        let accounts = builder.right("accounts", place);
        for name in builder.accounts.get(namespace).cloned().unwrap_or_default() {
            let to = builder.account(namespace, &name);
            builder.implied(accounts, to);
        }
        for right in ["token-request", "token-secret", "impersonate-account"] {
            let right = builder.right(right, place);
            builder.implied(right, accounts);
        }
        let read = builder.right("secret-read", place);
        for name in builder.secrets.get(namespace).cloned().unwrap_or_default() {
            let to = builder.secret(namespace, &name);
            builder.implied(read, to);
        }
        // The controller fills what has the type (kubernetes pkg/controller/serviceaccount/tokens_controller.go):
        // two requests.
        let create = builder.right("secret-create", place);
        let always = builder.always("the controller writes a token into such a Secret");
        let draft = Draft::new(Edge::TokenSecret, create, accounts).and(read);
        builder.add(draft.by(always));
    }
}

/// Service accounts that only bindings name. Whoever may create them has them; whether they are there is open
/// where not all were given. Kubernetes' own controllers have accounts where they sign in one by one.
fn not_given(builder: &mut Builder<'_>) {
    let rights = builder.analyses.rights();
    for binding in rights.rbac.bindings() {
        for (_, subject) in &binding.subjects {
            let Subject::ServiceAccount { namespace, name } = subject else {
                continue;
            };
            let known = builder
                .accounts
                .get(namespace)
                .is_some_and(|all| all.contains(name));
            if known || !builder.namespaces.contains(namespace) {
                continue;
            }
            let to = builder.account(namespace, name);
            let place = builder.namespace(namespace);
            let impersonate = builder.right("impersonate-account", place);
            builder.implied(impersonate, to);
            let by = builder.seen_right(binding.resource, None, "names the account");
            let own = matches!(by.object, crate::paths::Object::BuiltIn(_));
            let unknown = builder
                .estate
                .absent("ServiceAccount", Within::Namespace(namespace))
                .is_some();
            for right in ["token-request", "pod-create"] {
                let from = builder.right(right, place);
                let edge = if right == "token-request" {
                    Edge::TokenRequest
                } else {
                    Edge::PodCreate
                };
                let draft = Draft::new(edge, from, to).by(by.clone());
                if own || unknown {
                    let why = if own {
                        "Kubernetes' controllers may sign in by another way".to_owned()
                    } else {
                        format!("ServiceAccount {namespace}/{name} was not given")
                    };
                    builder.add(draft.perhaps(Some(why)));
                } else {
                    let create = builder.right("account-create", place);
                    builder.add(draft.and(create));
                }
            }
        }
    }
}

/// Secrets that hold a token already.
fn token_secrets(builder: &mut Builder<'_>) {
    let estate = builder.estate;
    for id in estate.of_kind("Secret") {
        let Some(secret) = estate.get(*id) else {
            continue;
        };
        let object = secret.object();
        let kind = object.get("type");
        if kind.and_then(Ref::as_str) != Some(TOKEN_TYPE) {
            continue;
        }
        let of = object.path(&["metadata", "annotations", TOKEN_OF]);
        let Some(name) = of.and_then(Ref::as_str) else {
            continue;
        };
        let namespace = crate::reach::namespace_of(secret);
        let known = builder
            .accounts
            .get(namespace)
            .is_some_and(|all| all.contains(name));
        let unknown = estate
            .absent("ServiceAccount", Within::Namespace(namespace))
            .is_some();
        // Without the account the controller deletes the Secret.
        if !known && !unknown {
            continue;
        }
        let from = builder.secret(namespace, &secret.name.name);
        let to = builder.account(namespace, name);
        let says = format!("holds a token of ServiceAccount {name}");
        let by = builder.seen(*id, kind, &says);
        let doubt = (!known).then(|| format!("ServiceAccount {namespace}/{name} was not given"));
        builder.add(
            Draft::new(Edge::TokenSecret, from, to)
                .by(by)
                .perhaps(doubt),
        );
    }
}

/// Users and groups that bindings name, of which somebody may take any.
fn names(builder: &mut Builder<'_>) {
    let users = builder.right("users", Place::Cluster);
    let groups = builder.right("groups", Place::Cluster);
    let accounts = builder.right("accounts", Place::Cluster);
    let by_user = builder.right("impersonate-user", Place::Cluster);
    let by_group = builder.right("impersonate-group", Place::Cluster);
    builder.implied(by_user, users);
    // As the facts about escalation call it.
    let by_any = builder.right("impersonate", Place::Cluster);
    builder.implied(by_any, users);
    let subjects = builder.analyses.rights().rbac.subjects().to_vec();
    for subject in &subjects {
        let to = builder.subject(subject);
        match subject {
            Subject::User(_) => builder.implied(users, to),
            // For service accounts another resource is asked.
            Subject::ServiceAccount { .. } => builder.implied(accounts, to),
            Subject::Group(name) if **name == *MASTERS => {}
            Subject::Group(_) => builder.implied(groups, to),
            Subject::Principal { .. } => {}
        }
    }
    builder.implied(by_group, groups);
    let masters = builder.subject(&Subject::Group(MASTERS.into()));
    builder.implied(by_group, masters);
    // A certificate of the API server's own signer says a name and groups; only system:masters is refused
    // (kubernetes plugin/pkg/admission/certificates/subjectrestriction).
    let signed = builder.right("certificate-sign", Place::Cluster);
    for to in [users, groups, accounts] {
        builder.implied(signed, to);
    }
}

/// Whoever may ask and somebody who may approve: two requests. The answer to another approval holds the
/// certificate. What `sign` allows needs the signer's key, which the right does not give.
fn certificates(builder: &mut Builder<'_>, hands: &Hands) {
    let create = builder.right("csr-create", Place::Cluster);
    let always = builder.always("an approved request is signed");
    for (approve, gives) in [
        ("csr-approve", "certificate-sign"),
        ("csr-approve-node", "node-certificate"),
    ] {
        let approve = builder.right(approve, Place::Cluster);
        let gives = builder.right(gives, Place::Cluster);
        let draft = Draft::new(Edge::CertificateSign, create, gives).and(approve);
        builder.add(draft.by(always.clone()));
    }
    // A node is given tokens of the accounts and the Secrets of pods that are bound to it
    // (kubernetes plugin/pkg/auth/authorizer/node).
    let node = builder.right("node-certificate", Place::Cluster);
    for number in hands.index().within.values().flatten() {
        let Some(workload) = builder.names.workloads.get(*number as usize).cloned() else {
            continue;
        };
        let Some(resource) = builder.resource(&workload) else {
            continue;
        };
        let mut account = "default";
        let mut secrets = Vec::new();
        for (kind, name) in resource.referred() {
            match kind {
                "ServiceAccount" => account = name,
                "Secret" => secrets.push(name.to_owned()),
                _ => {}
            }
        }
        let to = builder.account(&workload.namespace, account);
        builder.implied(node, to);
        for name in secrets {
            let to = builder.secret(&workload.namespace, &name);
            builder.implied(node, to);
        }
    }
}
