//! `AdmissionReview` of `admission.k8s.io/v1` as API servers send it
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>).

use std::borrow::Cow;
use std::collections::BTreeMap;

use guide::admission::Operation;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A request that is to be decided. Objects are texts still.
#[derive(Debug)]
pub struct Review<'a> {
    /// Names the request; the answer repeats it.
    pub uid: Cow<'a, str>,
    /// What is done.
    pub operation: Operation,
    /// Group, version and kind of the object.
    pub kind: Type<'a>,
    /// Group, version and plural name.
    pub resource: ResourceType<'a>,
    /// `ephemeralcontainers`, `scale`, …; empty for the object itself.
    pub subresource: Cow<'a, str>,
    /// Empty for what belongs to none.
    pub namespace: Cow<'a, str>,
    /// May be empty while an object has only a `generateName`.
    pub name: Cow<'a, str>,
    /// Who asks.
    pub user: User<'a>,
    /// Nothing will be kept.
    pub dry_run: bool,
    /// The object as it would be; none when it goes.
    pub object: Option<&'a str>,
    /// The object as it was; none when it is new.
    pub old: Option<&'a str>,
    /// `request` as JSON, without the objects.
    pub request: String,
}

/// A type of objects.
#[derive(Debug, Default, Deserialize)]
pub struct Type<'a> {
    /// API group, empty for the core group.
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    /// API version.
    #[serde(borrow, default)]
    pub version: Cow<'a, str>,
    /// Kind.
    #[serde(borrow, default)]
    pub kind: Cow<'a, str>,
}

/// A type of objects by its place in the API.
#[derive(Debug, Default, Deserialize)]
pub struct ResourceType<'a> {
    /// API group, empty for the core group.
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    /// API version.
    #[serde(borrow, default)]
    pub version: Cow<'a, str>,
    /// Plural name.
    #[serde(borrow, default)]
    pub resource: Cow<'a, str>,
}

/// Who asks.
#[derive(Debug, Default, Deserialize)]
pub struct User<'a> {
    /// `system:serviceaccount:shop:deployer`
    #[serde(borrow, default)]
    pub username: Cow<'a, str>,
    /// `system:masters`
    #[serde(borrow, default)]
    pub groups: Vec<Cow<'a, str>>,
}

/// Why a body is no review.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The text is no such JSON.
    #[error("the body is no AdmissionReview: {0}")]
    Json(String),
    /// Another version, or something else.
    #[error(
        "the body is a `{kind}` of `{version}`; an AdmissionReview of admission.k8s.io/v1 is expected"
    )]
    Other {
        /// `apiVersion`
        version: String,
        /// `kind`
        kind: String,
    },
    /// Nothing is asked.
    #[error("the AdmissionReview has no `request`")]
    Empty,
    /// What the answer repeats is missing or longer than any API server makes it.
    #[error("`request.uid` must have 1 to 128 characters")]
    Uid,
    /// An operation that admission does not know.
    #[error("`{0}` is no operation of admission")]
    Operation(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    request: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
}

/// As RFC 4122 has 36 characters, and every API server sends one of those.
const LONGEST_UID: usize = 128;

impl<'a> Review<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no review.
    pub fn parse(body: &'a str) -> Result<Self, Malformed> {
        let json = |error: serde_json::Error| Malformed::Json(error.to_string());
        let envelope: Envelope<'a> = serde_json::from_str(body).map_err(json)?;
        if envelope.api_version != "admission.k8s.io/v1" || envelope.kind != "AdmissionReview" {
            let shown = |text: &str| text.chars().take(64).collect();
            return Err(Malformed::Other {
                version: shown(&envelope.api_version),
                kind: shown(&envelope.kind),
            });
        }
        let fields = envelope.request.ok_or(Malformed::Empty)?;
        let text = |key: &str| -> Result<Cow<'a, str>, Malformed> {
            let Some(raw) = fields.get(key) else {
                return Ok(Cow::Borrowed(""));
            };
            #[derive(Deserialize)]
            struct Text<'t>(#[serde(borrow)] Option<Cow<'t, str>>);
            let Text(text) = serde_json::from_str(raw.get()).map_err(json)?;
            Ok(text.unwrap_or_default())
        };
        let uid = text("uid")?;
        if uid.is_empty() || uid.len() > LONGEST_UID {
            return Err(Malformed::Uid);
        }
        let operation = text("operation")?;
        let operation = Operation::parse(&operation)
            .ok_or_else(|| Malformed::Operation(operation.chars().take(64).collect()))?;
        let object = |key: &str| {
            let raw = fields.get(key).map(|raw| raw.get());
            raw.filter(|text| *text != "null")
        };
        Ok(Self {
            uid,
            operation,
            kind: part(&fields, "kind")?,
            resource: part(&fields, "resource")?,
            subresource: text("subResource")?,
            namespace: text("namespace")?,
            name: text("name")?,
            user: part(&fields, "userInfo")?,
            dry_run: fields.get("dryRun").is_some_and(|raw| raw.get() == "true"),
            object: object("object"),
            old: object("oldObject"),
            request: request(&fields),
        })
    }

    /// Where the object has its place in the API, as a live source names it.
    #[must_use]
    pub fn address(&self) -> String {
        let ResourceType {
            group,
            version,
            resource,
        } = &self.resource;
        let mut address = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        if !self.namespace.is_empty() && resource != "namespaces" {
            address.push_str("/namespaces/");
            address.push_str(&self.namespace);
        }
        for part in [resource, &self.name] {
            address.push('/');
            address.push_str(part);
        }
        address
    }
}

fn part<'a, T: Deserialize<'a> + Default>(
    fields: &BTreeMap<Cow<'a, str>, &'a RawValue>,
    key: &str,
) -> Result<T, Malformed> {
    let Some(raw) = fields.get(key) else {
        return Ok(T::default());
    };
    serde_json::from_str(raw.get())
        .map_err(|error| Malformed::Json(format!("`request.{key}`: {error}")))
}

/// The fields of a request but for the objects and options, which are long.
fn request(fields: &BTreeMap<Cow<'_, str>, &RawValue>) -> String {
    let mut text = String::from("{");
    for (key, value) in fields {
        if matches!(&**key, "object" | "oldObject" | "options") {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(&**key).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    text
}
