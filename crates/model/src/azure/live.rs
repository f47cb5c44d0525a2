//! A resource as Azure's API returned it.

use yaml::{Span, json};

use super::{Found, settle, type_of_id};
use crate::coverage::Status;
use crate::doc::{Dialect, DocBuilder};
use crate::manifest::{Reader, Reading, failed};
use crate::resource::Origin;
use crate::value::Ref;

/// Reads one resource: an object with `id`, `type`, `name` and `properties`. Azure's own answers say
/// what is set, so nothing absent is unknown here.
#[must_use]
pub fn read(reader: &Reader<'_>, text: &str, origin: &Origin) -> Reading {
    let mut builder = DocBuilder::new(reader.symbols, Dialect::Azure, text.into(), 1);
    let options = json::Options { lenient: true };
    let root = match json::parse(text, options, &reader.limits, &mut builder) {
        Ok(root) => root,
        Err(error) => {
            let reason = format!("column {}: {}", error.column, error.message);
            return failed(Status::Unreadable, 1, origin, &reason, None);
        }
    };
    let doc = builder.finish(root);
    let text_of = |key: &str| {
        doc.root()
            .get(key)
            .and_then(Ref::as_str)
            .unwrap_or_default()
    };
    let id = text_of("id");
    let Some(kind) = type_of_id(id) else {
        let reason = format!("`{id}` is no id of an Azure resource");
        return failed(Status::Unreadable, 1, origin, &reason, None);
    };
    let found = Found {
        root: doc.root().id(),
        name: name_of(id).into(),
        kind: kind.into(),
        id: id.into(),
        api_version: text_of("apiVersion").into(),
        through: Vec::<Span>::new(),
        principal: None,
    };
    settle(doc, vec![found], reader.defaults, reader.symbols, origin)
}

/// The whole name that an id says: `aks/nodepool1` of `…/managedClusters/aks/agentPools/nodepool1`.
fn name_of(id: &str) -> String {
    let tail = id
        .to_ascii_lowercase()
        .rfind("/providers/")
        .and_then(|at| id.get(at + "/providers/".len()..))
        .unwrap_or_default();
    let names: Vec<&str> = tail.split('/').skip(2).step_by(2).collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use cel::Symbols;

    use super::*;
    use crate::azure::Defaults;
    use crate::managed::Managed;

    fn read_text(text: &str) -> Reading {
        read_with(text, &Defaults::default())
    }

    fn read_with(text: &str, defaults: &Defaults) -> Reading {
        let reader = Reader {
            symbols: &Symbols::default(),
            wants: &|_| true,
            managed: &Managed::default(),
            defaults,
            limits: yaml::Limits::default(),
            schema: None,
        };
        let origin = Origin {
            path: "/subscriptions/s".into(),
            index: 0,
            rendered_by: None,
            live: true,
        };
        read(&reader, text, &origin)
    }

    #[test]
    fn children_inside_an_answer_are_resources_too() {
        let reading = read_text(
            r#"{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
            "type":"Microsoft.Network/virtualNetworks","name":"v","apiVersion":"2025-01-01",
            "properties":{"subnets":[{"name":"n","id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n","properties":{"addressPrefix":"10.0.0.0/24"}}]}}"#,
        );
        let names: Vec<String> = reading
            .resources
            .iter()
            .map(|resource| resource.name.id())
            .collect();
        assert_eq!(
            names,
            [
                "Microsoft.Network/virtualNetworks/v",
                "Microsoft.Network/virtualNetworks/subnets/v/n"
            ]
        );
        assert!(
            reading
                .resources
                .iter()
                .all(|resource| resource.origin.live)
        );
    }

    #[test]
    fn a_list_of_references_is_no_list_of_children() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/firewallPolicies/p";
        let reading = read_text(&format!(
            r#"{{"id":"{id}","type":"Microsoft.Network/firewallPolicies","name":"p",
            "properties":{{"ruleCollectionGroups":[{{"id":"{id}/ruleCollectionGroups/nodes"}}]}}}}"#
        ));
        assert_eq!(reading.resources.len(), 1);
    }

    #[test]
    fn the_version_of_reading_is_not_that_of_making() {
        let facts = r#"{"Microsoft.Network/virtualNetworks": {
            "properties.open": [{"default": true, "until": "2025-06-30", "source": "s", "seen": "2026-01-01"},
                                {"default": false, "from": "2025-07-01", "source": "s", "seen": "2026-01-01"}],
            "properties.later": {"default": true, "from": "2020-01-01", "source": "s", "seen": "2026-01-01"}}}"#;
        let symbols = Symbols::default();
        let mut builder = DocBuilder::new(&symbols, Dialect::Azure, facts.into(), 1);
        let strict = json::Options { lenient: false };
        let root = json::parse(facts, strict, &yaml::Limits::default(), &mut builder).unwrap();
        let mut defaults = Defaults::default();
        defaults.add(builder.finish(root).root()).unwrap();
        let network = r#"{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
            "apiVersion":"2026-01-01","properties":{}}"#;
        let reading = read_with(network, &defaults);
        let object = reading.resources[0].object();
        let property = |key| object.path(&["properties", key]).and_then(Ref::as_bool);
        // It may be older than the new default.
        assert_eq!(property("open"), Some(true));
        assert_eq!(property("later"), None);
    }

    #[test]
    fn what_is_no_resource_is_said_to_be_unreadable() {
        for text in ["{}", r#"{"id":"/subscriptions/s"}"#, "[", "null"] {
            let reading = read_text(text);
            assert_eq!(reading.entries.len(), 1, "{text}");
            assert_eq!(reading.entries[0].status, Status::Unreadable, "{text}");
        }
    }
}
