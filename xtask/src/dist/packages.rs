//! What the program is built from, as cargo resolves it for one target: which packages are in it, which only helped
//! to build it, and what needs what.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::places::Places;
use crate::run::output;

/// A name and a version: cargo resolves one package for both.
pub(super) type Key = (String, String);

/// All of them.
pub(super) struct Packages {
    pub(super) root: Key,
    pub(super) all: BTreeMap<Key, Package>,
}

/// One of them.
#[derive(Default)]
pub(super) struct Package {
    pub(super) licence: Option<String>,
    pub(super) description: Option<String>,
    /// False for what only runs while the program is built: build scripts, macros.
    pub(super) linked: bool,
    /// The SHA-256 of the package file, for what comes from a registry.
    pub(super) checksum: Option<String>,
    pub(super) needs: BTreeSet<Key>,
}

impl Packages {
    pub(super) fn find(places: &Places, features: &[&str], target: &str) -> Result<Self> {
        let features = features.join(",");
        let tree = |edges: &str| {
            output(
                Command::new("cargo")
                    .current_dir(&places.root)
                    .args(["tree", "--locked", "--package", "seawall"])
                    .args(["--features", &features, "--target", target])
                    .args(["--edges", edges, "--prefix", "none", "--format", "{p}"]),
            )
            .map(|text| text.lines().filter_map(key).collect::<BTreeSet<Key>>())
        };
        let linked = tree("normal,no-proc-macro")?;
        let used = tree("normal,build")?;
        let metadata = output(
            Command::new("cargo")
                .current_dir(&places.root)
                .args(["metadata", "--locked", "--format-version", "1"])
                .args(["--filter-platform", target, "--all-features"]),
        )?;
        let lock = std::fs::read_to_string(places.root.join("Cargo.lock"))?;
        Self::of(&serde_json::from_str(&metadata)?, &lock, &used, &linked)
    }

    /// Joins what cargo says in several places.
    pub(super) fn of(
        metadata: &Value,
        lock: &str,
        used: &BTreeSet<Key>,
        linked: &BTreeSet<Key>,
    ) -> Result<Self> {
        let checksums = checksums(lock);
        let mut ids = BTreeMap::new();
        let mut all = BTreeMap::new();
        for package in list(metadata, "/packages") {
            let key = (text(package, "name")?, text(package, "version")?);
            ids.insert(text(package, "id")?, key.clone());
            if !used.contains(&key) {
                continue;
            }
            let one = Package {
                licence: text(package, "license").ok(),
                description: text(package, "description").ok(),
                linked: linked.contains(&key),
                checksum: checksums.get(&key).cloned(),
                needs: BTreeSet::new(),
            };
            all.insert(key, one);
        }
        for node in list(metadata, "/resolve/nodes") {
            let Some(one) = ids.get(&text(node, "id")?).and_then(|key| all.get_mut(key)) else {
                continue;
            };
            for needed in list(node, "/deps").iter().filter(|needed| ships(needed)) {
                one.needs.extend(
                    ids.get(&text(needed, "pkg")?)
                        .filter(|key| used.contains(*key))
                        .cloned(),
                );
            }
        }
        let root = all
            .keys()
            .find(|(name, _)| name == "seawall")
            .cloned()
            .context("cargo names no package `seawall`")?;
        Ok(Self { root, all })
    }
}

/// Not only for tests.
fn ships(needed: &Value) -> bool {
    list(needed, "/dep_kinds")
        .iter()
        .any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev"))
}

/// `name v1.2.3 (…)`, as `cargo tree` prints it.
fn key(line: &str) -> Option<Key> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    Some((name, words.next()?.strip_prefix('v')?.to_owned()))
}

/// What the lock file says of each package that comes from a registry.
fn checksums(lock: &str) -> BTreeMap<Key, String> {
    let value = |part: &str, name: &str| {
        part.lines()
            .find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(" = \"")?
                    .strip_suffix('"')
            })
            .map(str::to_owned)
    };
    lock.split("[[package]]")
        .filter_map(|part| {
            let key = (value(part, "name")?, value(part, "version")?);
            Some((key, value(part, "checksum")?))
        })
        .collect()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> Result<String> {
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("cargo says no `{name}`"))
}
