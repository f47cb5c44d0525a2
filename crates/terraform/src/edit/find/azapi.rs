//! Resources of azapi: their body is what Azure gets.

use bicep::value::{Data, Value};
use yaml::edit::Step;

use super::{Finder, Here, Plan, Planned, wanted};
use crate::edit::expr::Act;
use crate::edit::render::New;
use crate::output::Resource;

impl<'a> Finder<'_, 'a> {
    /// `azapi_resource`: the body is what Azure gets.
    pub(super) fn azapi(&mut self, resource: &Resource<'a>, route: &[Step], act: &Act) -> Planned {
        let path = self.editable(resource, resource.span)?;
        let offset = self.now(path, resource.span.start)?;
        let (_, parsed) = self.read(path)?;
        let block = parsed.block_at(offset).ok_or("its block is lost")?;
        let first = match route.first() {
            Some(Step::Key(key)) => key.to_ascii_lowercase(),
            _ => return Err("it has no name".to_owned()),
        };
        let (name, inner) = match first.as_str() {
            "tags" | "location" => (first.as_str(), route.get(1..).unwrap_or_default()),
            "identity" => return Err("the identity of azapi is a block".to_owned()),
            _ => ("body", route),
        };
        match block.body.get_attribute(name) {
            Some(attribute) => {
                let value = resource.body.get(name);
                let value = value.and_then(|value| {
                    let value = match value.data {
                        Data::Str(text) => self.state.encoded.get(text).copied(),
                        Data::Unknown(unknown) => self.state.encoded.get(unknown.text).copied(),
                        _ => Some(*value),
                    };
                    at_route(&value?, inner)
                });
                let written = self.attribute(resource, path, block, attribute, None, inner, act);
                match (written, value, act) {
                    (Err(why), Some(value), Act::Set(wanted)) => self
                        .literal(resource, value.span, wanted)
                        .map_err(|other| other.unwrap_or(why)),
                    (written, ..) => written,
                }
            }
            None if *act == Act::Remove => Ok(None),
            None => {
                let here = Here {
                    path,
                    offset,
                    value: None,
                    dynamic: false,
                };
                let new = New::Attribute(name.to_owned(), wanted(inner, act)?);
                Ok(Some(Plan {
                    path: path.to_owned(),
                    edit: self.insertion(&here, &new)?,
                    distance: 2,
                    beside: None,
                    switches: false,
                }))
            }
        }
    }
}

fn at_route<'a>(value: &Value<'a>, route: &[Step]) -> Option<Value<'a>> {
    route.iter().try_fold(*value, |value, step| match step {
        Step::Key(key) => value
            .fields()
            .iter()
            .find(|field| field.key.eq_ignore_ascii_case(key))
            .map(|field| field.value),
        Step::Index(at) => value.items().get(*at).copied(),
    })
}
