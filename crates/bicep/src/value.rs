//! What a template comes to: values that know where they were written, and unknowns that know
//! why.

use crate::source::Span;

/// A value and the place of the literal (or call) it comes from: `parameters('x')` gives the
/// argument's place, not that of its use.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    /// Where it comes from.
    pub span: Span,
    /// What it is.
    pub data: Data<'a>,
}

/// What a [`Value`] is.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// `null`
    Null,
    /// a boolean
    Bool(bool),
    /// a whole number
    Int(i64),
    /// any other number
    Float(f64),
    /// a string
    Str(&'a str),
    /// a list
    Array(&'a [Value<'a>]),
    /// a map, in order, keys distinct whatever their case
    Object(&'a [Field<'a>]),
    /// something that the template does not say
    Unknown(&'a Unknown<'a>),
}

/// One key of an object and its value.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// As written.
    pub key: &'a str,
    /// Where it is written.
    pub key_span: Span,
    /// The value.
    pub value: Value<'a>,
}

/// A value that the template leaves open.
///
/// Two unknowns with the same text are the same value: the text is the canonical expression, in
/// Bicep's words. How things are spelled:
///
/// | what | text |
/// |---|---|
/// | a parameter of the outermost template | its name; `parameters('subscription')` when the name is one of those below |
/// | subscription id, resource group, management group, tenant id deployed to | `subscription`, `resourceGroup`, `managementGroup`, `tenant` |
/// | the group's location, the deployment's name | `resourceGroup().location`, `deployment().name` |
/// | an id within the group deployed to | `/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/…` |
/// | a property of a resource with a symbolic name | `aks.properties.oidcIssuerProfile.issuerURL`, `loop[0].identity.principalId` |
/// | the same without symbolic names | `managedClusters['aks'].properties.…` |
/// | the same in a module | `module.aks.properties.…` |
/// | a resource that is not in the template | `reference('/subscriptions/…').…` |
/// | what `list…` gives | `aks.listCredentials().…`, `listKeys('/subscriptions/…').…` |
/// | an output of a module that cannot be read | `module.outputs.name.value` |
/// | the place in a loop whose count is open | `i`, within it `j`, `k`: `subnets[i].name` |
/// | operators and functions | `environment == 'prod'`, `!flag`, `a && b`, `c ? x : y`, `x ?? y`, `x.?y`, `toLower(name)` |
///
/// In a string each open part stands in braces, also when there is nothing else: `{prefix}`,
/// `{prefix}-aks`. A text that would be very long is cut and ends in a hash. Braces within quotes
/// are written `‹›`, so that those that remain are the borders of open parts.
#[derive(Debug, Clone, Copy)]
pub struct Unknown<'a> {
    /// What it is. For a [`Shape::String`] that is partly known, the string with the unknown
    /// parts in braces: `{prefix}-aks`, `/subscriptions/{subscription}/resourceGroups/…`;
    /// otherwise the expression in Bicep's words: `environment == 'prod'`.
    pub text: &'a str,
    /// What is known of its type.
    pub shape: Shape,
    /// Why it is open: sorted, distinct, at least one.
    pub why: &'a [Why<'a>],
    /// Its value must not be shown once known.
    pub secret: bool,
    /// The key that it stands at may not be there at all: an object that a condition chooses has
    /// keys of the one branch that the other lacks. Where there is no difference it may be `null`.
    pub absent: bool,
    /// Values it certainly is not (case analysis: "any other value").
    pub not: &'a [Value<'a>],
    /// Fields that an object certainly has, whatever else it has: what the template itself sets
    /// of a resource that is referred to, what `union` adds to an unknown object.
    pub fields: &'a [Field<'a>],
    /// Items that a list certainly contains, at a place that is not known: what `concat` adds to
    /// an unknown list.
    pub items: &'a [Value<'a>],
}

/// What is known of an unknown's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// nothing
    Any,
    /// a boolean
    Bool,
    /// a whole number
    Int,
    /// a string
    String,
    /// a resource id: a string that is never empty; only scope and names in it may be open
    Id,
    /// a list
    Array,
    /// a map
    Object,
}

/// Why a value is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why<'a> {
    /// The parameter of the outermost template that decides.
    Parameter(&'a str),
    /// A property that Azure gives the resource of this id.
    Reference(&'a str),
    /// Where it is deployed: `subscription`, `resourceGroup`, `tenant`, `managementGroup`,
    /// `deployment`, `deployer`, `environment`.
    Scope(&'a str),
    /// What `list…` of this id returns.
    Keys(&'a str),
    /// The clock or chance: `utcNow`, `newGuid`.
    Chance(&'a str),
    /// A module, a linked template or a file that was not found.
    Unresolved(&'a str),
    /// A function or a form that is not evaluated.
    Unsupported(&'a str),
    /// An expression that Azure would refuse; it is among the problems too.
    Error(&'a str),
}

impl<'a> Value<'a> {
    /// The value of a key, whatever its case, when this is an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Self> {
        self.fields()
            .iter()
            .find(|field| field.key.eq_ignore_ascii_case(key))
            .map(|field| &field.value)
    }

    /// The fields of an object; nothing for anything else.
    #[must_use]
    pub fn fields(&self) -> &'a [Field<'a>] {
        match self.data {
            Data::Object(fields) => fields,
            _ => &[],
        }
    }

    /// The items of a list; nothing for anything else.
    #[must_use]
    pub fn items(&self) -> &'a [Self] {
        match self.data {
            Data::Array(items) => items,
            _ => &[],
        }
    }

    /// The string, when it is known.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.data {
            Data::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Why it is open, when it is.
    #[must_use]
    pub fn unknown(&self) -> Option<&'a Unknown<'a>> {
        match self.data {
            Data::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }
}
