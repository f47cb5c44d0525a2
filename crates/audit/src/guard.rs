//! What AKS's category `guard` says: the webhook that asks Entra and Azure RBAC writes lines of klog, not events.
//!
//! How a decision is worded is in kubeguard/guard, authz/providers/azure/rbac (`CheckAccess`, `AccessAllowedVerboseVerdict`,
//! `AccessNotAllowedVerdict`); how much of it is there hangs on the verbosity that AKS runs it with. Everything else that it
//! writes is counted, no more: what was asked and by whom stands in the audit log, with the decision.

use std::collections::BTreeMap;

/// Users that are kept apart, the first in alphabetical order.
const USERS: usize = 1000;

/// A decision of Azure RBAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A role assignment allows it.
    Allowed,
    /// None does.
    Denied,
    /// Azure was asked and did not answer so.
    Failed,
}

/// What a line says: a decision and, where it is told, about whom.
#[must_use]
pub fn read(line: &str) -> Option<(Decision, Option<&str>)> {
    let line = line.trim();
    let message = line.split_once("] ").map_or(line, |(_, message)| message);
    let user = |marker: &str| {
        let (_, rest) = message.rsplit_once(marker)?;
        Some(rest.trim_end_matches('"')).filter(|user| !user.is_empty())
    };
    let starts = |words: &str| {
        message
            .get(..words.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(words))
    };
    if starts("Access allowed by Azure RBAC") {
        Some((Decision::Allowed, user(" to user ")))
    } else if starts("Checkaccess request is allowed") {
        Some((Decision::Allowed, user(" for user ")))
    } else if starts("Checkaccess request is denied") {
        Some((Decision::Denied, user(" for user ")))
    } else if starts("User does not have access to the resource in Azure") {
        Some((Decision::Denied, None))
    } else if starts("error in check access response")
        || starts("Checkaccess requests have timed out")
    {
        Some((Decision::Failed, None))
    } else {
        None
    }
}

/// Decisions, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Lines that say that something was allowed.
    pub allowed: u64,
    /// Lines that say that something was denied.
    pub denied: u64,
    /// Lines that say that Azure did not answer.
    pub failed: u64,
    /// By user, where a line names one: allowed, and denied.
    pub users: BTreeMap<Box<str>, (u64, u64)>,
    /// More users than are kept.
    pub more_users: bool,
}

impl Decisions {
    pub(crate) fn line(&mut self, line: &str) {
        let Some((decision, user)) = read(line) else {
            return;
        };
        match decision {
            Decision::Allowed => self.allowed += 1,
            Decision::Denied => self.denied += 1,
            Decision::Failed => self.failed += 1,
        }
        if let Some(user) = user {
            let own = self.users.entry(user.into()).or_default();
            own.0 += u64::from(decision == Decision::Allowed);
            own.1 += u64::from(decision == Decision::Denied);
            self.bound();
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.denied += other.denied;
        self.failed += other.failed;
        self.more_users |= other.more_users;
        for (user, (allowed, denied)) in other.users {
            let own = self.users.entry(user).or_default();
            own.0 += allowed;
            own.1 += denied;
        }
        self.bound();
    }

    fn bound(&mut self) {
        while self.users.len() > USERS {
            self.users.pop_last();
            self.more_users = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, read};

    #[test]
    fn decisions_are_read_and_everything_else_is_left() {
        let said = |message: &str| {
            let line = format!("I1126 10:00:00.000000       1 rbac.go:467] {message}\n");
            read(&line).map(|(decision, user)| (decision, user.map(str::to_owned)))
        };
        let eve = || Some("eve@contoso.example".to_owned());
        for (message, expected) in [
            (
                "Access allowed by Azure RBAC Role Assignment 59ae of Role 7f6c to user eve@contoso.example",
                Some((Decision::Allowed, eve())),
            ),
            (
                "Access allowed by Azure RBAC",
                Some((Decision::Allowed, None)),
            ),
            (
                "Checkaccess request is denied for user eve@contoso.example",
                Some((Decision::Denied, eve())),
            ),
            (
                "checkAccess request is allowed for user eve@contoso.example",
                Some((Decision::Allowed, eve())),
            ),
            (
                "User does not have access to the resource in Azure. Update role assignment to allow access.",
                Some((Decision::Denied, None)),
            ),
            (
                "error in check access response. error code: 429, response: , correlationID: 1",
                Some((Decision::Failed, None)),
            ),
            (
                "Checkaccess Request has succeeded, CorrelationID is 1. Remaining request count in ARM instance:11999",
                None,
            ),
            ("é", None),
        ] {
            assert_eq!(said(message), expected, "{message}");
        }
    }
}
