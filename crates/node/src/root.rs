//! Files beneath a root folder, which may be a stranger's.
//!
//! Every path is resolved by the kernel as if the root were `/` (`openat2` with `RESOLVE_IN_ROOT`), so that neither `..`
//! nor a symbolic link leads outside, and without links of `/proc` that lead to other processes' files. A file is looked
//! at before it is opened (`O_PATH` opens nothing): FIFOs, sockets and devices never are. Sizes and counts are bounded.
//!
//! Files that hold credentials are kept from being read by what they are, not by their names: a configuration that is a
//! link to `azure.json`, hard or symbolic, is not read either.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

/// A file longer than this is not read.
pub const LONGEST: u64 = 4 << 20;

/// Of a folder no more names are read.
pub const MOST_NAMES: usize = 4096;

/// All files together are no longer than this.
const MOST_BYTES: u64 = 64 << 20;

/// Files that hold credentials, and folders all of whose files may.
/// <https://github.com/Azure/AgentBaker>, `parts/linux/cloud-init/artifacts/cse_config.sh`.
pub const CREDENTIALS: &[&str] = &[
    "/etc/kubernetes/azure.json",
    "/etc/kubernetes/custom-cloud-config/azure.json",
    "/etc/shadow",
    "/etc/gshadow",
    "/var/lib/kubelet/kubeconfig",
    "/var/lib/kubelet/bootstrap-kubeconfig",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/admin.conf",
    "/var/lib/kubelet/config.json",
];

/// Folders of keys.
pub const KEY_FOLDERS: &[&str] = &["/etc/kubernetes/certs", "/var/lib/kubelet/pki"];

/// What a file is, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// A regular file.
    pub file: bool,
    /// A folder.
    pub folder: bool,
    /// Its permissions, with the sticky and the set-id bits.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// When its content was last changed, in seconds.
    pub changed: i64,
    /// Which file it is.
    pub(crate) id: (u64, u64),
    pub(crate) size: u64,
}

/// Something that is there and could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The file, as the node calls it.
    pub path: String,
    /// Why: `permission denied`.
    pub why: String,
}

impl Unread {
    /// What an unknown value hangs on.
    #[must_use]
    pub fn noun(&self) -> String {
        format!("{} ({})", self.path, self.why)
    }
}

/// What came of looking: nothing there, or what is.
pub type Look<T> = Result<Option<T>, Unread>;

/// Why a root cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{shown}` as the root of a node: {why}")]
pub struct RootError {
    /// The root, as it was given.
    pub shown: String,
    /// Why.
    pub why: String,
}

/// A root folder.
pub struct Root {
    shown: String,
    /// It is this machine's own.
    own: bool,
    folder: sys::Folder,
    /// What must not be read.
    credentials: RefCell<BTreeSet<(u64, u64)>>,
    left: RefCell<u64>,
    unread: RefCell<BTreeSet<Unread>>,
}

impl Root {
    /// Opens a root folder.
    ///
    /// # Errors
    /// When it is no folder that can be opened, or the system cannot keep a stranger's links inside of it.
    pub fn open(path: &Path) -> Result<Self, RootError> {
        let shown = path.display().to_string();
        let folder = sys::Folder::open(path).map_err(|why| RootError {
            shown: shown.clone(),
            why,
        })?;
        let root = Self {
            own: path == Path::new("/"),
            shown,
            folder,
            credentials: RefCell::default(),
            left: RefCell::new(MOST_BYTES),
            unread: RefCell::default(),
        };
        for path in CREDENTIALS {
            root.guard(path);
        }
        for folder in KEY_FOLDERS {
            for name in root.folder.list(folder).ok().flatten().unwrap_or_default() {
                if name.ends_with(".key") || name.ends_with(".pem") {
                    root.guard(&format!("{folder}/{name}"));
                }
            }
        }
        Ok(root)
    }

    /// From now on the file of this path is not read, by whatever name.
    pub fn guard(&self, path: &str) {
        if let Ok(Some(stat)) = self.folder.stat(path) {
            self.credentials.borrow_mut().insert(stat.id);
        }
    }

    /// The root as it was given.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it is this machine's own root.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.own
    }

    /// What is there, links followed.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn stat(&self, path: &str) -> Look<Stat> {
        self.noted(path, self.folder.stat(path))
    }

    /// Whether something is there; what cannot be found out is not.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        matches!(self.stat(path), Ok(Some(_)))
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When it cannot be listed, or holds more than [`MOST_NAMES`].
    pub fn list(&self, path: &str) -> Look<Vec<String>> {
        self.noted(path, self.folder.list(path))
    }

    /// The text of a regular file. What is no UTF-8 in it is replaced.
    ///
    /// # Errors
    /// When it is no regular file, is too long, holds credentials, or may not be read.
    pub fn read(&self, path: &str) -> Look<String> {
        let text = self.unnoted(path);
        self.noted(path, text)
    }

    /// The same of a file of the kernel, of which some cannot be read by design: nobody is told.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_quietly(&self, path: &str) -> Look<String> {
        self.unnoted(path).map_err(|why| Unread {
            path: path.to_owned(),
            why,
        })
    }

    /// The target of a link of the kernel, as text: `net:[4026531840]`.
    #[must_use]
    pub fn link(&self, path: &str) -> Option<String> {
        self.folder.link(path)
    }

    /// Whether a path lies in a real `/proc` or `/sys`, not in a copy.
    #[must_use]
    pub fn is_kernel(&self, path: &str) -> bool {
        self.folder.is_kernel(path)
    }

    /// Everything that was looked for, is there, and could not be read.
    #[must_use]
    pub fn unread(&self) -> Vec<Unread> {
        self.unread.borrow().iter().cloned().collect()
    }

    fn unnoted(&self, path: &str) -> Result<Option<String>, String> {
        let Some(stat) = self.folder.stat(path)? else {
            return Ok(None);
        };
        if !stat.file {
            return Err("no regular file".to_owned());
        }
        if self.credentials.borrow().contains(&stat.id) {
            return Err("it holds credentials, which are never read".to_owned());
        }
        let most = LONGEST.min(*self.left.borrow());
        if stat.size > most {
            return Err(format!("longer than {} MB", LONGEST >> 20));
        }
        let bytes = self.folder.read(path, &stat, most)?;
        let mut left = self.left.borrow_mut();
        *left = left.saturating_sub(bytes.len() as u64);
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn noted<T>(&self, path: &str, looked: Result<Option<T>, String>) -> Look<T> {
        looked.map_err(|why| {
            let unread = Unread {
                path: path.to_owned(),
                why,
            };
            self.unread.borrow_mut().insert(unread.clone());
            unread
        })
    }
}

#[cfg(target_os = "linux")]
mod sys {
    //! The kernel's own resolution of paths beneath a folder.

    use std::fs::File;
    use std::io::Read as _;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{
        CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, fstatfs, openat, openat2, readlinkat,
    };
    use rustix::io::Errno;

    use super::{MOST_NAMES, Stat};

    const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

    /// `PROC_SUPER_MAGIC`, `SYSFS_MAGIC` of `linux/magic.h`.
    const KERNEL: [i64; 2] = [0x9fa0, 0x6265_6572];

    pub(super) struct Folder(OwnedFd);

    fn told(error: Errno) -> String {
        match error {
            Errno::ACCESS | Errno::PERM => "permission denied".to_owned(),
            Errno::LOOP => "links that lead nowhere".to_owned(),
            error => std::io::Error::from(error)
                .to_string()
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_lowercase(),
        }
    }

    impl Folder {
        pub(super) fn open(path: &Path) -> Result<Self, String> {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder = Self(openat(CWD, path, flags, Mode::empty()).map_err(told)?);
            match folder.opened("/", OFlags::PATH) {
                Err(Errno::NOSYS) => Err(
                    "this kernel has no openat2, which keeps links inside (Linux 5.6)".to_owned(),
                ),
                Err(error) => Err(told(error)),
                Ok(_) => Ok(folder),
            }
        }

        fn opened(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
            let flags = flags | OFlags::CLOEXEC;
            // The kernel asks to be tried again when something is renamed meanwhile.
            for _ in 0..8 {
                match openat2(&self.0, path, flags, Mode::empty(), INSIDE) {
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    done => return done,
                }
            }
            Err(Errno::AGAIN)
        }

        pub(super) fn stat(&self, path: &str) -> Result<Option<Stat>, String> {
            match self.opened(path, OFlags::PATH) {
                Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
                Err(error) => Err(told(error)),
                Ok(file) => Ok(Some(look(&file).map_err(told)?)),
            }
        }

        pub(super) fn list(&self, path: &str) -> Result<Option<Vec<String>>, String> {
            let folder = match self.opened(path, OFlags::RDONLY | OFlags::DIRECTORY) {
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                Err(error) => return Err(told(error)),
                Ok(folder) => folder,
            };
            let mut names = Vec::new();
            for entry in Dir::read_from(&folder).map_err(told)? {
                let entry = entry.map_err(told)?;
                let name = entry.file_name().to_string_lossy();
                if name == "." || name == ".." {
                    continue;
                }
                if names.len() == MOST_NAMES {
                    return Err(format!("more than {MOST_NAMES} files"));
                }
                names.push(name.into_owned());
            }
            names.sort();
            Ok(Some(names))
        }

        pub(super) fn read(&self, path: &str, seen: &Stat, most: u64) -> Result<Vec<u8>, String> {
            // Were it swapped for a FIFO meanwhile, opening it would not wait.
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
            let file = self.opened(path, flags).map_err(told)?;
            if look(&file).map_err(told)?.id != seen.id {
                return Err("it was replaced while it was read".to_owned());
            }
            let mut bytes = Vec::new();
            let mut limited = File::from(file).take(most + 1);
            limited.read_to_end(&mut bytes).map_err(|error| {
                Errno::from_io_error(&error).map_or_else(|| error.to_string(), told)
            })?;
            if bytes.len() as u64 > most {
                return Err(format!("longer than {} MB", super::LONGEST >> 20));
            }
            Ok(bytes)
        }

        pub(super) fn link(&self, path: &str) -> Option<String> {
            let link = self.opened(path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
            let target = readlinkat(&link, "", Vec::new()).ok()?;
            target.into_string().ok()
        }

        pub(super) fn is_kernel(&self, path: &str) -> bool {
            self.opened(path, OFlags::PATH)
                .and_then(fstatfs)
                .is_ok_and(|system| KERNEL.contains(&system.f_type))
        }
    }

    fn look(file: &OwnedFd) -> Result<Stat, Errno> {
        let stat = fstat(file)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        Ok(Stat {
            file: kind == FileType::RegularFile,
            folder: kind == FileType::Directory,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            changed: stat.st_mtime,
            id: (stat.st_dev, stat.st_ino),
            size: u64::try_from(stat.st_size).unwrap_or_default(),
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod sys {
    //! Elsewhere nothing keeps a stranger's links inside of the folder, so nothing is read.

    use std::path::Path;

    use super::Stat;

    pub(super) enum Folder {}

    impl Folder {
        pub(super) fn open(_: &Path) -> Result<Self, String> {
            Err("nodes are read on Linux".to_owned())
        }

        pub(super) fn stat(&self, _: &str) -> Result<Option<Stat>, String> {
            match *self {}
        }

        pub(super) fn list(&self, _: &str) -> Result<Option<Vec<String>>, String> {
            match *self {}
        }

        pub(super) fn read(&self, _: &str, _: &Stat, _: u64) -> Result<Vec<u8>, String> {
            match *self {}
        }

        pub(super) fn link(&self, _: &str) -> Option<String> {
            match *self {}
        }

        pub(super) fn is_kernel(&self, _: &str) -> bool {
            match *self {}
        }
    }
}
