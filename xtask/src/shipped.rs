//! The program as it is shipped: static, so that it runs on any Linux and in an empty image.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::{Places, home};
use crate::run::run;

pub(crate) const TARGET: &str = "x86_64-unknown-linux-musl";

/// Builds it with these features.
pub(crate) fn build(places: &Places, features: &[&str]) -> Result<PathBuf> {
    run(Command::new("cargo")
        .current_dir(&places.root)
        .args(["build", "--locked", "--profile", "dist", "--target", TARGET])
        .args(["--package", "seawall", "--features", &features.join(",")])
        .env("RUSTFLAGS", without_own_paths(places)?))
    .with_context(|| {
        format!("no static program\nhelp: rustup target add {TARGET} && apt-get install musl-tools")
    })?;
    Ok(places.target().join(TARGET).join("dist/seawall"))
}

/// Messages name source files: with these flags not where they lay on the machine that built them, so that every
/// machine builds the same bytes.
fn without_own_paths(places: &Places) -> Result<String> {
    let cargo = match env::var_os("CARGO_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => home()?.join(".cargo"),
    };
    Ok(format!(
        "--remap-path-prefix={}=cargo --remap-path-prefix={}=seawall",
        cargo.display(),
        places.root.display()
    ))
}
