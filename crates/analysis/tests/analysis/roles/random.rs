//! Thousands of random estates, held against an evaluator that is written anew, without index, memo or sharing:
//! scopes by text, groups by trying every path, patterns by trying every way.

use std::collections::BTreeSet;

use analysis::ask::Answer;
use analysis::roles::{Ask, Who};
use serde_json::{Value, json};

use super::builtin::naive;
use super::{assignment, build, custom, guid, live};

/// A xorshift generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }

    fn some<'a>(&mut self, from: &[&'a str], most: usize) -> Vec<&'a str> {
        (0..self.roll(most + 1)).map(|_| self.pick(from)).collect()
    }
}

const PATTERNS: [&str; 14] = [
    "*",
    "*/read",
    "A.b/*",
    "a.B/c/READ",
    "A.b/c/write",
    "A.b/*/read",
    "A.b/c/*",
    "A.b/*/d/write",
    "A.b/c/d/write",
    "*/write",
    "X.y/*",
    "A.b/c/run/action",
    "*/action",
    "A.b/*/delete",
];

const ACTIONS: [&str; 8] = [
    "A.b/c/read",
    "A.b/c/write",
    "A.b/c/d/write",
    "A.b/d/write",
    "A.b/delete",
    "A.b/c/run/action",
    "X.y/z/read",
    "A.B/C/D/READ",
];

const SUB: &str = "/subscriptions/00000000-0000-0000-0000-00000000000a";
const OTHER: &str = "/subscriptions/00000000-0000-0000-0000-00000000000b";

fn scopes() -> Vec<String> {
    vec![
        "/".to_owned(),
        SUB.to_owned(),
        OTHER.to_owned(),
        format!("{SUB}/resourceGroups/one"),
        format!("{SUB}/resourceGroups/one2"),
        format!("{SUB}/resourceGroups/one/providers/A.b/c/x"),
        format!("{SUB}/resourceGroups/ONE/providers/a.b/C/X/d/deep"),
        format!("{OTHER}/resourceGroups/one/providers/A.b/c/x"),
    ]
}

#[derive(Clone)]
struct Role {
    permissions: Vec<[Vec<&'static str>; 4]>,
}

struct Given {
    scope: String,
    role: usize,
    who: u32,
    /// 0: none; 1: holds where the action is not the pattern; 2: and else hangs
    condition: (usize, &'static str),
}

struct Taken {
    scope: String,
    permissions: Vec<[Vec<&'static str>; 4]>,
    who: Vec<u32>,
    but: Vec<u32>,
    here_only: bool,
}

struct World {
    roles: Vec<Role>,
    given: Vec<Given>,
    taken: Vec<Taken>,
    /// group and members; no members: not known
    groups: Vec<(u32, Option<Vec<u32>>)>,
}

const EVERYBODY: u32 = 0;
/// Users are 1 to 4, groups 11 to 14.
const USERS: [u32; 4] = [1, 2, 3, 4];
const GROUPS: [u32; 4] = [11, 12, 13, 14];

fn permissions(dice: &mut Dice) -> Vec<[Vec<&'static str>; 4]> {
    (0..1 + dice.roll(3))
        .map(|_| {
            [
                dice.some(&PATTERNS, 3),
                dice.some(&PATTERNS, 2),
                dice.some(&PATTERNS, 2),
                dice.some(&PATTERNS, 1),
            ]
        })
        .collect()
}

fn anybody(dice: &mut Dice) -> u32 {
    let all: Vec<u32> = USERS.iter().chain(&GROUPS).copied().collect();
    all[dice.roll(all.len())]
}

fn world(dice: &mut Dice) -> World {
    let scopes = scopes();
    let scope = |dice: &mut Dice| scopes[dice.roll(scopes.len())].clone();
    let roles = (0..4)
        .map(|_| Role {
            permissions: permissions(dice),
        })
        .collect();
    let given = (0..1 + dice.roll(5))
        .map(|_| Given {
            scope: scope(dice),
            role: dice.roll(4),
            who: anybody(dice),
            condition: match dice.roll(4) {
                0 => (1, dice.pick(&PATTERNS)),
                1 => (2, dice.pick(&PATTERNS)),
                _ => (0, ""),
            },
        })
        .collect();
    let taken = (0..dice.roll(3))
        .map(|_| Taken {
            scope: scope(dice),
            permissions: permissions(dice),
            who: if dice.roll(3) == 0 {
                vec![EVERYBODY]
            } else {
                vec![anybody(dice), anybody(dice)]
            },
            but: (0..dice.roll(3)).map(|_| anybody(dice)).collect(),
            here_only: dice.roll(3) == 0,
        })
        .collect();
    let groups = GROUPS
        .iter()
        .map(|group| {
            let members =
                (dice.roll(6) != 0).then(|| (0..dice.roll(4)).map(|_| anybody(dice)).collect());
            (*group, members)
        })
        .collect();
    World {
        roles,
        given,
        taken,
        groups,
    }
}

fn written(permissions: &[[Vec<&str>; 4]]) -> Value {
    permissions
        .iter()
        .map(|[allow, except, data, not_data]| {
            json!({"actions": allow, "notActions": except, "dataActions": data, "notDataActions": not_data})
        })
        .collect()
}

impl World {
    fn resources(&self) -> Vec<Value> {
        let mut out = Vec::new();
        for (number, role) in self.roles.iter().enumerate() {
            out.push(custom(500 + number as u32, written(&role.permissions)));
        }
        for (number, given) in self.given.iter().enumerate() {
            let rest = match given.condition {
                (1, pattern) => json!({"condition": format!("!(ActionMatches{{'{pattern}'}})")}),
                (2, pattern) => json!({"condition": format!(
                    "!(ActionMatches{{'{pattern}'}}) OR @Resource[A.b/c:tag] StringEquals 'x'"
                )}),
                _ => json!({}),
            };
            let mut one = assignment(
                number as u32,
                &given.scope,
                &guid(500 + given.role as u32),
                given.who,
                rest,
            );
            if GROUPS.contains(&given.who) {
                one["properties"]["principalType"] = json!("Group");
            }
            out.push(one);
        }
        for (number, taken) in self.taken.iter().enumerate() {
            let who = |list: &[u32]| -> Value {
                list.iter()
                    .map(|one| match *one {
                        EVERYBODY => json!({"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}),
                        one if GROUPS.contains(&one) => json!({"id": guid(one), "type": "Group"}),
                        one => json!({"id": guid(one), "type": "User"}),
                    })
                    .collect()
            };
            out.push(json!({
                "id": format!("{SUB}/providers/Microsoft.Authorization/denyAssignments/{}", guid(700 + number as u32)),
                "properties": {
                    "denyAssignmentName": format!("deny {number}"),
                    "scope": taken.scope,
                    "permissions": written(&taken.permissions),
                    "principals": who(&taken.who),
                    "excludePrincipals": who(&taken.but),
                    "doNotApplyToChildScopes": taken.here_only,
                },
            }));
        }
        for (group, members) in &self.groups {
            let mut properties = json!({"displayName": format!("group {group}")});
            if let Some(members) = members {
                properties["members"] = members.iter().map(|one| json!(guid(*one))).collect();
            }
            out.push(json!({
                "id": format!("/providers/Microsoft.Graph/groups/{}", guid(*group)),
                "name": guid(*group),
                "properties": properties,
            }));
        }
        out
    }

    /// Whether somebody is in a group, by trying every path: yes, no, or nobody knows.
    fn in_group(&self, who: u32, group: u32) -> Truth {
        let mut reached = BTreeSet::from([group]);
        let mut unknown = false;
        loop {
            let before = reached.len();
            for (one, members) in &self.groups {
                if !reached.contains(one) {
                    continue;
                }
                match members {
                    None => unknown = true,
                    Some(members) => reached.extend(members),
                }
            }
            if reached.len() == before {
                break;
            }
        }
        if reached.contains(&who) && who != group {
            return Truth::Yes;
        }
        if unknown { Truth::Maybe } else { Truth::No }
    }

    fn means(&self, named: u32, who: u32) -> Truth {
        if named == EVERYBODY || named == who {
            return Truth::Yes;
        }
        if !GROUPS.contains(&named) {
            return Truth::No;
        }
        self.in_group(who, named)
    }

    fn named(&self, list: &[u32], who: u32) -> Truth {
        list.iter()
            .map(|one| self.means(*one, who))
            .max()
            .unwrap_or(Truth::No)
    }

    /// Whether somebody may, and whether only under a condition.
    fn may(&self, who: u32, action: &str, data: bool, resource: &str) -> Expected {
        let mut best = Expected::No;
        for given in &self.given {
            if !below(&given.scope, resource) {
                continue;
            }
            let is_me = self.means(given.who, who);
            let role = listed(&self.roles[given.role].permissions, action, data);
            let (held, hangs) = match given.condition {
                (0, _) => (true, false),
                (1, pattern) => (!strict(pattern, action), false),
                (_, pattern) => (true, strict(pattern, action)),
            };
            if is_me == Truth::No || role == Truth::No || !held {
                continue;
            }
            let mut denied = Truth::No;
            for taken in &self.taken {
                let there = if taken.here_only {
                    taken.scope.eq_ignore_ascii_case(resource)
                } else {
                    below(&taken.scope, resource)
                };
                if !there {
                    continue;
                }
                let takes = listed(&taken.permissions, action, data);
                let meant = self.named(&taken.who, who);
                let but = self.named(&taken.but, who);
                let spared = match but {
                    Truth::Yes => Truth::No,
                    Truth::Maybe => Truth::Maybe,
                    Truth::No => Truth::Yes,
                };
                denied = denied.max(takes.min(meant).min(spared));
            }
            let here = match (is_me.min(role), denied) {
                (_, Truth::Yes) => Expected::No,
                (Truth::Yes, Truth::No) if hangs => Expected::If,
                (Truth::Yes, Truth::No) => Expected::Yes,
                _ => Expected::Unknown,
            };
            best = best.max(here);
        }
        best
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Truth {
    No,
    Maybe,
    Yes,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Expected {
    No,
    Unknown,
    If,
    Yes,
}

/// Whether a resource is at a scope or below it, by text.
fn below(scope: &str, resource: &str) -> bool {
    let scope = format!("{}/", scope.trim_end_matches('/').to_lowercase());
    format!("{}/", resource.to_lowercase()).starts_with(&scope)
}

/// Without the case in which `/*/` stands for nothing.
fn strict(pattern: &str, text: &str) -> bool {
    fn go(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|from| go(rest, &text[from..])),
            Some((letter, rest)) => text
                .split_first()
                .is_some_and(|(own, after)| own.eq_ignore_ascii_case(letter) && go(rest, after)),
        }
    }
    go(pattern.as_bytes(), text.as_bytes())
}

fn listed(permissions: &[[Vec<&str>; 4]], action: &str, data: bool) -> Truth {
    let mut best = Truth::No;
    for permission in permissions {
        let (allow, except) = if data { (2, 3) } else { (0, 1) };
        let wide = |pattern: &&str| naive(pattern.as_bytes(), action.as_bytes());
        if !permission[allow].iter().any(wide)
            || permission[except]
                .iter()
                .any(|pattern| strict(pattern, action))
        {
            continue;
        }
        best = best.max(if permission[except].iter().any(wide) {
            Truth::Maybe
        } else {
            Truth::Yes
        });
    }
    best
}

#[test]
fn random_estates_are_judged_as_by_the_naive_evaluator() {
    let mut dice = Dice(0x5eed_1234_9876_0001);
    let resources: Vec<String> = scopes().into_iter().skip(1).collect();
    let mut seen = [0_usize; 4];
    for estate in 0..1000 {
        let world = world(&mut dice);
        let read = live(&world.resources());
        let roles = build(&read);
        for _ in 0..12 {
            let who = USERS[dice.roll(USERS.len())];
            let mut action = dice.pick(&ACTIONS);
            let data = dice.roll(4) == 0;
            let mut resource = &resources[dice.roll(resources.len())];
            if dice.roll(2) == 0 {
                // Aimed at an assignment: below its scope, and what its role may allow.
                let given = &world.given[dice.roll(world.given.len())];
                let role = &world.roles[given.role].permissions;
                let fit = |one: &&str| listed(role, one, data) != Truth::No;
                action = ACTIONS.iter().copied().find(fit).unwrap_or(action);
                let mut inside = resources.iter().filter(|one| below(&given.scope, one));
                resource = inside.next_back().unwrap_or(resource);
            }
            let wanted = world.may(who, action, data, resource);
            let ask = Ask {
                action,
                data,
                resource,
                attributes: &[],
            };
            let got = match roles.can(&guid(who), None, &ask) {
                Answer::No(_) => Expected::No,
                Answer::Unknown(_) => Expected::Unknown,
                Answer::If { .. } => Expected::If,
                Answer::Yes(_) => Expected::Yes,
            };
            let about = format!("estate {estate}: {who} {action} {data} {resource}");
            assert_eq!(got, wanted, "{about}");
            seen[wanted as usize] += 1;
            // Whoever holds it stands among the holders, and nobody else.
            let holders = roles.holders(&ask);
            let me = Who::Id(guid(who).into());
            let mine = holders.grants.iter().filter(|grant| grant.who == me);
            let best = mine
                .map(|grant| match (grant.doubts.is_empty(), &grant.condition) {
                    (true, None) => Expected::Yes,
                    (true, Some(_)) => Expected::If,
                    (false, _) => Expected::Unknown,
                })
                .max()
                .unwrap_or(Expected::No);
            if wanted == Expected::Unknown {
                // Either a doubtful grant, or members that nobody knows.
                assert!(
                    best == Expected::Unknown || !holders.unknown.is_empty(),
                    "{about}"
                );
            } else {
                assert_eq!(best, wanted, "{about}");
            }
        }
    }
    // Every answer was asked for often.
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}
