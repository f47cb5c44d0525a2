//! An addition as an element of `resources` in ARM JSON. References become `resourceId(…)` of the name that the
//! template gives; what they depend on is said in `dependsOn`.

use std::ops::Range;

use bumpalo::Bump;
use yaml::edit::{Operation, Step, Value};

use super::{Addition, FRESH, Given, Leaves, Part, Piece, Seat, Target, elsewhere, free};
use crate::expression::{print, write};
use crate::json;
use crate::node::{Expr, ExprKind, Node, NodeKind};
use crate::source::FileId;

/// What adds resources to a template, whose text is given without its byte order mark. They may refer to each other.
///
/// # Errors
/// Why they cannot be written there.
pub fn operations<'d>(
    additions: impl IntoIterator<Item = &'d Addition>,
    file: &str,
    text: &str,
) -> Result<Vec<Operation>, String> {
    let bump = Bump::new();
    let parsed = json::parse(&bump, text, FileId(0));
    let root = &parsed.root;
    let mut fresh = Vec::new();
    let mut all = Vec::new();
    for addition in additions {
        if let Some((target, leaves)) = addition.patch()? {
            all.extend(patches(target, leaves, file, root, &fresh)?);
            continue;
        }
        let mut operation = element(addition, file, root)?;
        let (Operation::Add { value, .. } | Operation::Set { value, .. }) = &mut operation else {
            continue;
        };
        let used = resolve(value, &fresh);
        if let Value::Map(entries) = value {
            depend(entries, used);
        }
        if matches!(operation, Operation::Add { .. }) {
            let id = Writer::id_of_addition(addition, file, root)?;
            fresh.push((addition.fresh(), format!("[{id}]")));
        }
        all.push(operation);
    }
    let unfinished = |operation: &Operation| match operation {
        Operation::Add { value, .. } | Operation::Set { value, .. } => stands_in(value),
        _ => false,
    };
    if all.iter().any(unfinished) {
        return Err(
            "the template gives its resources names: what refers to a new one cannot be said there"
                .to_owned(),
        );
    }
    Ok(all)
}

/// Whether something stands for an id still.
fn stands_in(value: &Value) -> bool {
    match value {
        Value::String(text) => super::is_unfinished(text),
        Value::List(items) => items.iter().any(stands_in),
        Value::Map(entries) => entries
            .iter()
            .any(|(key, value)| super::is_unfinished(key) || stands_in(value)),
        _ => false,
    }
}

/// What is said more of a resource, and that it comes after what it refers to.
fn patches(
    target: &Target,
    leaves: Leaves,
    file: &str,
    root: &Node<'_>,
    fresh: &[(String, String)],
) -> Result<Vec<Operation>, String> {
    let odd = || format!("`{}` is made by an expression", target.name);
    let place = target.place_in(file).ok_or_else(|| elsewhere(target))?;
    let (way, list) = resources_around(root, place).ok_or_else(odd)?;
    let mut items = list.items().iter();
    let number = items
        .position(|item| holds(item, place))
        .ok_or("the template gives its resources names: what it refers to cannot be said there")?;
    let mut own = way;
    own.push(Step::Index(number));
    let mut below = Vec::new();
    let mut at = list.items().get(number).ok_or_else(odd)?;
    while !same(at, place) {
        let mut entries = at.entries().iter().filter(|entry| entry.key_expr.is_none());
        if let Some(entry) = entries.find(|entry| holds(&entry.value, place)) {
            below.push(Step::Key(entry.key.into()));
            at = &entry.value;
            continue;
        }
        let mut items = at.items().iter().enumerate();
        let (number, item) = items.find(|(_, item)| holds(item, place)).ok_or_else(odd)?;
        below.push(Step::Index(number));
        at = item;
    }
    let mut all = Vec::new();
    for (way, mut value) in leaves {
        for used in resolve(&mut value, fresh) {
            let mut route = own.clone();
            route.push(Step::Key("dependsOn".into()));
            all.push(Operation::Add {
                route,
                value: Value::String(used),
            });
        }
        let route = own.iter().chain(&below).chain(&way).cloned();
        all.push(Operation::Set {
            route: route.collect(),
            value,
        });
    }
    Ok(all)
}

/// Puts ids where something stands for them; which ones. Values are as deep as guidelines write them.
fn resolve(value: &mut Value, fresh: &[(String, String)]) -> Vec<String> {
    let mut used = Vec::new();
    let mut id_for = |text: &mut String| {
        let found = fresh.iter().find(|(mark, _)| mark == text);
        if let Some((_, id)) = found.filter(|_| text.contains(FRESH)) {
            text.clone_from(id);
            used.push(id.clone());
        }
    };
    match value {
        Value::String(text) => id_for(text),
        Value::List(items) => {
            for item in items {
                used.extend(resolve(item, fresh));
            }
        }
        Value::Map(entries) => {
            for (key, _) in entries.iter_mut() {
                id_for(key);
            }
            for (_, value) in entries {
                used.extend(resolve(value, fresh));
            }
        }
        _ => {}
    }
    used
}

/// Says of a resource what has to be there before it.
fn depend(entries: &mut Vec<(String, Value)>, used: Vec<String>) {
    if used.is_empty() {
        return;
    }
    let own = entries.iter_mut().find(|(key, _)| key == "dependsOn");
    let list = match own {
        Some((_, list)) => list,
        None => {
            let at = entries.iter().position(|(key, _)| key == "properties");
            let at = at.unwrap_or(entries.len());
            entries.insert(at, ("dependsOn".to_owned(), Value::List(Vec::new())));
            let Some((_, list)) = entries.get_mut(at) else {
                return;
            };
            list
        }
    };
    if let Value::List(items) = list {
        for id in used {
            if !items.contains(&Value::String(id.clone())) {
                items.push(Value::String(id));
            }
        }
    }
}

/// A resource of the template.
struct Found<'n> {
    node: &'n Node<'n>,
    /// Its key, where resources have names.
    key: Option<&'n str>,
}

/// The same of a text that was read as `root`.
fn element<'n>(addition: &Addition, file: &str, root: &'n Node<'n>) -> Result<Operation, String> {
    let first = addition.targets.first().ok_or("it stands beside nothing")?;
    let place = first.place_in(file).ok_or_else(|| elsewhere(first))?;
    let (way, list) = resources_around(root, place).ok_or("no list of resources is around it")?;
    let writer = Writer {
        addition,
        file,
        list,
    };
    let own = writer.around(place).ok_or("it is made by an expression")?;
    if own.node.get("copy").is_some() {
        return Err(format!(
            "`{}` is made in a loop: add the resource there",
            first.name
        ));
    }
    let mut entries = Vec::new();
    if let Some(condition) = own.node.get("condition") {
        entries.push(("condition".to_owned(), copied(condition)));
    }
    let own_entries = vec![
        ("type".to_owned(), text(&addition.kind)),
        ("apiVersion".to_owned(), text(&addition.api_version)),
        ("name".to_owned(), writer.name()?),
    ];
    if addition.seat == Seat::Subscription {
        let mut inner = own_entries;
        for (key, value) in &addition.body {
            inner.push((key.to_string(), writer.value(value)?));
        }
        let name = format!("{}-{}", addition.symbol, addition.shown_name());
        let depends = writer.depends()?;
        if !depends.is_empty() {
            entries.push(("dependsOn".to_owned(), Value::List(depends)));
        }
        entries.extend(within_subscription(&name, Value::Map(inner)));
        return Ok(placed(addition, way, list, Value::Map(entries)));
    }
    entries.extend(own_entries);
    if let Seat::Extension(at) = addition.seat {
        entries.push(("scope".to_owned(), writer.text(&[Piece::Of(at, Part::Id)])?));
    }
    let mut body = Vec::new();
    for (key, value) in &addition.body {
        body.push((key.to_string(), writer.value(value)?));
    }
    let depends = writer.depends()?;
    if !depends.is_empty() {
        let at = body.iter().position(|(key, _)| key == "properties");
        let entry = ("dependsOn".to_owned(), Value::List(depends));
        body.insert(at.unwrap_or(body.len()), entry);
    }
    entries.extend(body);
    Ok(placed(addition, way, list, Value::Map(entries)))
}

/// What puts a resource into the list or map of resources.
fn placed(addition: &Addition, way: Vec<Step>, list: &Node<'_>, value: Value) -> Operation {
    match list.kind {
        // Resources have names.
        NodeKind::Object(taken) => {
            let is_taken = |name: &str| {
                let mut keys = taken.iter().map(|entry| entry.key);
                keys.any(|key| key.eq_ignore_ascii_case(name))
            };
            let mut route = way;
            route.push(Step::Key(free(&addition.symbol, is_taken).into()));
            Operation::Set { route, value }
        }
        _ => Operation::Add { route: way, value },
    }
}

/// A deployment to the subscription within that of a resource group.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-to-resource-group>
fn within_subscription(name: &str, resource: Value) -> Vec<(String, Value)> {
    const SCHEMA: &str = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#";
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let template = vec![
        entry("$schema", text(SCHEMA)),
        entry("contentVersion", text("1.0.0.0")),
        entry("resources", Value::List(vec![resource])),
    ];
    vec![
        entry("type", text("Microsoft.Resources/deployments")),
        entry("apiVersion", text("2022-09-01")),
        entry("name", text(name)),
        entry(
            "subscriptionId",
            expression("subscription().subscriptionId"),
        ),
        entry("location", expression("resourceGroup().location")),
        entry(
            "properties",
            Value::Map(vec![
                entry("mode", text("Incremental")),
                entry("template", Value::Map(template)),
            ]),
        ),
    ]
}

/// The resources of the innermost template around a place, with the way to them. The reader bounds how deep it goes.
fn resources_around<'n>(
    root: &'n Node<'n>,
    place: &Range<usize>,
) -> Option<(Vec<Step>, &'n Node<'n>)> {
    let mut found = None;
    let mut way = Vec::new();
    let mut at = root;
    let mut is_template = true;
    loop {
        let entries = at.entries().iter();
        let entry = entries
            .filter(|entry| entry.key_expr.is_none())
            .find(|entry| holds(&entry.value, place));
        if let Some(entry) = entry {
            way.push(Step::Key(entry.key.into()));
            if is_template && entry.key.eq_ignore_ascii_case("resources") {
                found = Some((way.clone(), &entry.value));
            }
            is_template = entry.key.eq_ignore_ascii_case("template");
            at = &entry.value;
            continue;
        }
        let mut items = at.items().iter().enumerate();
        let Some((number, item)) = items.find(|(_, item)| holds(item, place)) else {
            return found;
        };
        way.push(Step::Index(number));
        is_template = false;
        at = item;
    }
}

fn holds(node: &Node<'_>, place: &Range<usize>) -> bool {
    node.span.start as usize <= place.start && place.end <= node.span.end as usize
}

fn text(text: &str) -> Value {
    // What begins with a bracket would be an expression.
    match text.starts_with('[') {
        true => Value::String(format!("[{text}")),
        false => Value::String(text.to_owned()),
    }
}

fn expression(text: &str) -> Value {
    Value::String(format!("[{text}]"))
}

/// An expression without its brackets.
fn bare(of: &Expr<'_>) -> String {
    let mut out = String::new();
    write(of, &mut out);
    out
}

/// A literal of the expression language.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A scalar of the template once more.
fn copied(node: &Node<'_>) -> Value {
    match node.kind {
        NodeKind::Expr(of) => Value::String(print(of)),
        NodeKind::Str(one) => text(one),
        NodeKind::Bool(value) => Value::Bool(value),
        NodeKind::Int(value) => Value::Int(value),
        NodeKind::Float(value) => Value::Float(value),
        NodeKind::Null | NodeKind::Array(_) | NodeKind::Object(_) => Value::Null,
    }
}

struct Writer<'w, 'n> {
    addition: &'w Addition,
    file: &'w str,
    list: &'n Node<'n>,
}

impl<'n> Writer<'_, 'n> {
    /// The resource of the list that a place lies in.
    fn around(&self, place: &Range<usize>) -> Option<Found<'n>> {
        let named = self.list.entries().iter().map(|entry| Found {
            node: &entry.value,
            key: Some(entry.key),
        });
        let items = self.list.items().iter();
        let listed = items.map(|node| Found { node, key: None });
        named.chain(listed).find(|found| holds(found.node, place))
    }

    /// `resourceId(…)` of an addition.
    fn id_of_addition(
        addition: &Addition,
        file: &str,
        root: &'n Node<'n>,
    ) -> Result<String, String> {
        let first = addition.targets.first().ok_or("it stands beside nothing")?;
        let place = first.place_in(file).ok_or_else(|| elsewhere(first))?;
        let (_, list) = resources_around(root, place).ok_or("no list of resources is around it")?;
        let writer = Writer {
            addition,
            file,
            list,
        };
        let mut names = Vec::new();
        if let Seat::Child(parent) = addition.seat {
            names.push(writer.text(&[Piece::Of(parent, Part::Name)])?);
        }
        names.push(writer.text(&addition.name)?);
        let names = names.iter().map(|name| match name {
            Value::String(text) => {
                let inner = text
                    .strip_prefix('[')
                    .and_then(|text| text.strip_suffix(']'));
                inner.map_or_else(|| quoted(text), str::to_owned)
            }
            _ => quoted(""),
        });
        let names: Vec<String> = names.collect();
        Ok(format!(
            "resourceId({}, {})",
            quoted(&addition.kind),
            names.join(", ")
        ))
    }

    /// A target that stands in the list itself.
    fn target(&self, number: usize) -> Result<(&Target, Option<Found<'n>>), String> {
        let targets = &self.addition.targets;
        let target = targets.get(number).ok_or("it refers to nothing")?;
        let found = target
            .place_in(self.file)
            .and_then(|place| self.around(place).filter(|found| same(found.node, place)));
        Ok((target, found))
    }

    /// `resourceId(…)` of a target, or its id.
    fn id(&self, number: usize) -> Result<Value, String> {
        match self.target(number)? {
            (target, Some(found)) => Ok(expression(&id_of(target, found.node)?)),
            (target, None) => match target.literal_id() {
                Some(id) => Ok(text(id)),
                None => Err(elsewhere(target)),
            },
        }
    }

    /// What a target says, as an expression, or as it is.
    fn part(&self, number: usize, part: Part) -> Result<Value, String> {
        if part == Part::Id {
            return self.id(number);
        }
        let (target, found) = self.target(number)?;
        let key = match part {
            Part::Location => "location",
            _ => "name",
        };
        let found = found.ok_or_else(|| elsewhere(target))?;
        let node = found.node.get(key);
        node.map(copied)
            .filter(|value| matches!(value, Value::String(_)))
            .ok_or_else(|| format!("`{}` says no {key}", target.name))
    }

    fn text(&self, pieces: &[Piece]) -> Result<Value, String> {
        if let [Piece::Of(number, part)] = pieces {
            return self.part(*number, *part);
        }
        let mut plain = String::new();
        let mut format = String::new();
        let mut arguments = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    plain.push_str(text);
                    format.push_str(&text.replace('{', "{{").replace('}', "}}"));
                }
                Piece::Of(number, part) => match self.part(*number, *part)? {
                    Value::String(text) if !text.starts_with('[') => {
                        plain.push_str(&text);
                        format.push_str(&text);
                    }
                    Value::String(text) => {
                        format.push_str(&format!("{{{}}}", arguments.len()));
                        let inner = text
                            .strip_prefix('[')
                            .and_then(|text| text.strip_suffix(']'));
                        arguments.push(inner.unwrap_or(&text).to_owned());
                    }
                    _ => return Err("it refers to what is no text".to_owned()),
                },
            }
        }
        Ok(if arguments.is_empty() {
            text(&plain)
        } else {
            expression(&format!(
                "format({}, {})",
                quoted(&format),
                arguments.join(", ")
            ))
        })
    }

    /// The name with those of its parents.
    fn name(&self) -> Result<Value, String> {
        let mut pieces = Vec::new();
        if let Seat::Child(parent) = self.addition.seat {
            pieces.push(Piece::Of(parent, Part::Name));
            pieces.push(Piece::Text("/".into()));
        }
        pieces.extend(self.addition.name.iter().cloned());
        self.text(&pieces)
    }

    fn value(&self, given: &Given) -> Result<Value, String> {
        Ok(match given {
            Given::Text(pieces) => self.text(pieces)?,
            Given::Scalar(value) => value.clone(),
            Given::List(items) => {
                let items = items.iter().map(|item| self.value(item));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Given::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((key.to_string(), self.value(value)?)));
                Value::Map(entries.collect::<Result<_, String>>()?)
            }
        })
    }

    /// What has to be there before it.
    fn depends(&self) -> Result<Vec<Value>, String> {
        let mut used = Vec::new();
        if let Seat::Child(at) | Seat::Extension(at) = self.addition.seat {
            used.push(at);
        }
        for (_, value) in &self.addition.body {
            ids_in(value, &mut used);
        }
        let mut depends = Vec::new();
        for number in used {
            let (target, found) = self.target(number)?;
            let value = match found {
                Some(Found { key: Some(key), .. }) => text(key),
                Some(found) => expression(&id_of(target, found.node)?),
                None => continue,
            };
            if !depends.contains(&value) {
                depends.push(value);
            }
        }
        Ok(depends)
    }
}

/// The targets whose ids stand in a value.
fn ids_in(value: &Given, used: &mut Vec<usize>) {
    match value {
        Given::Text(pieces) => used.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Of(number, Part::Id) => Some(*number),
            _ => None,
        })),
        Given::Scalar(_) => {}
        Given::List(items) => items.iter().for_each(|item| ids_in(item, used)),
        Given::Map(entries) => entries.iter().for_each(|(_, value)| ids_in(value, used)),
    }
}

fn same(node: &Node<'_>, place: &Range<usize>) -> bool {
    node.span.start as usize == place.start && node.span.end as usize == place.end
}

/// `resourceId('TYPE', NAME…)`.
fn id_of(target: &Target, node: &Node<'_>) -> Result<String, String> {
    let odd = || format!("the name of `{}` cannot be seen through", target.name);
    let wanted = target.kind.split('/').count().saturating_sub(1);
    let name = node.get("name").ok_or_else(odd)?;
    let names = match name.kind {
        NodeKind::Str(text) => text.split('/').map(quoted).collect(),
        NodeKind::Expr(of) if wanted == 1 => vec![bare(of)],
        NodeKind::Expr(of) => parts(of).ok_or_else(odd)?,
        _ => return Err(odd()),
    };
    // A resource within another says a part of its type and name.
    let is_whole = node
        .get("type")
        .and_then(Node::as_str)
        .is_some_and(|own| own.eq_ignore_ascii_case(&target.kind));
    if names.len() != wanted || !is_whole {
        return Err(odd());
    }
    Ok(format!(
        "resourceId({}, {})",
        quoted(&target.kind),
        names.join(", ")
    ))
}

/// The segments of a name that is put together: `format('{0}/{1}', a, b)`, `concat(a, '/b')`.
fn parts(of: &Expr<'_>) -> Option<Vec<String>> {
    let ExprKind::Call {
        namespace: None,
        name,
        args,
    } = of.kind
    else {
        return None;
    };
    if name.eq_ignore_ascii_case("format") {
        let (first, rest) = args.split_first()?;
        let ExprKind::Str(pattern) = first.kind else {
            return None;
        };
        let segments = pattern.split('/').map(|segment| {
            let hole = segment
                .strip_prefix('{')
                .and_then(|hole| hole.strip_suffix('}'));
            match hole {
                Some(number) => rest.get(number.parse::<usize>().ok()?).map(bare),
                None => (!segment.contains('{')).then(|| quoted(segment)),
            }
        });
        return segments.collect();
    }
    if !name.eq_ignore_ascii_case("concat") {
        return None;
    }
    let mut segments: Vec<Option<String>> = vec![None];
    for argument in args {
        match argument.kind {
            ExprKind::Str(text) => {
                for (number, piece) in text.split('/').enumerate() {
                    if number > 0 {
                        segments.push(None);
                    }
                    let last = segments.last_mut()?;
                    match (piece.is_empty(), &last) {
                        (true, _) => {}
                        (false, None) => *last = Some(quoted(piece)),
                        (false, Some(_)) => return None,
                    }
                }
            }
            _ => {
                let last = segments.last_mut()?;
                if last.is_some() {
                    return None;
                }
                *last = Some(bare(argument));
            }
        }
    }
    segments.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addition::Target;

    const TEMPLATE: &str = r#"{
  "resources": [
    {
      "type": "Microsoft.Network/virtualNetworks/subnets",
      "name": "NAME",
      "condition": "[parameters('on')]"
    }
  ]
}"#;

    fn added(name: &str, copy: &str) -> Result<Value, String> {
        let text = TEMPLATE
            .replace("NAME", name)
            .replace("\"condition\"", copy);
        let start = text.find("    {\n").unwrap() + 4;
        let end = text.rfind("    }\n").unwrap() + 5;
        let addition = Addition {
            symbol: "lock".into(),
            kind: "Microsoft.Authorization/locks".into(),
            api_version: "2020-05-01".into(),
            name: vec![Piece::Text("keep".into())],
            seat: Seat::Extension(0),
            body: Vec::new(),
            azurerm: Vec::new(),
            comment: Vec::new(),
            apart: false,
            targets: vec![Target {
                kind: "Microsoft.Network/virtualNetworks/subnets".into(),
                name: "spoke/nodes".into(),
                id: "/subscriptions/{subscription}".into(),
                declared: Some(("main.json".into(), start..end)),
            }],
        };
        match operations([&addition], "main.json", &text)?.as_slice() {
            [Operation::Add { route, value }] => {
                assert_eq!(route, &[Step::Key("resources".into())]);
                Ok(value.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    fn entry<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
        let Value::Map(entries) = value else {
            return None;
        };
        entries
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value)
    }

    #[test]
    fn ids_are_made_of_the_names_that_are_written() {
        for (name, arguments) in [
            ("spoke/nodes", "'spoke', 'nodes'"),
            (
                "[format('{0}/{1}', parameters('a'), 'b')]",
                "parameters('a'), 'b'",
            ),
            (
                "[concat(variables('a'), '/nodes')]",
                "variables('a'), 'nodes'",
            ),
        ] {
            let value = added(name, "\"condition\"").unwrap();
            let wanted =
                format!("[resourceId('Microsoft.Network/virtualNetworks/subnets', {arguments})]");
            assert_eq!(entry(&value, "scope"), Some(&Value::String(wanted)));
            assert_eq!(
                entry(&value, "condition"),
                Some(&Value::String("[parameters('on')]".to_owned()))
            );
        }
    }

    #[test]
    fn what_cannot_be_seen_through_is_refused() {
        let odd = added("[parameters('whole')]", "\"condition\"").unwrap_err();
        assert!(odd.contains("cannot be seen through"), "{odd}");
        let copied = added("spoke/nodes", "\"copy\"").unwrap_err();
        assert!(copied.contains("in a loop"), "{copied}");
    }
}
