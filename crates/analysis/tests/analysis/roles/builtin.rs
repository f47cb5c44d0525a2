//! The table of built-in roles: what is looked up in it is what YAML says, and a few facts that were
//! counted from Azure's own list by another program.

use analysis::roles::Definition;
use analysis::roles::critical::CRITICAL;
use analysis::roles::definition::Listed;
use cel::Symbols;
use model::{Dialect, DocBuilder, Ref};

use super::table;

/// Writes out shared beginnings, by recursion over the text.
fn expand(prefix: &str, text: &str, out: &mut Vec<String>) {
    let mut depth = 0;
    let mut from = 0;
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' | ' ' if depth == 0 => {
                parts.push(text.get(from..at).unwrap());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap());
    for part in parts {
        match part.split_once('{') {
            Some((start, inner)) => expand(
                &format!("{prefix}{start}"),
                inner.strip_suffix('}').unwrap(),
                out,
            ),
            None if part.is_empty() => {}
            None => out.push(format!("{prefix}{part}")),
        }
    }
}

#[test]
fn what_is_looked_up_is_what_yaml_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guide/data/azure-roles.yaml"
    );
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.len() < 400_000, "{} bytes", text.len());
    let symbols = Symbols::default();
    let mut builder = DocBuilder::new(&symbols, Dialect::Plain, text.as_str().into(), 1);
    let root = yaml::parse(&text, &yaml::Limits::default(), &mut builder)
        .unwrap()
        .unwrap();
    let doc = builder.finish(root);
    let table = table();
    let all: Vec<Definition> = table.all().collect();
    assert_eq!(all.len(), 928);
    assert_eq!(all.len(), doc.root().entries().len());
    for ((id, _, role), read) in doc.root().entries().zip(&all) {
        assert_eq!(id, &*read.id);
        let name = role.get("name").and_then(Ref::as_str).unwrap();
        assert_eq!(name, &*read.name);
        assert_eq!(table.name_of(id), Some(name));
        assert_eq!(&*table.by_id(&id.replace('-', "")).unwrap().name, name);
        assert_eq!(&*table.by_name(&name.to_uppercase()).unwrap().id, id);
        let permissions = role.get("permissions").unwrap();
        assert_eq!(permissions.items().len(), read.permissions.len(), "{name}");
        for (wanted, got) in permissions.items().zip(&read.permissions) {
            for (key, list) in [
                ("actions", &got.control.allow),
                ("notActions", &got.control.except),
                ("dataActions", &got.data.allow),
                ("notDataActions", &got.data.except),
            ] {
                let mut lists = Vec::new();
                let text = wanted.get(key).and_then(Ref::as_str).unwrap_or_default();
                expand("", text, &mut lists);
                let list: Vec<&str> = list.iter().map(|one| &**one).collect();
                assert_eq!(lists, list, "{name} {key}");
            }
            assert_eq!(wanted.get("condition").is_some(), got.condition.is_some());
        }
    }
}

/// Whether a pattern matches, by trying every way; `/*/` may stand for nothing.
pub(super) fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|from| naive(rest, &text[from..])),
        Some((b'/', rest)) if rest.starts_with(b"*/") && naive(&rest[1..], text) => true,
        Some((letter, rest)) => text
            .split_first()
            .is_some_and(|(own, after)| own.eq_ignore_ascii_case(letter) && naive(rest, after)),
    }
}

/// How many of the 928 built-in roles allow a critical action outright, and how many under a condition:
/// counted from Azure's list of 2026-08-22 with regular expressions in Python, `/*/` standing for nothing as
/// well.
const COUNTED: [(&str, usize, usize); 40] = [
    ("admin-credential", 4, 0),
    ("access-profile", 4, 0),
    ("user-credential", 6, 0),
    ("run-command", 4, 0),
    ("cluster-write", 4, 0),
    ("pool-write", 4, 0),
    ("extension-write", 12, 0),
    ("flux-write", 3, 0),
    ("trusted-access", 5, 0),
    ("reset-entra", 3, 0),
    ("role-assignment", 3, 25),
    ("role-definition", 2, 0),
    ("cluster-delete", 3, 0),
    ("diagnostics-delete", 14, 0),
    ("policy-exemption", 4, 0),
    ("node-run-command", 3, 0),
    ("node-run-commands", 3, 0),
    ("node-write", 5, 0),
    ("node-machine-write", 5, 0),
    ("node-extension", 3, 0),
    ("disk-access", 12, 0),
    ("image-push", 5, 0),
    ("image-content-write", 3, 0),
    ("image-import", 4, 0),
    ("image-delete", 5, 0),
    ("registry-credentials", 5, 0),
    ("registry-token", 5, 0),
    ("registry-run", 4, 0),
    ("registry-write", 4, 0),
    ("vault-policies", 7, 0),
    ("vault-write", 7, 0),
    ("secret-read", 4, 0),
    ("secret-set", 3, 0),
    ("key-decrypt", 3, 0),
    ("key-sign", 3, 0),
    ("vault-purge", 2, 0),
    ("federated-credential", 5, 0),
    ("identity-assign", 4, 0),
    ("identity-write", 3, 0),
    ("cluster-admin-data", 2, 0),
];

#[test]
fn roles_that_allow_critical_actions_are_as_many_as_counted() {
    use analysis::roles::condition::{Asked, Outcome};
    let table = table();
    for critical in &CRITICAL {
        let mut plain = 0;
        let mut conditional = 0;
        for role in table.all() {
            let mut best = 0;
            for permission in &role.permissions {
                if !matches!(
                    permission.of(critical.data).hold(critical.action),
                    Listed::Yes(_)
                ) {
                    continue;
                }
                let asked = Asked {
                    action: critical.action,
                    attributes: &[],
                };
                let outcome = permission
                    .condition
                    .as_ref()
                    .map(|condition| condition.outcome(&asked, &|_| None));
                best = best.max(match outcome {
                    None | Some(Outcome::Holds) => 2,
                    Some(Outcome::Hangs(_)) => 1,
                    Some(Outcome::Fails) => 0,
                });
            }
            plain += usize::from(best == 2);
            conditional += usize::from(best == 1);
        }
        let counted = COUNTED.iter().find(|(id, _, _)| *id == critical.id);
        assert_eq!(counted, Some(&(critical.id, plain, conditional)));
    }
}

#[test]
fn the_two_matchers_agree_on_every_pattern_of_the_table() {
    use analysis::roles::pattern::matches_widely;
    for role in table().all() {
        for permission in &role.permissions {
            for pattern in permission
                .control
                .allow
                .iter()
                .chain(&permission.data.allow)
            {
                for critical in &CRITICAL {
                    assert_eq!(
                        naive(pattern.as_bytes(), critical.action.as_bytes()),
                        matches_widely(pattern, critical.action),
                        "{pattern} {}",
                        critical.action
                    );
                }
            }
        }
    }
}

#[test]
fn every_condition_of_a_built_in_role_is_read() {
    use analysis::roles::condition::{Asked, Outcome};
    let mut read = 0;
    for role in table().all() {
        for condition in role
            .permissions
            .iter()
            .filter_map(|one| one.condition.as_ref())
        {
            assert!(condition.is_read(), "{}", role.name);
            read += 1;
            let asked = Asked {
                action: "Microsoft.Compute/disks/read",
                attributes: &[],
            };
            // Nothing in them speaks of disks, unless it does not look at the action at all.
            let outcome = condition.outcome(&asked, &|_| None);
            assert_ne!(outcome, Outcome::Fails, "{}", role.name);
        }
    }
    // 29 roles; two of them have two.
    assert_eq!(read, 31);
}
