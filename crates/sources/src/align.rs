//! Leads rendered text back to its template: which file a document came from, and which line
//! of it each rendered line most likely is.
//!
//! Helm says the file (`# Source:`); of a kustomization the files it builds on are searched for
//! the object. Within the document both texts are read as outlines and matched key by key, since
//! kustomize sorts keys; a line that has no match leads to what holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::kustomization::{self, clean};
use crate::stream::Overlay;

/// The files a chart or kustomization is made of.
pub(crate) struct Sources {
    folder: PathBuf,
    texts: BTreeMap<PathBuf, Option<String>>,
    manifests: Option<Vec<Declared>>,
}

/// An object that a file declares.
struct Declared {
    kind: String,
    name: String,
    path: PathBuf,
}

impl Sources {
    /// Those in a folder; an overlay's texts stand for what is in the files.
    pub(crate) fn new(folder: &Path, overlay: &Overlay) -> Self {
        let texts = overlay.iter();
        Self {
            folder: folder.to_path_buf(),
            texts: texts
                .map(|(path, text)| (clean(Path::new(&**path)), Some(text.clone())))
                .collect(),
            manifests: None,
        }
    }

    /// The file a rendered document came from, and the line of it for each rendered line.
    pub(crate) fn find(&mut self, rendered: &str) -> Option<(PathBuf, Box<[u32]>)> {
        let path = match rendered
            .lines()
            .find_map(|line| line.strip_prefix("# Source: "))
        {
            // `chart/templates/x.yaml`: the first part is the chart's name, not its folder.
            Some(source) => self.folder.join(source.trim().split_once('/')?.1),
            None => self.declared(rendered)?,
        };
        let text = self.text(&path)?;
        let lines = lines(rendered, text);
        Some((path, lines))
    }

    fn text(&mut self, path: &Path) -> Option<&str> {
        self.texts
            .entry(clean(path))
            .or_insert_with(|| std::fs::read_to_string(path).ok())
            .as_deref()
    }

    /// The manifest that declares the rendered object: of its kind and name, else of its kind
    /// and a name that a prefix or suffix was added to.
    fn declared(&mut self, rendered: &str) -> Option<PathBuf> {
        if self.manifests.is_none() {
            let mut found = Vec::new();
            for path in kustomization::manifests(&self.folder) {
                let Some(text) = self.text(&path) else {
                    continue;
                };
                for (_, part) in parts(text) {
                    if let (Some(kind), Some(name)) = (field(part, "kind:"), name(part)) {
                        found.push(Declared {
                            kind: kind.to_owned(),
                            name: name.to_owned(),
                            path: path.clone(),
                        });
                    }
                }
            }
            self.manifests = Some(found);
        }
        let (kind, name) = (field(rendered, "kind:")?, name(rendered)?);
        let manifests = self.manifests.as_deref().unwrap_or_default();
        let of_kind = || manifests.iter().filter(|declared| declared.kind == kind);
        of_kind()
            .find(|declared| declared.name == name)
            .or_else(|| {
                of_kind()
                    .filter(|declared| name.contains(&declared.name))
                    .max_by_key(|declared| declared.name.len())
            })
            .map(|declared| declared.path.clone())
    }
}

/// Kind and name of a rendered object.
pub(crate) fn named(text: &str) -> Option<(String, String)> {
    Some((field(text, "kind:")?.to_owned(), name(text)?.to_owned()))
}

/// An unindented field's value.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .map(plain)
}

/// The name under an unindented `metadata`.
fn name(text: &str) -> Option<&str> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with("metadata:"))
        .skip(1);
    let first = lines
        .clone()
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let indent = indent(first);
    lines
        .by_ref()
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']))
        .filter(|line| line.len() - line.trim_start().len() == indent)
        .find_map(|line| line.trim_start().strip_prefix("name:"))
        .map(plain)
}

/// A scalar without quotes and comment.
fn plain(value: &str) -> &str {
    let value = value.split(" #").next().unwrap_or(value);
    value.trim().trim_matches(['"', '\''])
}

/// The documents of a text, each with its first line, from 0.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first, mut at) = (0, 0, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with("---") {
            parts.push((first, text.get(start..at).unwrap_or_default()));
            (start, first) = (at + line.len(), index + 1);
        }
        at += line.len();
    }
    parts.push((first, text.get(start..).unwrap_or_default()));
    parts
}

/// For each rendered line the line of the template, from 1.
fn lines(rendered: &str, template: &str) -> Box<[u32]> {
    let wanted = (field(rendered, "kind:"), name(rendered));
    let own: BTreeSet<&str> = rendered
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let (first, part) = parts(template)
        .into_iter()
        .enumerate()
        .max_by_key(|(index, (_, part))| {
            let shared = part
                .lines()
                .map(str::trim)
                .filter(|line| own.contains(line))
                .count();
            (
                field(part, "kind:") == wanted.0,
                name(part) == wanted.1,
                shared,
                std::cmp::Reverse(*index),
            )
        })
        .map_or((0, template), |(_, part)| part);
    let (rendered_outline, template_outline) = (Outline::read(rendered), Outline::read(part));
    let start = part
        .lines()
        .position(|line| Line::of(line).is_some())
        .unwrap_or_default();
    let mut map = vec![None; rendered.lines().count().max(1)];
    pair(&rendered_outline, 0, &template_outline, 0, &mut map);
    let mut at = start;
    map.into_iter()
        .map(|line| {
            at = line.unwrap_or(at);
            (first + at) as u32 + 1
        })
        .collect()
}

/// A text by its indentation: the first node stands for the whole.
struct Outline<'t> {
    nodes: Vec<Node<'t>>,
}

struct Node<'t> {
    line: usize,
    /// `None` for an item of a list.
    key: Option<&'t str>,
    /// What stands behind the key or dash.
    value: &'t str,
    children: Vec<usize>,
}

/// What one line says.
struct Line<'t> {
    /// The columns of its dashes.
    dashes: Vec<(usize, &'t str)>,
    column: usize,
    key: &'t str,
    value: &'t str,
}

impl<'t> Line<'t> {
    /// `None` where nothing but a comment or an action stands.
    fn of(line: &'t str) -> Option<Self> {
        let mut column = indent(line);
        let mut rest = line.trim();
        if rest.is_empty() || rest.starts_with('#') || rest.starts_with("{{") {
            return None;
        }
        let mut dashes = Vec::new();
        while let Some(item) = rest
            .strip_prefix("- ")
            .or_else(|| rest.strip_prefix('-').filter(|item| item.is_empty()))
        {
            dashes.push((column, item.trim()));
            column += rest.len() - item.trim_start().len();
            rest = item.trim_start();
        }
        let (key, value) = match rest.split_once(':') {
            Some((key, value)) if value.is_empty() || value.starts_with(' ') => (key, value.trim()),
            _ => (rest, ""),
        };
        Some(Self {
            dashes,
            column,
            key,
            value,
        })
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

impl<'t> Outline<'t> {
    fn read(text: &'t str) -> Self {
        let mut outline = Self {
            nodes: vec![Node {
                line: 0,
                key: None,
                value: "",
                children: Vec::new(),
            }],
        };
        // What is open: the column, whether it is an item, the node.
        let mut open: Vec<(usize, bool, usize)> = Vec::new();
        for (number, text) in text.lines().enumerate() {
            let Some(line) = Line::of(text) else { continue };
            for (column, value) in line.dashes {
                // A list may stand as far left as the key that holds it.
                while open
                    .last()
                    .is_some_and(|(at, item, _)| *at > column || *at == column && *item)
                {
                    open.pop();
                }
                let node = outline.add(
                    &open,
                    Node {
                        line: number,
                        key: None,
                        value,
                        children: Vec::new(),
                    },
                );
                open.push((column, true, node));
            }
            if line.key.is_empty() && line.value.is_empty() {
                continue;
            }
            while open.last().is_some_and(|(at, _, _)| *at >= line.column) {
                open.pop();
            }
            let node = Node {
                line: number,
                key: Some(line.key),
                value: line.value,
                children: Vec::new(),
            };
            let node = outline.add(&open, node);
            open.push((line.column, false, node));
        }
        outline
    }

    fn add(&mut self, open: &[(usize, bool, usize)], node: Node<'t>) -> usize {
        let index = self.nodes.len();
        let parent = open.last().map_or(0, |(_, _, node)| *node);
        self.nodes.push(node);
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(index);
        }
        index
    }

    fn children(&self, node: usize) -> impl Iterator<Item = (usize, &Node<'t>)> + '_ {
        let children = self.nodes.get(node).map_or(&[][..], |node| &node.children);
        children
            .iter()
            .filter_map(|index| Some((*index, self.nodes.get(*index)?)))
    }

    fn items(&self, node: usize) -> Vec<(usize, &Node<'t>)> {
        self.children(node)
            .filter(|(_, child)| child.key.is_none())
            .collect()
    }

    /// The name of a list's item.
    fn item_name(&self, node: usize) -> Option<&'t str> {
        self.children(node)
            .find(|(_, child)| child.key == Some("name"))
            .map(|(_, child)| plain(child.value))
    }
}

/// Leads the lines below `node` to those below `other`. Outlines are as deep as the text is
/// indented, which `yaml` has bounded for the rendered one.
fn pair(
    rendered: &Outline<'_>,
    node: usize,
    template: &Outline<'_>,
    other: usize,
    map: &mut [Option<usize>],
) {
    let mut stack = vec![(node, Some(other), None)];
    while let Some((node, other, held)) = stack.pop() {
        let Some(own) = rendered.nodes.get(node) else {
            continue;
        };
        let matched = other.and_then(|other| template.nodes.get(other));
        let line = matched.map(|matched| matched.line).or(held);
        if node != 0 {
            // An item begins on the line of its first key: the key's line is the better one
            // only where its value stands there too.
            let slot = map.get_mut(own.line);
            if let Some(slot) = slot.filter(|slot| {
                slot.is_none() || own.key.is_some() && !own.value.is_empty() && matched.is_some()
            }) {
                *slot = line;
            }
        }
        let count = rendered.items(node).len();
        let others = other.map(|other| template.items(other)).unwrap_or_default();
        let mut keys: BTreeMap<&str, Vec<(usize, &Node<'_>)>> = BTreeMap::new();
        for (index, candidate) in other.into_iter().flat_map(|other| template.children(other)) {
            if let Some(key) = candidate.key {
                keys.entry(key).or_default().push((index, candidate));
            }
        }
        let mut position = 0;
        for (child, item) in rendered.children(node) {
            let found = if let Some(key) = item.key {
                // Branches of a template may hold a key twice.
                let same = keys.get(key).map_or(&[][..], Vec::as_slice);
                same.iter()
                    .find(|(_, other)| other.value == item.value)
                    .or(same.first())
                    .map(|(index, _)| *index)
            } else {
                position += 1;
                item_like(
                    rendered,
                    (child, item),
                    position - 1,
                    count,
                    template,
                    &others,
                )
            };
            stack.push((child, found, line));
        }
    }
}

/// The item of the template that a rendered item came from.
fn item_like(
    rendered: &Outline<'_>,
    (child, item): (usize, &Node<'_>),
    position: usize,
    count: usize,
    template: &Outline<'_>,
    others: &[(usize, &Node<'_>)],
) -> Option<usize> {
    let name = rendered.item_name(child);
    let named = others
        .iter()
        .find(|(other, _)| name.is_some() && template.item_name(*other) == name);
    let alike = || {
        others
            .iter()
            .find(|(_, other)| !item.value.is_empty() && other.value == item.value)
    };
    // A loop has one item for many.
    let placed = || {
        let at = if others.len() == 1 {
            others.first()
        } else {
            others.get(position).filter(|_| others.len() == count)
        };
        at.filter(|(other, _)| {
            template
                .item_name(*other)
                .is_none_or(|own| name.is_none() || own.contains("{{"))
        })
    };
    named
        .or_else(alike)
        .or_else(placed)
        .map(|(index, _)| *index)
}

#[cfg(test)]
mod tests {
    use super::{lines, name, parts};

    #[test]
    fn follows_the_keys() {
        let template =
            "apiVersion: v1\n{{- if .x }}\nkind: Pod\n{{- end }}\nspec:\n  image: {{ .image }}\n";
        let rendered =
            "# Source: c/templates/x.yaml\napiVersion: v1\nkind: Pod\nspec:\n  image: a\n";
        assert_eq!(&*lines(rendered, template), &[1, 1, 3, 5, 6]);
    }

    #[test]
    fn follows_keys_that_were_sorted() {
        let source = "kind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: app\n      image: a\n      args:\n        - x\n    - name: log\n      image: b\n  hostPID: true\n";
        let rendered = "kind: Pod\nmetadata:\n  name: dev-web\nspec:\n  containers:\n  - args:\n    - x\n    image: a\n    name: app\n  - image: b\n    name: log\n  - image: c\n    name: added\n  hostPID: true\n";
        assert_eq!(
            &*lines(rendered, source),
            &[1, 2, 3, 4, 5, 6, 9, 7, 6, 11, 10, 5, 5, 12]
        );
    }

    #[test]
    fn finds_the_document_of_the_kind_and_name() {
        let source = "kind: Service\nmetadata:\n  name: web\n---\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n---\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 2\n";
        assert_eq!(
            &*lines(
                "kind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 2\n",
                source
            ),
            &[11, 12, 13, 14, 15]
        );
        assert_eq!(
            &*lines(
                "kind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n",
                source
            ),
            &[5, 6, 7, 8, 9]
        );
        assert_eq!(parts(source).len(), 3);
        assert_eq!(
            name("kind: X\nmetadata:\n    labels:\n      name: no\n    name: yes # it is\n"),
            Some("yes")
        );
    }

    #[test]
    fn what_a_template_puts_in_leads_to_the_key_that_holds_it() {
        let template = "kind: Pod\nspec:\n  containers:\n  {{- range .list }}\n  - name: {{ .name }}\n    securityContext:\n      {{- toYaml .context | nindent 6 }}\n  {{- end }}\n";
        let rendered = "kind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext:\n      privileged: true\n  - name: b\n    securityContext:\n      privileged: false\n";
        assert_eq!(&*lines(rendered, template), &[1, 2, 3, 5, 6, 6, 5, 6, 6]);
    }
}
