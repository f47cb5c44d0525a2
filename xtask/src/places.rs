//! Where things are: the repository, and the cache that holds what tests need.

use std::env;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result};

/// The two folders that chores work in.
#[derive(Debug)]
pub(crate) struct Places {
    /// The repository.
    pub(crate) root: PathBuf,
    /// `$SEAWALL_CACHE`, or `~/.cache/seawall`.
    pub(crate) cache: PathBuf,
}

impl Places {
    /// Makes the cache when it is not there.
    pub(crate) fn find() -> Result<Self> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .parent()
            .context("xtask is not in a repository")?
            .to_owned();
        let cache = match env::var_os("SEAWALL_CACHE") {
            Some(cache) => root.join(cache),
            None => home()?.join(".cache/seawall"),
        };
        for folder in ["bin", "stamps"] {
            let folder = cache.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
        }
        Ok(Self { root, cache })
    }

    /// A program that the set-up built.
    pub(crate) fn bin(&self, name: &str) -> PathBuf {
        self.cache.join("bin").join(name)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), |target| self.root.join(target))
    }

    /// `PATH` with the set-up's programs first.
    pub(crate) fn path(&self) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        let bin = self.cache.join("bin");
        let rest = env::split_paths(&path).filter(|folder| *folder != bin);
        Ok(env::join_paths([bin.clone()].into_iter().chain(rest))?)
    }

    /// True when `made` is there and was made from this very `input`.
    pub(crate) fn is_fresh(&self, made: &Path, input: &Stamp) -> bool {
        made.exists()
            && fs::read_to_string(self.stamp_file(made)).is_ok_and(|text| text == input.text())
    }

    /// Remembers what `made` was made from.
    pub(crate) fn stamp(&self, made: &Path, input: &Stamp) -> Result<()> {
        let file = self.stamp_file(made);
        fs::write(&file, input.text()).with_context(|| format!("`{}`", file.display()))
    }

    fn stamp_file(&self, made: &Path) -> PathBuf {
        let name = made.file_name().unwrap_or_default();
        self.cache.join("stamps").join(name)
    }
}

/// The user's own folder.
pub(crate) fn home() -> Result<PathBuf> {
    env::var_os("HOME")
        .map(PathBuf::from)
        .context("`HOME` is not set\nhelp: set SEAWALL_CACHE to a folder for what tests need")
}

/// A hash of all that something is made from.
#[derive(Debug, Default)]
pub(crate) struct Stamp(DefaultHasher);

impl Stamp {
    /// Adds a text, for instance a version or a flag.
    pub(crate) fn text_of(mut self, text: &str) -> Self {
        text.hash(&mut self.0);
        self
    }

    /// Adds a file's name and content, if it is there.
    pub(crate) fn file(mut self, path: &Path) -> Result<Self> {
        path.file_name().hash(&mut self.0);
        match fs::read(path) {
            Ok(bytes) => bytes.hash(&mut self.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("`{}`", path.display())),
        }
        Ok(self)
    }

    /// Adds the files that are directly in a folder.
    pub(crate) fn folder(self, path: &Path) -> Result<Self> {
        let mut files = entries(path)?;
        files.retain(|file| file.is_file());
        files.iter().try_fold(self, |stamp, file| stamp.file(file))
    }

    fn text(&self) -> String {
        format!("{:016x}\n", self.0.finish())
    }
}

/// What a folder holds, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    let mut all = read().with_context(|| format!("`{}`", folder.display()))?;
    all.sort();
    Ok(all)
}
