//! Programs from PyPI, in a folder that tests put on Python's path. What they need is resolved when it is made.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::places::{Places, Stamp};
use crate::run::{run, step, which};

/// What is installed: the tool for hooks of git, schemas of pipelines with their checker, CycloneDX's validator.
const PACKAGES: [&str; 3] = [
    "pre-commit==4.7.0",
    "check-jsonschema==0.39.0",
    "cyclonedx-python-lib[json-validation]==11.12.0",
];

/// Fetches them into `python` in the cache.
pub(crate) fn fetch(places: &Places) -> Result<()> {
    let made = places.cache.join("python");
    let input = PACKAGES
        .iter()
        .fold(Stamp::default(), |stamp, package| stamp.text_of(package));
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("Python packages", || {
        ensure!(
            which(&["python3"]).is_some(),
            "`python3` is not on PATH\nhelp: install Python 3 with pip"
        );
        if made.exists() {
            fs::remove_dir_all(&made)?;
        }
        // A folder of its own needs neither `venv` nor a right to change the system's packages.
        run(Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-cache-dir"])
            .args(["--disable-pip-version-check", "--target"])
            .arg(&made)
            .args(PACKAGES))?;
        places.stamp(&made, &input)
    })
}
