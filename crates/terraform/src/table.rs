//! The table that says what azurerm's arguments are in Azure Resource Manager, read from
//! `guide/data/azurerm.yaml`; its form is described there.

mod arguments;
mod paths;

use std::collections::BTreeMap;

use bicep::source::{FileId, Span};
use bumpalo::Bump;

use crate::json::Values;
use crate::lower::Place;
use crate::value::{Data, MAX_DEPTH, Val};

pub(crate) use arguments::Arguments;
pub use paths::Property;

/// The facts about a provider's resources.
#[derive(Debug, Default)]
pub struct Table {
    pub(crate) kinds: BTreeMap<String, Kind>,
    pub(crate) arguments: BTreeMap<String, Arguments>,
}

/// One kind of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The type in Azure; nothing for what is none.
    pub(crate) arm: String,
    pub(crate) api: String,
    pub(crate) id: Id,
    /// The attribute that holds this id.
    pub(crate) attribute: String,
    /// How it is identified where the arguments of `id` are absent: older versions.
    pub(crate) or: Option<(Id, Vec<String>)>,
    /// The arguments that make up the name; `=text` is a fixed one.
    pub(crate) names: Vec<String>,
    /// The list of the other resource to which it is appended.
    pub(crate) append: Option<String>,
    pub(crate) body: Rules,
    /// Attributes known after apply, as expressions of Azure: `properties.principalId`.
    pub(crate) computed: BTreeMap<String, String>,
}

/// What an id is made of.
#[derive(Debug)]
pub(crate) enum Id {
    /// `/subscriptions/…/resourceGroups/<argument>/providers/…`
    Group(String),
    /// `/subscriptions/…/providers/…`
    Subscription,
    /// Below the id in the first of these arguments that is there.
    Child(Vec<String>),
    /// `<argument>/providers/…`
    Extension(String),
    /// The subscription itself.
    Itself,
    /// A resource group.
    ResourceGroup,
    /// It only says something of the resource whose id is in this argument.
    Patch(String),
    /// The same of the resource with that name in `resource_group_name`.
    PatchNamed(String),
    /// None that is known.
    None,
}

/// What stands in a body or block.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) set: Vec<(String, Constant)>,
    pub(crate) map: Vec<Argument>,
}

/// An argument or block and what becomes of it.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    /// Its names in other versions of the provider.
    pub(crate) aliases: Vec<String>,
    pub(crate) rules: Vec<Rule>,
}

/// What becomes of an argument.
#[derive(Debug)]
pub(crate) enum Rule {
    /// Azure knows nothing of it.
    Nothing,
    Value(To),
    Block(Block),
}

/// A property that an argument sets.
#[derive(Debug)]
pub(crate) struct To {
    pub(crate) path: String,
    pub(crate) steps: Vec<Step>,
    /// What azurerm sends when the argument is absent.
    pub(crate) default: Option<Constant>,
    /// What it sent before a major version.
    pub(crate) before: Option<(u64, Constant)>,
    /// An empty list counts as absent.
    pub(crate) nonempty: bool,
}

/// How a value is changed on its way.
#[derive(Debug)]
pub(crate) enum Step {
    Not,
    /// `true` is one word, `false` another.
    Words(String, String),
    /// Each item becomes an object with this one key.
    Each(String),
    /// Items become keys of an object.
    Keys,
    /// As a string.
    Text,
    /// The only item of a list.
    First,
    /// As a list of one item.
    List,
    /// Some strings are others.
    Values(Vec<(String, Constant)>),
    /// JSON in a string.
    Json,
    /// A point in time in seconds.
    Epoch,
    /// The name of a part of this resource, as that part's id.
    Part(String),
}

/// A block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) form: Form,
    pub(crate) rules: Rules,
    /// What is sent when there is no such block.
    pub(crate) absent: Vec<(String, Constant)>,
}

/// Where the content of a block goes.
#[derive(Debug)]
pub(crate) enum Form {
    /// An object at this path; nothing: the body that it stands in.
    Object(String),
    /// A list of objects.
    List(String),
    /// Objects by the value of this argument.
    Keyed(String, String),
    /// A child resource of its own: the last segment of its type, and its name (`=text`, or the
    /// argument that holds it).
    Child(String, String),
}

/// A fixed value.
#[derive(Debug, Clone)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Int(i64),
    Str(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Table {
    /// Reads the table.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let arena = Bump::new();
        let mut values = Values {
            arena: &arena,
            place: Place::Fixed(Span {
                file: FileId(u32::MAX),
                ..Span::default()
            }),
        };
        let root = yaml::parse(text, &yaml::Limits::default(), &mut values)
            .map_err(|error| error.to_string())?
            .ok_or("the table is empty")?;
        let shared = root.get("shared").unwrap_or(Val::null(root.span));
        let mut table = Self {
            arguments: Arguments::parse(&root)?,
            ..Self::default()
        };
        let listed = root.get("resources").and_then(|list| list.seq());
        for entry in listed.ok_or("`resources` is missing")? {
            let name = text_of(entry, "azurerm").ok_or("a resource without `azurerm`")?;
            let kind =
                Kind::parse(entry, &shared).map_err(|message| format!("`{name}`: {message}"))?;
            if table.kinds.insert(name.clone(), kind).is_some() {
                return Err(format!("`{name}` is listed twice"));
            }
        }
        Ok(table)
    }

    /// The types of azurerm in it, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }
}

fn text_of(value: &Val<'_>, key: &str) -> Option<String> {
    match value.get(key)?.data {
        Data::Str(text) => Some(text.to_owned()),
        _ => None,
    }
}

impl Kind {
    fn parse(entry: &Val<'_>, shared: &Val<'_>) -> Result<Self, String> {
        const KEYS: &[&str] = &[
            "azurerm",
            "type",
            "api",
            "id",
            "names",
            "or",
            "attribute",
            "append",
            "set",
            "map",
            "use",
            "computed",
            "note",
        ];
        for field in entry.entries().unwrap_or_default() {
            if !KEYS.contains(&field.key) {
                return Err(format!("`{}` is no key", field.key));
            }
        }
        let id = Id::parse(&text_of(entry, "id").unwrap_or_else(|| "group".to_owned()))?;
        let names = names(entry);
        let or = match entry.get("or") {
            Some(or) => {
                let rule = text_of(&or, "id").unwrap_or_else(|| "group".to_owned());
                Some((Id::parse(&rule)?, self::names(&or)))
            }
            None => None,
        };
        let computed = entry
            .get("computed")
            .and_then(|computed| computed.entries())
            .unwrap_or_default()
            .iter()
            .filter_map(|field| Some((field.key.to_owned(), string(&field.value)?)))
            .collect();
        Ok(Self {
            arm: text_of(entry, "type").unwrap_or_default(),
            api: text_of(entry, "api").unwrap_or_default(),
            id,
            attribute: text_of(entry, "attribute").unwrap_or_else(|| "id".to_owned()),
            or,
            names,
            append: text_of(entry, "append"),
            body: Rules::parse(entry, shared, 0)?,
            computed,
        })
    }
}

fn names(entry: &Val<'_>) -> Vec<String> {
    match entry.get("names").and_then(|names| names.seq()) {
        Some(names) => names.iter().filter_map(string).collect(),
        None => vec!["name".to_owned()],
    }
}

impl Id {
    fn parse(rule: &str) -> Result<Self, String> {
        let (word, argument) = rule.split_once(' ').unwrap_or((rule, ""));
        let named = |default: &str| match argument {
            "" => default.to_owned(),
            argument => argument.to_owned(),
        };
        Ok(match word {
            "group" => Self::Group(named("resource_group_name")),
            "subscription" => Self::Subscription,
            "child" => Self::Child(argument.split_whitespace().map(str::to_owned).collect()),
            "extension" => Self::Extension(named("scope")),
            "itself" => Self::Itself,
            "resource-group" => Self::ResourceGroup,
            "patch" => Self::Patch(named("")),
            "patch-named" => Self::PatchNamed(named("")),
            "none" => Self::None,
            _ => return Err(format!("`{rule}` is no form of an id")),
        })
    }
}

fn string(value: &Val<'_>) -> Option<String> {
    match value.data {
        Data::Str(text) => Some(text.to_owned()),
        _ => None,
    }
}

impl Rules {
    fn parse(entry: &Val<'_>, shared: &Val<'_>, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err("blocks are nested too deeply".to_owned());
        }
        let mut rules = Self {
            set: constants(entry, "set"),
            map: Vec::new(),
        };
        let mut names = Vec::new();
        match entry.get("use").map(|value| value.data) {
            Some(Data::Str(name)) => names.push(name),
            Some(Data::Seq(_, items)) => {
                names.extend(items.iter().filter_map(|item| match item.data {
                    Data::Str(name) => Some(name),
                    _ => None,
                }));
            }
            _ => {}
        }
        for name in names {
            let found = shared
                .get(name)
                .ok_or_else(|| format!("`{name}` is not shared"))?;
            let inner = Self::parse(&found, shared, depth + 1)?;
            rules.set.extend(inner.set);
            rules.map.extend(inner.map);
        }
        let mut aliases = Vec::new();
        let arguments = entry.get("map").and_then(|map| map.entries());
        for field in arguments.unwrap_or_default() {
            if let Data::Str(text) = field.value.data
                && let Some(target) = text.strip_prefix('@')
            {
                aliases.push((field.key, target));
                continue;
            }
            let list = std::slice::from_ref(&field.value);
            let mut made = Vec::new();
            for rule in field.value.seq().unwrap_or(list) {
                let rule = Rule::parse(rule, shared, depth)
                    .map_err(|message| format!("`{}`: {message}", field.key))?;
                made.push(rule);
            }
            rules.map.retain(|known| known.name != field.key);
            rules.map.push(Argument {
                name: field.key.to_owned(),
                aliases: Vec::new(),
                rules: made,
            });
        }
        for (alias, target) in aliases {
            match rules.map.iter_mut().find(|known| known.name == target) {
                Some(found) => found.aliases.push(alias.to_owned()),
                None => return Err(format!("`{alias}` stands for `{target}`, which is missing")),
            }
        }
        Ok(rules)
    }
}

impl Kind {
    /// Whether an argument is part of the id or name, or has a rule.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let (or, or_names) = match &self.or {
            Some((id, names)) => (Some(id), names.as_slice()),
            None => (None, [].as_slice()),
        };
        let identifies = [Some(&self.id), or]
            .into_iter()
            .flatten()
            .any(|id| id.holds(name));
        let named = self.names.iter().chain(or_names).any(|known| known == name);
        identifies || named || self.body.holds(name)
    }
}

impl Id {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::Group(argument) | Self::Extension(argument) | Self::Patch(argument) => {
                argument == name
            }
            Self::PatchNamed(argument) => argument == name || name == "resource_group_name",
            Self::Child(arguments) => arguments.iter().any(|argument| argument == name),
            Self::ResourceGroup => name == "name",
            Self::Subscription | Self::Itself | Self::None => false,
        }
    }
}

impl Rules {
    /// Whether an argument has a rule.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.map.iter().any(|argument| argument.holds(name))
    }

    /// What holds within a block.
    pub(crate) fn block(&self, name: &str) -> Option<&Self> {
        let argument = self.map.iter().find(|argument| argument.holds(name))?;
        argument.rules.iter().find_map(|rule| match rule {
            Rule::Block(block) => Some(&block.rules),
            _ => None,
        })
    }
}

impl Argument {
    /// Whether this is one of its names.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

fn constants(entry: &Val<'_>, key: &str) -> Vec<(String, Constant)> {
    entry
        .get(key)
        .and_then(|set| set.entries())
        .unwrap_or_default()
        .iter()
        .map(|field| (field.key.to_owned(), Constant::of(&field.value, 0)))
        .collect()
}

impl Constant {
    fn of(value: &Val<'_>, depth: usize) -> Self {
        match value.data {
            Data::Bool(value) => Self::Bool(value),
            Data::Int(value) => Self::Int(value),
            Data::Str(text) => Self::Str(text.to_owned()),
            Data::Seq(_, items) if depth < MAX_DEPTH => {
                Self::List(items.iter().map(|item| Self::of(item, depth + 1)).collect())
            }
            Data::Map(_, entries) if depth < MAX_DEPTH => Self::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.to_owned(), Self::of(&entry.value, depth + 1)))
                    .collect(),
            ),
            _ => Self::Null,
        }
    }

    fn word(word: &str) -> Self {
        match word {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            "[]" => Self::List(Vec::new()),
            _ => word
                .parse()
                .map_or_else(|_| Self::Str(word.to_owned()), Self::Int),
        }
    }
}

impl Rule {
    fn parse(rule: &Val<'_>, shared: &Val<'_>, depth: usize) -> Result<Self, String> {
        match rule.data {
            Data::Str("-") => Ok(Self::Nothing),
            Data::Str(text) => Ok(Self::Value(To::parse(text)?)),
            Data::Map(..) => {
                if let Some(to) = text_of(rule, "to") {
                    let mut to = To::parse(&to)?;
                    to.steps.push(Step::Values(constants(rule, "values")));
                    return Ok(Self::Value(to));
                }
                let form = if let Some(path) = text_of(rule, "object") {
                    Form::Object(path)
                } else if let Some(path) = text_of(rule, "list") {
                    Form::List(path)
                } else if let Some(path) = text_of(rule, "keyed") {
                    Form::Keyed(path, text_of(rule, "name").unwrap_or_else(|| "name".into()))
                } else if let Some(segment) = text_of(rule, "child") {
                    Form::Child(
                        segment,
                        text_of(rule, "name").unwrap_or_else(|| "name".into()),
                    )
                } else {
                    return Err("a block needs `object`, `list` or `child`".to_owned());
                };
                Ok(Self::Block(Block {
                    form,
                    rules: Rules::parse(rule, shared, depth + 1)?,
                    absent: constants(rule, "absent"),
                }))
            }
            _ => Err("a rule is a text or an object".to_owned()),
        }
    }
}

impl To {
    /// `path | step | step argument`
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('|').map(str::trim);
        let mut to = Self {
            path: parts.next().unwrap_or_default().to_owned(),
            steps: Vec::new(),
            default: None,
            before: None,
            nonempty: false,
        };
        for part in parts {
            let mut words = part.split_whitespace();
            let step = words.next().unwrap_or_default();
            let (first, second) = (words.next(), words.next());
            match (step, first, second) {
                ("not", None, None) => to.steps.push(Step::Not),
                ("enabled", None, None) => to
                    .steps
                    .push(Step::Words("Enabled".to_owned(), "Disabled".to_owned())),
                ("words", Some(yes), Some(no)) => {
                    to.steps.push(Step::Words(yes.to_owned(), no.to_owned()));
                }
                ("each", Some(key), None) => to.steps.push(Step::Each(key.to_owned())),
                ("part", Some(segment), None) => to.steps.push(Step::Part(segment.to_owned())),
                ("keys", None, None) => to.steps.push(Step::Keys),
                ("text", None, None) => to.steps.push(Step::Text),
                ("first", None, None) => to.steps.push(Step::First),
                ("list", None, None) => to.steps.push(Step::List),
                ("json", None, None) => to.steps.push(Step::Json),
                ("epoch", None, None) => to.steps.push(Step::Epoch),
                ("nonempty", None, None) => to.nonempty = true,
                ("default", Some(value), None) => to.default = Some(Constant::word(value)),
                ("before", Some(version), Some(value)) => {
                    let version = version
                        .parse()
                        .map_err(|_| format!("`{version}` is no version"))?;
                    let value = match value {
                        "nothing" => Constant::Null,
                        value => Constant::word(value),
                    };
                    to.before = Some((version, value));
                }
                _ => return Err(format!("`{part}` is no step")),
            }
        }
        Ok(to)
    }
}
