//! A child process that cannot outlive the test that started it.
//!
//! A test binary may be killed, and a server kept in a `static` is never
//! dropped. A shell between the two therefore waits on a pipe that closes when
//! this process ends in whatever way, and kills the part then.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Error, Result};

/// `$0` is a folder to delete at the end, or empty; the rest is the command.
/// `wait` makes the shell end when the part ends by itself.
const SHELL: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
part=$!
{ cat <&3 >/dev/null; kill -9 $part; test -z "$0" || rm -rf "$0"; } >/dev/null 2>&1 &
exec 3<&-
wait $part
"#;

/// A running part. Dropping it ends the part.
#[derive(Debug)]
pub(crate) struct Guard {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Guard {
    /// Starts `program` with its output in `folder/NAME.log`. With `cleanup`,
    /// the folder is deleted when the part has been ended.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        folder: &Path,
        cleanup: bool,
    ) -> Result<Self> {
        let name = program
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).map_err(Error::io(&log))?;
        let errors = file.try_clone().map_err(Error::io(&log))?;
        let child = Command::new("sh")
            .args(["-c", SHELL])
            .arg(if cleanup { folder } else { Path::new("") })
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(Error::io(program))?;
        Ok(Self { name, log, child })
    }

    /// An error if the part has ended by itself.
    pub(crate) fn alive(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failed(&format!("ended with {status}"))),
            Err(source) => Err(Error::io(&self.name)(source)),
        }
    }

    /// Stops the part where it stands (`STOP`), or lets it go on (`CONT`).
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let shell = self.child.id().to_string();
        // A name is cut after 15 letters (proc_pid_stat(5)).
        let name: String = self.name.chars().take(15).collect();
        let is_part = |stat: &str| {
            let (head, rest) = stat.rsplit_once(')')?;
            let parent = rest.split_whitespace().nth(1)?;
            let (number, own) = head.split_once(" (")?;
            (parent == shell && own == name).then(|| number.to_owned())
        };
        let part = fs::read_dir("/proc")
            .map_err(Error::io("/proc"))?
            .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
            .find_map(|stat| is_part(&stat))
            .ok_or_else(|| self.failed("is not among the processes"))?;
        Command::new("kill")
            .args([&format!("-{signal}"), &part])
            .status()
            .map_err(Error::io("kill"))?;
        Ok(())
    }

    /// An error about this part, with the end of its log.
    pub(crate) fn failed(&self, what: &str) -> Error {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(15);
        Error::Process {
            name: self.name.clone(),
            what: what.to_owned(),
            log: lines.get(from..).unwrap_or_default().join("\n"),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
