//! The bill of materials in CycloneDX's form, version 1.6 (<https://cyclonedx.org/docs/1.6/json/>). It has no time in
//! it, and its number follows from what it says.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::packages::{Key, Package, Packages};
use crate::archive::sha256;

/// The bill of a program.
pub(super) fn of(packages: &Packages, program: &[u8], target: &str) -> Result<Vec<u8>> {
    let mut subject = Map::new();
    if let Some(package) = packages.all.get(&packages.root) {
        subject = described(&packages.root, package, "application");
        subject.remove("scope");
    }
    subject.insert("hashes".to_owned(), hashes(&sha256(program)));
    subject.insert(
        "properties".to_owned(),
        json!([{ "name": "cargo:target", "value": target }]),
    );
    let components: Vec<Value> = packages
        .all
        .iter()
        .filter(|(key, _)| **key != packages.root)
        .map(|(key, package)| described(key, package, "library").into())
        .collect();
    let dependencies: Vec<Value> = packages
        .all
        .iter()
        .map(|(key, package)| {
            let on: Vec<String> = package.needs.iter().map(purl).collect();
            json!({ "ref": purl(key), "dependsOn": on })
        })
        .collect();
    let mut bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": subject },
        "components": components,
        "dependencies": dependencies,
    });
    let number = number(&sha256(&serde_json::to_vec(&bill)?));
    if let Value::Object(fields) = &mut bill {
        fields.insert("serialNumber".to_owned(), number.into());
    }
    let mut text = serde_json::to_vec_pretty(&bill)?;
    text.push(b'\n');
    Ok(text)
}

fn described(key: &Key, package: &Package, kind: &str) -> Map<String, Value> {
    let (name, version) = key;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("type", kind.into());
    put("bom-ref", purl(key).into());
    put("name", name.as_str().into());
    put("version", version.as_str().into());
    put("purl", purl(key).into());
    // The schema's word for what is not reached while the program runs.
    put(
        "scope",
        if package.linked {
            "required"
        } else {
            "excluded"
        }
        .into(),
    );
    if let Some(text) = &package.description {
        put(
            "description",
            text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
        );
    }
    if let Some(licence) = &package.licence {
        // Cargo's older form of SPDX's `OR`.
        let expression = licence.replace(" / ", " OR ").replace('/', " OR ");
        put("licenses", json!([{ "expression": expression }]));
    }
    if let Some(checksum) = &package.checksum {
        put("hashes", hashes(checksum));
    }
    fields
}

fn hashes(sha256: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sha256 }])
}

/// <https://github.com/package-url/purl-spec>, type `cargo`; the `+` of build metadata is encoded.
fn purl((name, version): &Key) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// A UUID of version 8 (RFC 9562): its bits are a hash's.
fn number(hash: &str) -> String {
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}
