//! Where the files of configurations come from. The crate itself reads nothing.

use std::rc::Rc;

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Body;

/// A file system, or what stands for one. Paths are as given or joined with `/`, without `.`
/// and without `..` that could be resolved.
pub trait Files {
    /// The names of the files in a folder.
    ///
    /// # Errors
    /// Why it cannot be listed, in words for the user.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;

    /// A file's bytes.
    ///
    /// # Errors
    /// Why it cannot be read, in words for the user.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// What the text of a file says, which those may remember who read the same again.
    ///
    /// # Errors
    /// Where the text is not in the language.
    fn body(&self, path: &str, text: &str) -> Result<Rc<Body>, Error> {
        let _ = path;
        parse_body(text).map(Rc::new)
    }
}

/// A path relative to a folder, without `.` and resolvable `..`.
#[must_use]
pub(crate) fn join(folder: &str, path: &str) -> String {
    let (absolute, whole) = if path.starts_with('/') {
        (true, path.to_owned())
    } else {
        (folder.starts_with('/'), format!("{folder}/{path}"))
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// The path that leads from one folder to another; both as [`join`] makes them.
#[must_use]
pub(crate) fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(left, right)| left == right)
        .count();
    let mut path = vec!["..".to_owned(); from.len() - common];
    path.extend(to.into_iter().skip(common));
    if path.is_empty() {
        ".".to_owned()
    } else {
        path.join("/")
    }
}
