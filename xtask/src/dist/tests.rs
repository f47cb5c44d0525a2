//! A release in the hands of the system's `tar` and `sha256sum`, and of CycloneDX's own validator.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use super::packages::{Key, Packages};
use super::{archive, bill, target};
use crate::places::Places;

fn key(name: &str, version: &str) -> Key {
    (name.to_owned(), version.to_owned())
}

#[test]
fn an_archive_is_in_order_and_the_same_each_time() {
    let files = || {
        ["man/seawall.1", "README.md", "man/seawall-can.1"]
            .map(|name| (name.to_owned(), b"text".to_vec()))
    };
    let packed = archive("seawall-1", b"program", files().to_vec()).unwrap();
    let mut other_way_round = files().to_vec();
    other_way_round.reverse();
    assert_eq!(
        packed,
        archive("seawall-1", b"program", other_way_round).unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seawall.tar.gz");
    std::fs::write(&file, packed).unwrap();
    let listed = Command::new("tar")
        .args(["--list", "--verbose", "--numeric-owner", "--utc", "--file"])
        .arg(&file)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let lines: Vec<String> = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 seawall-1/",
            "-rwxr-xr-x 0/0 7 1970-01-01 00:00 seawall-1/seawall",
            "-rw-r--r-- 0/0 4 1970-01-01 00:00 seawall-1/README.md",
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 seawall-1/man/",
            "-rw-r--r-- 0/0 4 1970-01-01 00:00 seawall-1/man/seawall-can.1",
            "-rw-r--r-- 0/0 4 1970-01-01 00:00 seawall-1/man/seawall.1",
        ]
    );
}

#[test]
fn a_program_that_needs_libraries_is_not_released() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let why = target(&own).unwrap_err().to_string();
    assert!(why.contains("needs shared libraries"), "{why}");
}

/// The validator of the CycloneDX project, which brings the schemas.
const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(wrong) if wrong else 0)
";

fn validated(bill: &[u8]) -> (bool, String) {
    use std::io::Write as _;
    let mut child = Command::new("python3")
        .args(["-c", VALIDATE])
        .env("PYTHONPATH", oracle::fixture("python").unwrap())
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bill).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.success(), said)
}

#[test]
fn the_bill_of_this_very_program_is_valid_and_the_same_each_time() {
    let places = Places::find().unwrap();
    let target = crate::shipped::TARGET;
    let make = || {
        let packages = Packages::find(&places, &super::FEATURES, target).unwrap();
        bill::of(&packages, b"program", target).unwrap()
    };
    let first = make();
    assert_eq!(first, make());
    let (valid, said) = validated(&first);
    assert!(valid, "{said}");
    let bill: Value = serde_json::from_slice(&first).unwrap();
    let scope = |name: &str| {
        let components = bill["components"].as_array().unwrap();
        let found = components.iter().find(|one| one["name"] == name);
        found.map(|one| one["scope"].as_str().unwrap().to_owned())
    };
    assert_eq!(scope("seawall-cel").as_deref(), Some("required"));
    assert_eq!(scope("datafusion").as_deref(), Some("required"));
    assert_eq!(scope("clap_derive").as_deref(), Some("excluded"));
    // Only tests use it.
    assert_eq!(scope("insta"), None);
    let named: BTreeSet<&str> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&bill["metadata"]["component"]])
        .map(|one| one["bom-ref"].as_str().unwrap())
        .collect();
    for dependency in bill["dependencies"].as_array().unwrap() {
        for needed in dependency["dependsOn"].as_array().unwrap() {
            assert!(named.contains(needed.as_str().unwrap()), "{needed}");
        }
    }
}

#[test]
fn what_cargo_says_is_joined() {
    let metadata = json!({
        "packages": [
            { "id": "s", "name": "seawall", "version": "1.0.0", "license": "MIT" },
            { "id": "a", "name": "a", "version": "0.1.0+2", "license": "MIT/Apache-2.0" },
            { "id": "t", "name": "t", "version": "3.0.0", "license": "MIT" },
        ],
        "resolve": { "nodes": [
            { "id": "s", "deps": [
                { "pkg": "a", "dep_kinds": [{ "kind": "build" }] },
                { "pkg": "t", "dep_kinds": [{ "kind": "dev" }] },
            ] },
            { "id": "a", "deps": [] },
        ] },
    });
    let lock = "[[package]]\nname = \"a\"\nversion = \"0.1.0+2\"\nchecksum = \"ab\"\n";
    let used = BTreeSet::from([key("seawall", "1.0.0"), key("a", "0.1.0+2")]);
    let linked = BTreeSet::from([key("seawall", "1.0.0")]);
    let packages = Packages::of(&metadata, lock, &used, &linked).unwrap();
    let bill: Value = serde_json::from_slice(&bill::of(&packages, b"", "t").unwrap()).unwrap();
    assert_eq!(
        bill["components"],
        json!([{
            "type": "library",
            "bom-ref": "pkg:cargo/a@0.1.0%2B2",
            "name": "a",
            "version": "0.1.0+2",
            "purl": "pkg:cargo/a@0.1.0%2B2",
            "scope": "excluded",
            "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            "hashes": [{ "alg": "SHA-256", "content": "ab" }],
        }])
    );
    assert_eq!(
        bill["dependencies"],
        json!([
            { "ref": "pkg:cargo/a@0.1.0%2B2", "dependsOn": [] },
            { "ref": "pkg:cargo/seawall@1.0.0", "dependsOn": ["pkg:cargo/a@0.1.0%2B2"] },
        ])
    );
}
