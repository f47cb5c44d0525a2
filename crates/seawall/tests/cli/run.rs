//! Runs the binary in a folder of its own, with nothing of the machine's environment.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The day that every test is judged as of.
pub(crate) const DAY: &str = "2026-11-23";

/// A folder with files, removed at the end of the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("seawall-").unwrap())
    }

    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `seawall assess` here, as of the tests' day.
    pub(crate) fn assess(&self, args: &[&str]) -> Ran {
        self.run(&[&["assess", "--as-of", DAY], args].concat())
    }

    /// The same as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Json {
        self.assess(&[args, &["--format", "json"]].concat()).json()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"", OsString::new())
    }

    /// With standard input and a `PATH`.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8], path: OsString) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_seawall"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", path)
            .env("COLUMNS", "80")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // Whoever does not read it closes it; that is no failure.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(self) -> Json {
        let value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.out, self.err));
        Json {
            code: self.code,
            value,
            err: self.err,
        }
    }

    /// Everything a person sees when it fails.
    pub(crate) fn failure(&self) -> String {
        assert_eq!(self.out, "", "an error prints no report");
        // Lists of what is known grow; a message's sense does not hang on them.
        let lines = self
            .err
            .lines()
            .map(|line| match line.split_once("known are: ") {
                Some((before, _)) => format!("\n{before}known are: …"),
                None => format!("\n{line}"),
            });
        format!("exit {}{}", self.code, lines.collect::<String>())
    }
}

/// A JSON report.
pub(crate) struct Json {
    pub(crate) code: i32,
    pub(crate) value: Value,
    pub(crate) err: String,
}

impl Json {
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.value
            .pointer(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// `path:line guideline verdict` of each finding that counts.
    pub(crate) fn findings(&self) -> Vec<String> {
        let counted = |finding: &&Value| finding["waiver"].is_null() && finding["baseline"] != true;
        self.list("/findings")
            .iter()
            .filter(counted)
            .map(finding)
            .collect()
    }

    /// The ids of resources of some kinds that findings are about.
    pub(crate) fn findings_of(&self, kinds: &[&str]) -> Vec<String> {
        self.list("/findings")
            .iter()
            .filter(|finding| kinds.contains(&text(&finding["resource"]["kind"])))
            .map(|finding| text(&finding["resource"]["id"]).to_owned())
            .collect()
    }

    /// The same of findings that are waived.
    pub(crate) fn waived(&self) -> Vec<String> {
        self.list("/findings")
            .iter()
            .filter(|finding| !finding["waiver"].is_null())
            .map(finding)
            .collect()
    }

    /// `path:line status` of each document, with its kind or reason.
    pub(crate) fn documents(&self) -> Vec<String> {
        self.list("/coverage/documents")
            .iter()
            .map(document)
            .collect()
    }
}

fn finding(finding: &Value) -> String {
    let place = &finding["locations"][0];
    // What was read live has an address and no line.
    let at = match place["uri"].as_str() {
        Some(uri) => uri.to_owned(),
        None => format!("{}:{}", text(&place["path"]), place["line"]),
    };
    format!(
        "{at} {} {}",
        text(&finding["guideline"]),
        text(&finding["verdict"])
    )
}

fn document(entry: &Value) -> String {
    let what = [
        &entry["kind"],
        &entry["namespace"],
        &entry["name"],
        &entry["reason"],
    ];
    let what: Vec<&str> = what.into_iter().filter_map(Value::as_str).collect();
    format!(
        "{}:{} {} {}",
        text(&entry["path"]),
        entry["line"],
        text(&entry["status"]),
        what.join(" ")
    )
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A pod with one container; `extra` stands in the container, at eight spaces.
pub(crate) fn pod(name: &str, extra: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  containers:\n  - name: app\n    image: example.azurecr.io/web:1.2.3\n{extra}"
    )
}

/// The container's lines that make it privileged: the third line from its `name`, the eleventh of [`pod`].
pub(crate) const PRIVILEGED: &str = "    securityContext:\n      privileged: true\n";

/// A folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path).canonicalize().unwrap()
}
