//! Files and published modules from the local disk: the crate's one place with I/O. Nothing is
//! fetched; what was not restored is not found.

mod types;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use bumpalo::Bump;

use crate::node::Node;
use crate::source::{FileId, Files, Found};

/// How large a file may be.
const MAX_BYTES: u64 = 64 << 20;

/// How many files a folder may have.
const MAX_FILES: usize = 10_000;

/// How far up `bicepconfig.json` is looked for.
const MAX_FOLDERS: usize = 64;

/// The local disk.
#[derive(Debug, Default)]
pub struct Disk {
    /// Folders with published modules, beside the official tool's own.
    caches: Vec<PathBuf>,
    configurations: RefCell<HashMap<PathBuf, Aliases>>,
    types: Option<types::Types>,
}

/// What a `bicepconfig.json` says of short names for registries.
#[derive(Debug, Clone, Default)]
struct Aliases {
    /// Name to registry and path.
    registries: HashMap<String, (String, String)>,
    /// Name to subscription and resource group.
    specs: HashMap<String, (String, String)>,
}

/// A published module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `br:registry/path:tag`, `br:registry/path@sha256:…`
    Registry {
        /// The host.
        registry: String,
        /// The path below it.
        path: String,
        /// A tag, or `sha256:…`.
        version: String,
    },
    /// `ts:subscription/group/name:version`
    Spec {
        /// The subscription's id.
        subscription: String,
        /// The resource group.
        group: String,
        /// The template spec.
        name: String,
        /// Its version.
        version: String,
    },
}

impl Reference {
    /// `/subscriptions/…/resourceGroups/…/providers/Microsoft.Resources/templateSpecs/…/versions/…`
    fn of_id(id: &str) -> Option<Self> {
        let segments: Vec<&str> = id.trim_start_matches('/').split('/').collect();
        match segments.as_slice() {
            [_, subscription, _, group, _, _, _, name, _, version] => Some(Self::Spec {
                subscription: (*subscription).to_owned(),
                group: (*group).to_owned(),
                name: (*name).to_owned(),
                version: (*version).to_owned(),
            }),
            _ => None,
        }
    }

    /// The reference without aliases.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Registry {
                registry,
                path,
                version,
            } => {
                let mark = if version.starts_with("sha256:") {
                    '@'
                } else {
                    ':'
                };
                format!("br:{registry}/{path}{mark}{version}")
            }
            Self::Spec {
                subscription,
                group,
                name,
                version,
            } => format!("ts:{subscription}/{group}/{name}:{version}"),
        }
    }
}

impl Disk {
    /// Looks for published modules also in these folders, which are laid out like the official
    /// tool's (`br/REGISTRY/PATH$WITH$DOLLARS/TAG$/main.json`) or as `PATH/TAG/main.json`.
    #[must_use]
    pub fn new(caches: Vec<PathBuf>) -> Self {
        Self {
            caches,
            configurations: RefCell::default(),
            types: None,
        }
    }

    /// Also knows the types of Azure's resources, from a folder laid out as the repository
    /// `bicep-types-az`. Without them a template does not say what kind of value a parameter
    /// takes whose type is that of a resource's property.
    #[must_use]
    pub fn with_types(mut self, folder: &Path) -> Self {
        self.types = Some(types::Types::new(folder));
        self
    }

    /// What a reference means to a file: aliases are looked up in the `bicepconfig.json` nearest
    /// to it.
    ///
    /// # Errors
    /// When it is none, or its alias is not known.
    pub fn reference(&self, from: &str, reference: &str) -> Result<Reference, String> {
        let (scheme, rest) = reference
            .split_at_checked(2)
            .ok_or_else(|| not_a_reference(reference))?;
        let (alias, rest) = match rest.split_at_checked(1) {
            Some((":", rest)) => (None, rest),
            Some(("/", rest)) => rest
                .split_once(':')
                .map(|(alias, rest)| (Some(alias), rest))
                .ok_or_else(|| not_a_reference(reference))?,
            _ => return Err(not_a_reference(reference)),
        };
        match scheme {
            "br" => {
                let (registry, prefix, rest) = match alias {
                    None => {
                        let (registry, rest) = rest
                            .split_once('/')
                            .ok_or_else(|| not_a_reference(reference))?;
                        (registry.to_owned(), String::new(), rest)
                    }
                    Some(alias) => {
                        let aliases = self.aliases(from);
                        let (registry, prefix) = aliases
                            .registries
                            .get(alias)
                            .cloned()
                            .ok_or_else(|| unknown_alias(alias))?;
                        (registry, prefix, rest)
                    }
                };
                let (path, version) = match rest.split_once('@') {
                    Some(split) => split,
                    None => rest
                        .rsplit_once(':')
                        .ok_or_else(|| not_a_reference(reference))?,
                };
                let path = if prefix.is_empty() {
                    path.to_owned()
                } else {
                    format!("{prefix}/{path}")
                };
                Ok(Reference::Registry {
                    registry,
                    path,
                    version: version.to_owned(),
                })
            }
            "ts" if alias.is_none() && rest.starts_with('/') => {
                Reference::of_id(rest).ok_or_else(|| not_a_reference(reference))
            }
            "ts" => {
                let (rest, version) = rest
                    .rsplit_once(':')
                    .ok_or_else(|| not_a_reference(reference))?;
                let segments: Vec<&str> = rest.split('/').collect();
                let (subscription, group, name) = match (alias, segments.as_slice()) {
                    (None, [subscription, group, name]) => {
                        ((*subscription).to_owned(), (*group).to_owned(), *name)
                    }
                    (Some(alias), [name]) => {
                        let (subscription, group) = self
                            .aliases(from)
                            .specs
                            .get(alias)
                            .cloned()
                            .ok_or_else(|| unknown_alias(alias))?;
                        (subscription, group, *name)
                    }
                    _ => return Err(not_a_reference(reference)),
                };
                Ok(Reference::Spec {
                    subscription,
                    group,
                    name: name.to_owned(),
                    version: version.to_owned(),
                })
            }
            _ => Err(not_a_reference(reference)),
        }
    }

    fn aliases(&self, from: &str) -> Aliases {
        let mut folder = Path::new(from).parent().map(Path::to_path_buf);
        for _ in 0..MAX_FOLDERS {
            let Some(here) = folder else {
                break;
            };
            let file = here.join("bicepconfig.json");
            if let Some(known) = self.configurations.borrow().get(&file) {
                return known.clone();
            }
            if let Ok(bytes) = read(&file) {
                let aliases = read_aliases(&bytes);
                self.configurations
                    .borrow_mut()
                    .insert(file, aliases.clone());
                return aliases;
            }
            folder = if here.as_os_str().is_empty() {
                env::current_dir()
                    .ok()
                    .and_then(|current| current.parent().map(Path::to_path_buf))
            } else {
                here.parent().map(Path::to_path_buf)
            };
        }
        read_aliases(b"{}")
    }

    /// Where a module may lie, the most likely place first.
    fn places(&self, reference: &Reference) -> Vec<PathBuf> {
        let home = env::var_os("BICEP_CACHE_DIRECTORY")
            .map(PathBuf::from)
            .or_else(|| {
                env::var_os("HOME")
                    .or_else(|| env::var_os("USERPROFILE"))
                    .map(|home| PathBuf::from(home).join(".bicep"))
            });
        let mut places = Vec::new();
        for (at, root) in self.caches.iter().chain(home.as_ref()).enumerate() {
            let named = at < self.caches.len();
            match reference {
                Reference::Registry {
                    registry,
                    path,
                    version,
                } => {
                    let host = registry.replace(':', "$").to_lowercase();
                    let module = path.replace('/', "$");
                    let encoded = encode_version(version);
                    places.push(root.join("br").join(&host).join(&module).join(&encoded));
                    if named {
                        places.push(root.join(&host).join(&module).join(&encoded));
                        places.push(root.join(path).join(version));
                        // Without what an alias puts before it.
                        if let Some((_, short)) = path.split_once('/') {
                            places.push(root.join(short).join(version));
                        }
                    }
                }
                Reference::Spec {
                    subscription,
                    group,
                    name,
                    version,
                } => {
                    let below: PathBuf = [subscription, group, name, version].iter().collect();
                    places.push(root.join("ts").join(below.to_string_lossy().to_lowercase()));
                    places.push(root.join("ts").join(below));
                }
            }
        }
        places
            .into_iter()
            .map(|place| place.join("main.json"))
            .collect()
    }
}

impl Files for Disk {
    fn file(&self, from: &str, path: &str) -> Result<Found, String> {
        let folder = Path::new(from).parent().unwrap_or_else(|| Path::new(""));
        let whole = normal(&folder.join(path.replace('\\', "/")));
        let bytes = read(&whole)?;
        Ok(Found {
            name: whole.to_string_lossy().replace('\\', "/"),
            bytes,
            published: false,
        })
    }

    fn module(&self, from: &str, reference: &str) -> Result<Found, String> {
        let reference = self.reference(from, reference)?;
        for place in self.places(&reference) {
            if let Ok(bytes) = read(&place) {
                let bytes = match reference {
                    Reference::Spec { .. } => main_template(&bytes).unwrap_or(bytes),
                    Reference::Registry { .. } => bytes,
                };
                return Ok(Found {
                    name: reference.name(),
                    bytes,
                    published: true,
                });
            }
        }
        Err("it is in no cache of published modules".to_owned())
    }

    fn list(&self, from: &str, folder: &str) -> Result<Vec<String>, String> {
        let base = Path::new(from).parent().unwrap_or_else(|| Path::new(""));
        let whole = normal(&base.join(folder));
        let entries = fs::read_dir(&whole).map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for entry in entries.flatten().take(MAX_FILES) {
            if entry.path().is_file() {
                let name = Path::new(folder).join(entry.file_name());
                names.push(normal(&name).to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn property_type(&self, resource: &str, pointer: &[&str]) -> Option<String> {
        let kind = self.types.as_ref()?.kind(resource, pointer)?;
        Some(kind.to_owned())
    }

    fn resource_type(&self, resource: &str) -> Option<String> {
        self.types.as_ref()?.name(resource)
    }
}

fn not_a_reference(reference: &str) -> String {
    format!("`{reference}` is no reference to a published module")
}

fn unknown_alias(alias: &str) -> String {
    format!("no `bicepconfig.json` says what `{alias}` is")
}

/// A regular file that is not too large.
/// Why a file cannot be read, without the numbers of the operating system.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| reason(&error))?;
    if !about.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if about.len() > MAX_BYTES {
        return Err("it is too large".to_owned());
    }
    fs::read(path).map_err(|error| reason(&error))
}

/// Without `.`, and without `..` where something stands before it.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The folder of a version: upper case is told apart by a number, for file systems that do not.
fn encode_version(version: &str) -> String {
    if version.contains(':') {
        return version.replace(':', "#");
    }
    let mut mask = [0_u64; 2];
    for (at, letter) in version.chars().enumerate() {
        if letter.is_uppercase()
            && let Some(word) = mask.get_mut(at / 64)
        {
            *word |= 1 << (at % 64);
        }
    }
    let [low, high] = mask;
    match (high, low) {
        (0, 0) => format!("{version}$"),
        (0, low) => format!("{version}${low:x}"),
        (high, low) => format!("{version}${high:x}{low:016x}"),
    }
}

/// The template within a template spec as the API gives it.
fn main_template(bytes: &[u8]) -> Option<Vec<u8>> {
    let bump = Bump::new();
    let text: &str = bump.alloc_str(std::str::from_utf8(bytes).ok()?);
    let root = crate::json::parse(&bump, text, FileId::default()).root;
    let span = root.get("properties")?.get("mainTemplate")?.span;
    let part = text.get(span.start as usize..span.end as usize)?;
    Some(part.as_bytes().to_vec())
}

fn read_aliases(bytes: &[u8]) -> Aliases {
    let bump = Bump::new();
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let text: &str = bump.alloc_str(text);
    let root = crate::json::parse(&bump, text, FileId::default()).root;
    let mut aliases = Aliases::default();
    // The official tool knows this one without being told.
    aliases.registries.insert(
        "public".to_owned(),
        ("mcr.microsoft.com".to_owned(), "bicep".to_owned()),
    );
    let Some(all) = root.get("moduleAliases") else {
        return aliases;
    };
    let string = |node: &Node<'_>, key: &str| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    for entry in all.get("br").into_iter().flat_map(Node::entries) {
        let to = (
            string(&entry.value, "registry"),
            string(&entry.value, "modulePath"),
        );
        aliases.registries.insert(entry.key.to_owned(), to);
    }
    for entry in all.get("ts").into_iter().flat_map(Node::entries) {
        let to = (
            string(&entry.value, "subscription"),
            string(&entry.value, "resourceGroup"),
        );
        aliases.specs.insert(entry.key.to_owned(), to);
    }
    aliases
}
