//! `seawall.yaml` while it is served: read again when it says something else, so that a waiver or a severity needs no
//! restart. A ConfigMap that is mounted changes by a symlink that leads elsewhere; the file is read through it each
//! time.
//!
//! What cannot be used is told once and counted, and what was in force goes on. What it deliberately leaves out: what
//! the webhook configuration says of namespaces and of failure modes; `serve --install` writes that.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::time::Duration;

use guide::{Guide, setting};
use report::config::{Config, ConfigError, WAIVERS};
use serde_json::json;

use crate::metrics::Metrics;
use crate::watch::{Level, Log};

/// What is in force now; shared by all who go by it.
#[derive(Debug, Default)]
pub struct Configuration {
    current: RwLock<Arc<Config>>,
    number: AtomicU64,
}

impl Configuration {
    /// Begins with one.
    #[must_use]
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(Arc::new(config)),
            number: AtomicU64::new(0),
        })
    }

    /// What is in force.
    #[must_use]
    pub fn now(&self) -> Arc<Config> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Grows with each that comes into force.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Brings another into force.
    pub fn exchange(&self, next: Config) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.number.fetch_add(1, Ordering::AcqRel);
    }
}

/// What came of a look at the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It says what it said.
    Same,
    /// What it says now is in force; whether the webhook configuration has to be written again.
    Taken {
        /// `fail-closed` or `exclude` differ.
        install_again: bool,
    },
    /// It cannot be used, and why.
    Kept(String),
}

/// The file that a configuration comes from.
#[derive(Debug)]
pub struct Followed {
    path: PathBuf,
    /// As messages and waivers call it.
    name: String,
    guide: Arc<Guide>,
    configuration: Arc<Configuration>,
    last: Result<Texts, String>,
}

/// What the file says, and the one with waivers beside it, where there is one.
type Texts = (String, Option<String>);

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// No configuration is longer: a ConfigMap holds 1 MiB
/// (<https://kubernetes.io/docs/concepts/configuration/configmap/#motivation>).
const LONGEST: u64 = 4 << 20;

const LOADS: &str = "seawall_configuration_loads_total";

impl Followed {
    /// Follows a file of which `text` is in force.
    #[must_use]
    pub fn new(
        path: &Path,
        (name, text): (&str, &str),
        guide: &Arc<Guide>,
        configuration: &Arc<Configuration>,
    ) -> Self {
        let mut followed = Self {
            path: path.to_path_buf(),
            name: name.to_owned(),
            guide: Arc::clone(guide),
            configuration: Arc::clone(configuration),
            last: Err(String::new()),
        };
        followed.last = followed.waivers().map(|beside| (text.to_owned(), beside));
        followed
    }

    /// Takes what the file says now, where it can be used.
    pub fn look(&mut self) -> Looked {
        let read = self.read();
        if read == self.last {
            return Looked::Same;
        }
        self.last.clone_from(&read);
        let next = read.and_then(|texts| self.parse(&texts));
        match next {
            Ok(next) => {
                let before = self.configuration.now();
                let install_again = before.serve.fail_closed != next.serve.fail_closed
                    || before.serve.exclude != next.serve.exclude;
                self.configuration.exchange(next);
                Looked::Taken { install_again }
            }
            Err(why) => Looked::Kept(why),
        }
    }

    fn read(&self) -> Result<Texts, String> {
        Ok((read(&self.path)?, self.waivers()?))
    }

    fn waivers(&self) -> Result<Option<String>, String> {
        let beside = self.path.with_file_name(WAIVERS);
        let there = beside.is_file();
        there.then(|| read(&beside)).transpose()
    }

    fn parse(&self, (text, waivers): &Texts) -> Result<Config, String> {
        let wrong = |error: ConfigError| error.to_string();
        let mut config = Config::parse(&self.name, text, &self.guide).map_err(wrong)?;
        if let Some(waivers) = waivers {
            let name = Path::new(&self.name).with_file_name(WAIVERS);
            let name = name.display().to_string();
            config.accept(&name, waivers, &self.guide).map_err(wrong)?;
        }
        setting::setting(&self.guide, config.params.as_deref(), config.kubernetes)?;
        Ok(config)
    }

    /// Looks again and again, until `stop`.
    pub(crate) fn keep(&mut self, metrics: &Metrics, log: &Log, stop: &mpsc::Receiver<()>) {
        metrics.counter(
            LOADS,
            "Configurations taken into use, and those that could not be.",
        );
        while let Err(mpsc::RecvTimeoutError::Timeout) = stop.recv_timeout(LOOK) {
            match self.look() {
                Looked::Same => {}
                Looked::Taken { install_again } => {
                    metrics.count(LOADS, &[("result", "taken")]);
                    let mut more = json!({ "file": self.name });
                    if install_again && let Some(more) = more.as_object_mut() {
                        let help = "`fail-closed` or `exclude` changed: API servers are told within moments; with \
                             `--cert-dir` run `seawall serve --install`";
                        more.insert("help".to_owned(), help.into());
                    }
                    log(Level::Info, "configuration exchanged", more);
                }
                Looked::Kept(why) => {
                    metrics.count(LOADS, &[("result", "failed")]);
                    log(
                        Level::Error,
                        "configuration not exchanged",
                        json!({ "why": why }),
                    );
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LONGEST {
        return Err(format!("`{}` is too long", path.display()));
    }
    std::fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// As a kubelet changes a mounted ConfigMap: `..data` leads to another folder, in one step
    /// (`k8s.io/kubernetes/pkg/volume/util/atomic_writer.go`).
    fn swap(folder: &Path, name: &str, text: &str) {
        let data = folder.join(name);
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("seawall.yaml"), text).unwrap();
        let next = folder.join("..data_tmp");
        symlink(name, &next).unwrap();
        fs::rename(next, folder.join("..data")).unwrap();
    }

    #[test]
    fn a_mounted_file_is_followed_and_a_bad_one_is_not() {
        let folder =
            std::env::temp_dir().join(format!("seawall-configuration-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let first = "serve: { deny: [critical] }\n";
        swap(&folder, "..1", first);
        symlink("..data/seawall.yaml", folder.join("seawall.yaml")).unwrap();
        let (guide, _) = Guide::builtin();
        let guide = Arc::new(guide);
        let path = folder.join("seawall.yaml");
        let config = Config::parse("seawall.yaml", first, &guide).unwrap();
        let configuration = Configuration::new(config);
        let mut followed = Followed::new(&path, ("seawall.yaml", first), &guide, &configuration);
        assert_eq!(followed.look(), Looked::Same);
        swap(&folder, "..2", "serve: { deny: [high] }\n");
        assert_eq!(
            followed.look(),
            Looked::Taken {
                install_again: false
            }
        );
        assert_eq!(followed.look(), Looked::Same);
        assert_eq!(configuration.number(), 1);
        let denied = |severity| configuration.now().serve.deny.contains(&severity);
        assert!(denied(model::Severity::High) && !denied(model::Severity::Critical));
        // None of these counts, and each is told once.
        for (name, text) in [
            ("..3", "serve: { deny: [some] }\n"),
            ("..4", "serve: [\n"),
            ("..5", "containerMemoryMaximum: [1]\nunheard: of\n"),
        ] {
            swap(&folder, name, text);
            let looked = followed.look();
            assert!(
                matches!(&looked, Looked::Kept(why) if why.contains("seawall.yaml:")),
                "{looked:?}"
            );
            assert_eq!(followed.look(), Looked::Same, "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(followed.look(), Looked::Kept(why) if why.starts_with("cannot read")));
        assert_eq!(followed.look(), Looked::Same);
        assert!(denied(model::Severity::High));
        assert_eq!(configuration.number(), 1);
        // Waivers beside it count too, and as long as they cannot be read nothing changes.
        symlink("..data/seawall.yaml", &path).unwrap();
        assert!(matches!(followed.look(), Looked::Kept(_)));
        let beside = folder.join("seawall-waivers.yaml");
        fs::write(&beside, "waivers: [{guideline: unheard-of}]\n").unwrap();
        swap(&folder, "..6", "serve: { deny: [high] }\n");
        let looked = followed.look();
        assert!(
            matches!(&looked, Looked::Kept(why) if why.starts_with("seawall-waivers.yaml:1: ")),
            "{looked:?}"
        );
        let waiver = "waivers: [{guideline: pss-host-path, reason: logs, owner: jane}]\n";
        fs::write(&beside, waiver).unwrap();
        assert!(matches!(followed.look(), Looked::Taken { .. }));
        assert_eq!(configuration.now().waivers.len(), 1);
        assert_eq!(
            &*configuration.now().waivers[0].path,
            "seawall-waivers.yaml"
        );
        fs::remove_file(&beside).unwrap();
        assert!(matches!(followed.look(), Looked::Taken { .. }));
        assert_eq!(configuration.now().waivers.len(), 0);
        // What failed closed now fails open.
        swap(&folder, "..7", "serve: { fail-closed: [] }\n");
        assert_eq!(
            followed.look(),
            Looked::Taken {
                install_again: true
            }
        );
        assert_eq!(configuration.number(), 4);
        fs::remove_dir_all(folder).unwrap();
    }
}
