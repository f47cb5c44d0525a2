//! What a template may read. It is input, perhaps a stranger's: a module path or a load function
//! must not lead to the files of the machine that assesses it.
//!
//! Within bounds: the repository that holds the template, the folders that were given, the
//! template's own folder. Links are followed first, then the place is looked at.

use std::path::{Path, PathBuf};

use bicep::disk::Disk;
use bicep::source::{Files, Found};

use crate::stream::Overlay;

/// Folders that a template may read from.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    within: Vec<PathBuf>,
}

impl Fence {
    /// Around a template (or a configuration's folder), within what was given to assess.
    pub(crate) fn around(path: &Path, given: &[PathBuf]) -> Self {
        let folder_of = |path: &Path| {
            if path.is_dir() {
                path.to_path_buf()
            } else {
                match path.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
                    _ => PathBuf::from("."),
                }
            }
        };
        let mut within: Vec<PathBuf> = Vec::new();
        if let Ok(own) = folder_of(path).canonicalize() {
            let repository = own.ancestors().find(|above| above.join(".git").exists());
            within.extend(repository.map(Path::to_path_buf));
            for folder in given
                .iter()
                .filter_map(|given| folder_of(given).canonicalize().ok())
            {
                if own.starts_with(&folder) {
                    within.push(folder);
                }
            }
            within.push(own);
        }
        Self { within }
    }

    /// Whether a file that exists may be read.
    ///
    /// # Errors
    /// That it lies outside.
    pub(crate) fn admits(&self, path: &Path, shown: &str) -> Result<(), String> {
        let Ok(real) = path.canonicalize() else {
            return Ok(()); // it is not there; whoever reads it says so
        };
        if self.within.iter().any(|folder| real.starts_with(folder)) {
            Ok(())
        } else {
            Err(format!(
                "`{shown}` is not read: it lies outside of the repository and of what was given"
            ))
        }
    }
}

/// The disk, as far as a template may read it.
pub(crate) struct Fenced {
    disk: Disk,
    fence: Fence,
    /// Texts that files are read as.
    overlay: Overlay,
}

impl Fenced {
    pub(crate) fn new(caches: &[PathBuf], fence: Fence) -> Self {
        Self {
            disk: Disk::new(caches.to_vec()),
            fence,
            overlay: Overlay::default(),
        }
    }

    /// With texts that files are read as.
    pub(crate) fn with(mut self, overlay: &Overlay) -> Self {
        self.overlay = overlay.clone();
        self
    }

    fn check(&self, from: &str, path: &str) -> Result<(), String> {
        let written = path.replace('\\', "/");
        if written.starts_with('/') || written.get(1..2) == Some(":") {
            return Err(format!("`{path}` is not read: a path must be relative"));
        }
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let whole = folder.join(written);
        let whole = if whole.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            whole
        };
        self.fence.admits(&whole, path)
    }
}

impl Files for Fenced {
    fn file(&self, from: &str, path: &str) -> Result<Found, String> {
        self.check(from, path)?;
        let mut found = self.disk.file(from, path)?;
        if let Some(text) = self.overlay.get(found.name.as_str()) {
            found.bytes = text.clone().into_bytes();
        }
        Ok(found)
    }

    fn module(&self, from: &str, reference: &str) -> Result<Found, String> {
        let up = reference
            .split(['/', ':', '@'])
            .any(|part| part == ".." || part.contains('\\'));
        if up {
            return Err(format!(
                "`{reference}` is no reference to a published module"
            ));
        }
        self.disk.module(from, reference)
    }

    fn list(&self, from: &str, folder: &str) -> Result<Vec<String>, String> {
        self.check(from, folder)?;
        self.disk.list(from, folder)
    }

    fn property_type(&self, resource: &str, pointer: &[&str]) -> Option<String> {
        self.disk.property_type(resource, pointer)
    }

    fn resource_type(&self, resource: &str) -> Option<String> {
        self.disk.resource_type(resource)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Fence, Fenced};
    use bicep::source::Files as _;

    #[test]
    fn templates_read_nothing_outside() {
        let folder = std::env::temp_dir().join(format!("seawall-fence-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("repo/infra")).unwrap();
        fs::create_dir_all(folder.join("repo/.git")).unwrap();
        fs::create_dir_all(folder.join("secret")).unwrap();
        for file in [
            "repo/shared.bicep",
            "repo/infra/main.bicep",
            "secret/key.txt",
        ] {
            fs::write(folder.join(file), "text").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(
            folder.join("secret/key.txt"),
            folder.join("repo/infra/link.txt"),
        )
        .unwrap();
        let main = folder.join("repo/infra/main.bicep");
        let files = Fenced::new(&[], Fence::around(&main, &[]));
        let from = main.to_string_lossy();
        assert!(files.file(&from, "../shared.bicep").is_ok());
        for path in [
            "/etc/hostname",
            "../../secret/key.txt",
            "..\\..\\secret\\key.txt",
            "link.txt",
        ] {
            let message = files.file(&from, path).unwrap_err();
            assert!(message.contains("is not read"), "{path}: {message}");
        }
        assert!(files.file(&from, "gone.bicep").is_err());
        assert!(files.module(&from, "br:../../x/y:1").is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
