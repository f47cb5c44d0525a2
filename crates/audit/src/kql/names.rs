//! What CEL's names of an event are in a table: `event`, `request`, `facts`.
//!
//! Every table's rows are brought into the columns of AKSAudit first (`source`), so that these are the same for all;
//! but AKSAudit has no column for whom a request impersonates.

use super::Table;
use super::cond::{Cond, Truth};
use super::translate::{Said, Translator, refuse};
use super::value::{Term, Type, Value};

/// Columns of text of an event.
const TEXTS: [(&str, &str); 6] = [
    ("auditID", "AuditId"),
    ("requestURI", "RequestUri"),
    ("verb", "Verb"),
    ("userAgent", "UserAgent"),
    ("stage", "Stage"),
    ("level", "Level"),
];

/// Columns of JSON of an event.
const TREES: [(&str, &str); 5] = [
    ("user", "User"),
    ("impersonatedUser", "ImpersonatedUser"),
    ("sourceIPs", "SourceIps"),
    ("objectRef", "ObjectRef"),
    ("responseStatus", "ResponseStatus"),
];

/// Columns of AzureActivity (learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity) by what the
/// activity log calls the same where it is exported.
const ACTIVITY: [(&str, &str); 6] = [
    ("resultType", "ActivityStatusValue"),
    ("operationName", "OperationNameValue"),
    ("caller", "Caller"),
    ("callerIpAddress", "CallerIpAddress"),
    ("resourceId", "_ResourceId"),
    ("correlationId", "CorrelationId"),
];

/// Stands for `event.identity`, of which AzureActivity has the claims.
const IDENTITY: &str = "identity";

/// Why a fact has no form in Kusto.
pub(super) fn no_fact(name: &str) -> String {
    match name {
        "fails" => "it asks the guide's own judge about the object (`facts.fails`), which a query cannot".to_owned(),
        "removes" => {
            "it asks which keys a patch takes away (`facts.removes`), and Kusto's JSON does not tell a null from nothing"
                .to_owned()
        }
        other => format!("`facts.{other}` is no column"),
    }
}

impl Translator<'_> {
    /// Whether rows of the table may be records that were cut.
    pub(super) fn may_be_cut(&self) -> bool {
        !self.activity && self.table != Table::AksAudit
    }

    pub(super) fn event(&mut self, field: &str, optional: bool) -> Said<Value> {
        if self.activity {
            if field == "identity" {
                return Ok(Value::new(IDENTITY, Type::Optional));
            }
            return match ACTIVITY.iter().find(|(name, _)| *name == field) {
                Some((_, column)) => Ok(Value::new(*column, text_kind(optional))),
                None => refuse(format!("AzureActivity has no column for `event.{field}`")),
            };
        }
        if !matches!(field, "auditID" | "verb") {
            self.reads_head = true;
        }
        if field == "impersonatedUser" && self.table == Table::AksAudit {
            return refuse(
                "AKSAudit has no column for whom a request impersonates; AzureDiagnostics does",
            );
        }
        if let Some((_, column)) = TEXTS.iter().find(|(name, _)| *name == field) {
            return Ok(Value::new(*column, text_kind(optional)));
        }
        match TREES.iter().find(|(name, _)| *name == field) {
            Some((_, column)) => {
                let kind = if optional { Type::Optional } else { Type::Json };
                Ok(Value::new(*column, kind))
            }
            None => refuse(format!("`event.{field}` has no form in Kusto yet")),
        }
    }

    /// `event.identity.claims`, which is a column; else the value as it was.
    pub(super) fn claims(&self, base: Value, field: &str) -> Said<Result<Value, Value>> {
        if base.text != IDENTITY {
            return Ok(Err(base));
        }
        if field == "claims" {
            return Ok(Ok(Value::new("Claims_d", Type::Optional)));
        }
        refuse(format!(
            "AzureActivity has no column for `event.identity.{field}`"
        ))
    }

    pub(super) fn request(&mut self, field: &str) -> Said<Term> {
        if self.activity {
            return refuse("`request` is of audit events");
        }
        let text = |column: &str| Value::new(column, Type::Text);
        let mut value = match field {
            "verb" => text("Verb"),
            "namespace" => text("Namespace"),
            "name" => text("Name"),
            "subResource" => text("Subresource"),
            "userInfo" => {
                self.reads_head = true;
                let column = if self.table == Table::AksAudit {
                    "User"
                } else {
                    "Requester"
                };
                return Ok(Term::Value(Value::new(column, Type::Json)));
            }
            "dryRun" => {
                self.reads_head = true;
                let dry = Cond::is("RequestUri contains_cs 'dryRun=All'");
                return Ok(Term::Truth(Truth::known(dry)));
            }
            other => return refuse(format!("`request.{other}` has no form in Kusto yet")),
        };
        self.hide(&mut value);
        Ok(Term::Value(value))
    }

    pub(super) fn resource(&mut self, field: &str) -> Said<Value> {
        let mut value = match field {
            "resource" => Value::new("Resource", Type::Text),
            "group" => Value::new("tostring(ObjectRef.apiGroup)", Type::Text),
            "version" => Value::new("tostring(ObjectRef.apiVersion)", Type::Text),
            other => {
                return refuse(format!(
                    "`request.resource.{other}` has no form in Kusto yet"
                ));
            }
        };
        self.hide(&mut value);
        Ok(value)
    }

    fn hide(&mut self, value: &mut Value) {
        self.asks_request = true;
        if self.in_message && self.may_be_hidden {
            value.known = Cond::is("Hidden").negated();
        }
    }

    /// A message says of a hidden request that nobody knows what it asked for. Checks are not asked about those.
    pub(super) fn shown(&self, term: Term, asks: bool) -> Term {
        match term {
            Term::Value(value) if asks && self.in_message && self.may_be_hidden => {
                Term::Value(Value {
                    known: Cond::all([value.known, Cond::is("Hidden").negated()]),
                    ..value
                })
            }
            other => other,
        }
    }

    pub(super) fn fact(&mut self, name: &str) -> Said<Term> {
        let text = |column: &str| Ok(Term::Value(Value::new(column, Type::Text)));
        match name {
            "identity" => {
                self.reads_head = true;
                self.identity(0, "Identity")?;
                text("Identity")
            }
            "realIdentity" => {
                self.reads_head = true;
                self.identity(1, "RealIdentity")?;
                text("RealIdentity")
            }
            "hidden" => Ok(Term::Truth(Truth::known(Cond::is("Hidden")))),
            other => refuse(no_fact(other)),
        }
    }

    /// The column that tells what a user is.
    fn identity(&mut self, which: usize, column: &str) -> Said<()> {
        if self.reads_identity.get(which) == Some(&true) {
            return Ok(());
        }
        if let Some(own) = self.reads_identity.get_mut(which) {
            *own = true;
        }
        let name = if which == 0 && self.table != Table::AksAudit {
            "tostring(Requester.username)"
        } else {
            "tostring(User.username)"
        };
        let cases = self.classes(name);
        self.first_step(format!("extend {column} = case(\n    {cases},\n    '')"));
        Ok(())
    }
}

fn text_kind(optional: bool) -> Type {
    if optional {
        Type::OptionalText
    } else {
        Type::Text
    }
}
