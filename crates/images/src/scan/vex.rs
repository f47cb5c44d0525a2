//! VEX: what somebody who looked says of a vulnerability in a product. Only what names an image, by its digest or its
//! repository, counts; what names a package alone is not known to be about an image.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Vulnerability, items, some, text};

/// What does not count, and where.
#[derive(Debug, Default)]
pub struct Vex {
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) id: String,
    pub(super) product: Product,
    /// Package URLs that it is limited to; none: the whole product.
    pub(super) packages: Vec<String>,
    pub(super) why: String,
}

/// An image as package URLs name it.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) digest: Option<String>,
    /// `HOST/REPOSITORY`
    pub(super) repository: Option<String>,
}

impl Vex {
    /// Whether it says anything.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Marks what does not count in an image: `HOST/REPOSITORY` and its digests.
    pub fn excuse(
        &self,
        digests: &BTreeSet<String>,
        repository: &str,
        found: &mut [Vulnerability],
    ) {
        for statement in &self.statements {
            let about = match &statement.product {
                Product {
                    digest: Some(digest),
                    ..
                } => digests.contains(digest),
                Product {
                    repository: Some(own),
                    ..
                } => own == repository,
                Product { .. } => false,
            };
            if !about {
                continue;
            }
            for one in found
                .iter_mut()
                .filter(|one| one.id == statement.id && one.excused.is_none())
            {
                let named = statement.packages.is_empty()
                    || statement
                        .packages
                        .iter()
                        .any(|package| package_is(package, &one.package));
                if named {
                    one.excused = Some(statement.why.clone());
                }
            }
        }
    }
}

/// Whether a package URL (`pkg:deb/debian/openssl@3`) is of a package.
fn package_is(url: &str, name: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix("pkg:").unwrap_or(path);
    // A scope of npm is an at sign too: `%40scope/name@1`.
    let path = path.rsplit_once('@').map_or(path, |(path, _)| path);
    let decoded = path.replace("%40", "@");
    !name.is_empty() && (decoded == name || decoded.ends_with(&format!("/{name}")))
}

/// `pkg:oci/web@sha256%3A…?repository_url=HOST/REPOSITORY`
/// (<https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md>), or `HOST/REPOSITORY@sha256:…`.
pub(super) fn product(text: &str) -> Product {
    let decoded = text
        .replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%2F", "/")
        .replace("%2f", "/");
    let (path, query) = decoded.split_once('?').unwrap_or((&decoded, ""));
    let (name, digest) = match path.split_once('@') {
        Some((name, digest)) if digest.starts_with("sha256:") => (name, some(digest)),
        Some((name, _)) => (name, None),
        None => (path, None),
    };
    let repository = match name.strip_prefix("pkg:oci/") {
        Some(short) => query
            .split('&')
            .find_map(|pair| pair.strip_prefix("repository_url="))
            .map(|url| {
                let last = url.rsplit('/').next().unwrap_or_default();
                // Some writers leave the name out of the address.
                if last == short || url.contains('/') {
                    url.to_owned()
                } else {
                    format!("{url}/{short}")
                }
            }),
        None if name.starts_with("pkg:") => None,
        None => some(name.split(':').next().unwrap_or_default()).filter(|name| name.contains('/')),
    };
    Product { digest, repository }
}

/// OpenVEX (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).
pub(super) fn openvex(document: &Value) -> Vex {
    let mut statements = Vec::new();
    for statement in items(document, "/statements") {
        let state = text(statement, "/status");
        if !matches!(state, "not_affected" | "fixed") {
            continue;
        }
        let name = statement.get("vulnerability").unwrap_or(&Value::Null);
        let id = name.as_str().unwrap_or_else(|| text(name, "/name"));
        let why = [
            text(statement, "/justification"),
            text(statement, "/impact_statement"),
        ];
        let why = why.into_iter().find(|why| !why.is_empty());
        let why = match why {
            Some(why) => format!("{}: {}", state.replace('_', " "), why.replace('_', " ")),
            None => state.replace('_', " "),
        };
        for about in items(statement, "/products") {
            let name = about.as_str().unwrap_or_else(|| {
                some(text(about, "/@id"))
                    .map_or_else(|| text(about, "/identifiers/purl"), |_| text(about, "/@id"))
            });
            statements.push(Statement {
                id: id.to_owned(),
                product: product(name),
                packages: items(about, "/subcomponents")
                    .map(|one| one.as_str().unwrap_or_else(|| text(one, "/@id")).to_owned())
                    .collect(),
                why: why.clone(),
            });
        }
    }
    Vex { statements }
}
