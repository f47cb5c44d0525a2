//! Groups that follow from a name alone, and whoever does not sign in.

use crate::ask::{
    ANONYMOUS, AUTHENTICATED, MASTERS, SERVICE_ACCOUNTS, Subject, UNAUTHENTICATED, implied_groups,
};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, Object};
use crate::paths::node::{EVERYTHING, Place};

/// What everybody has who reaches the API server.
pub(in crate::paths) const API_SERVER: &str = "api-server";

pub(super) fn add(builder: &mut Builder<'_>) {
    let accounts: Vec<(Box<str>, Box<str>)> = builder
        .accounts
        .iter()
        .flat_map(|(namespace, names)| names.iter().map(|name| (namespace.clone(), name.clone())))
        .collect();
    for (namespace, name) in accounts {
        account(builder, &namespace, &name);
    }
    let subjects = builder.analyses.rights().rbac.subjects().to_vec();
    for subject in &subjects {
        match subject {
            Subject::ServiceAccount { namespace, name } => account(builder, namespace, name),
            Subject::User(name) => {
                let own = builder.subject(subject);
                for group in implied_groups(name) {
                    let group = builder.subject(&Subject::Group(group.as_ref().into()));
                    builder.implied(own, group);
                }
            }
            Subject::Group(name) => group(builder, name),
            Subject::Principal { .. } => {}
        }
    }
    // About its members nobody is asked.
    let masters = builder.subject(&Subject::Group(MASTERS.into()));
    let everything = builder.right(EVERYTHING, Place::Cluster);
    builder.implied(masters, everything);
    anonymous(builder);
}

fn account(builder: &mut Builder<'_>, namespace: &str, name: &str) {
    let account = builder.account(namespace, name);
    let user = format!("system:serviceaccount:{namespace}:{name}");
    for group in implied_groups(&user) {
        let group = builder.subject(&Subject::Group(group.as_ref().into()));
        builder.implied(account, group);
    }
}

fn group(builder: &mut Builder<'_>, name: &str) {
    if name == UNAUTHENTICATED || name == AUTHENTICATED {
        return;
    }
    let own = builder.subject(&Subject::Group(name.into()));
    let all = builder.subject(&Subject::Group(AUTHENTICATED.into()));
    builder.implied(own, all);
    if name
        .strip_prefix(SERVICE_ACCOUNTS)
        .is_some_and(|rest| rest.starts_with(':'))
    {
        let accounts = builder.subject(&Subject::Group(SERVICE_ACCOUNTS.into()));
        builder.implied(own, accounts);
    }
}

/// Whoever reaches the API server is the user `system:anonymous`, where a binding gives that more than every
/// cluster does.
fn anonymous(builder: &mut Builder<'_>) {
    let rights = builder.analyses.rights();
    let is_anybody = |subject: &Subject| match subject {
        Subject::User(name) => **name == *ANONYMOUS,
        Subject::Group(name) => **name == *UNAUTHENTICATED,
        _ => false,
    };
    let mut given: Vec<Evidence> = Vec::new();
    for binding in rights.rbac.bindings() {
        for (number, subject) in &binding.subjects {
            if is_anybody(subject) {
                let value = super::item(rights, binding.resource, "subjects", *number);
                let says = "binds whoever does not sign in";
                let one = builder.seen_right(binding.resource, value, says);
                // What every cluster gives leads nowhere.
                if matches!(one.object, Object::Estate(_)) && !is_default(&binding.role_name) {
                    given.push(one);
                }
            }
        }
    }
    let user = builder.subject(&Subject::User(ANONYMOUS.into()));
    let all = builder.subject(&Subject::Group(UNAUTHENTICATED.into()));
    builder.implied(user, all);
    if given.is_empty() {
        return;
    }
    let base = builder.base(API_SERVER);
    for evidence in given {
        builder.add(Draft::new(Edge::AnonymousBinding, base, user).by(evidence));
    }
}

/// Whether every cluster gives whoever does not sign in this role
/// (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
fn is_default(role: &str) -> bool {
    role == "system:public-info-viewer"
}
