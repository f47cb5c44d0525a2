//! What a plan's configuration says that a value refers to.

use bicep::source::Span;
use bicep::value::{Shape, Why};

use super::{At, MAX_LEVELS, Plan, string};
use crate::value::{Data, Unknown, Val, reasons};

impl<'a> Plan<'a, '_> {
    /// The module's part of the configuration, from its address without the keys of instances.
    pub(super) fn module_configuration(&self, module: &str) -> Option<Val<'a>> {
        let mut found = self.configuration?;
        for call in calls(module) {
            found = found.get("module_calls")?.get(&call)?.get("module")?;
        }
        Some(found)
    }

    pub(super) fn configured(
        &self,
        module: &str,
        kind: &str,
        name: &str,
        data: bool,
    ) -> Option<Val<'a>> {
        let mode = if data { "data" } else { "managed" };
        let list = self.module_configuration(module)?.get("resources")?.seq()?;
        list.iter()
            .find(|entry| {
                string(entry, "type") == Some(kind)
                    && string(entry, "name") == Some(name)
                    && string(entry, "mode") == Some(mode)
            })
            .copied()
    }

    /// A value that is known after apply: what it refers to, when that is one thing.
    pub(super) fn open(
        &self,
        span: Span,
        at: &At<'_, 'a>,
        text: &str,
        secret: Option<&'a str>,
    ) -> Val<'a> {
        let target = at
            .expressions
            .and_then(|expression| self.target(&expression, at.module, 0));
        let text = target.unwrap_or_else(|| text.to_owned());
        let shape = if text.ends_with(".id") {
            Shape::Id
        } else {
            Shape::Any
        };
        let address = self.arena.alloc_str(owner(&text));
        let why = match text.starts_with("var.") {
            true => Why::Parameter(self.arena.alloc_str(text.trim_start_matches("var."))),
            false => Why::Reference(address),
        };
        let unknown = self.arena.alloc(Unknown {
            text: self.arena.alloc_str(&text),
            partial: false,
            shape,
            why: reasons(self.arena, vec![why]),
            secret: secret.is_some(),
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }

    /// The attribute that an expression refers to, as an absolute address.
    pub(super) fn target(
        &self,
        expression: &Val<'a>,
        module: &str,
        depth: usize,
    ) -> Option<String> {
        if depth > MAX_LEVELS {
            return None;
        }
        let references: Vec<&str> = expression
            .get("references")?
            .seq()?
            .iter()
            .filter_map(|item| match item.data {
                Data::Str(text) => Some(text),
                _ => None,
            })
            .collect();
        // The longest comes first; the others are its beginnings.
        let first = *references.first()?;
        if references.iter().any(|other| !first.starts_with(other)) {
            return None;
        }
        self.resolved(first, module, depth)
    }

    pub(super) fn resolved(&self, reference: &str, module: &str, depth: usize) -> Option<String> {
        if let Some(name) = reference.strip_prefix("var.") {
            let name = name.split(['.', '[']).next()?;
            let (outer, call) = outer(module)?;
            let expression = self
                .module_configuration(outer)?
                .get("module_calls")?
                .get(&call)?
                .get("expressions")?
                .get(name)?;
            return self.target(&expression, outer, depth + 1);
        }
        if let Some(rest) = reference.strip_prefix("module.") {
            let (call, output) = rest.rsplit_once('.')?;
            let inner = match module {
                "" => format!("module.{call}"),
                outer => format!("{outer}.module.{call}"),
            };
            let output = self
                .module_configuration(&inner)?
                .get("outputs")?
                .get(output)?
                .get("expression")?;
            return self.target(&output, &inner, depth + 1);
        }
        let local = ["each.", "count.", "local.", "path.", "self."];
        if local.iter().any(|prefix| reference.starts_with(prefix)) {
            return None;
        }
        Some(match module {
            "" => reference.to_owned(),
            outer => format!("{outer}.{reference}"),
        })
    }
}

/// The resource of an attribute: `module.a.azurerm_subnet.x[0].id` to its address.
fn owner(text: &str) -> &str {
    text.rsplit_once('.').map_or(text, |(owner, _)| owner)
}

/// `module.a["x"].module.b[0]`: the names of the calls, without keys.
fn calls(address: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut plain = String::new();
    let (mut depth, mut quoted) = (0_usize, false);
    for next in address.chars() {
        match next {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !quoted => plain.push(next),
            _ => {}
        }
    }
    let mut parts = plain.split('.');
    while let (Some("module"), Some(name)) = (parts.next(), parts.next()) {
        names.push(name.to_owned());
    }
    names
}

/// The module around a module, and the name of the call.
fn outer(module: &str) -> Option<(&str, String)> {
    let name = calls(module).pop()?;
    let at = module.rfind(&format!("module.{name}"))?;
    let before = module.get(..at)?.trim_end_matches('.');
    Some((before, name))
}
