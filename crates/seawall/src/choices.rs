//! What several commands let the user choose: version, day, frameworks, guidelines. The command
//! line goes before `seawall.yaml`, and that before the default.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use guide::{Guide, parse_minor, setting};
use report::config::{self, Config};

use crate::commands::assess;
use crate::commands::estate::EstateArgs;
use crate::failure::Failure;
use crate::output;

/// The Kubernetes minor that was asked for, else the configured, else what the estate says of itself,
/// else the newest known.
pub(crate) fn kubernetes(
    version: Option<&str>,
    config: &Config,
    guide: &Guide,
    estate: impl FnOnce() -> anyhow::Result<Option<u8>>,
) -> anyhow::Result<u8> {
    match version {
        Some(version) => Ok(parse_minor(version).ok_or_else(|| {
            Failure::new(format!("`{version}` is no Kubernetes version"))
                .help("write it as `--kubernetes 1.34`")
        })?),
        None => match config.kubernetes {
            Some(minor) => Ok(minor),
            None => Ok(estate()?.unwrap_or_else(|| setting::newest_minor(guide))),
        },
    }
}

/// Whether what is given is everything: by the option, else by the configuration. One that was found says it of its
/// folder, and of a part of that nothing; that is told.
pub(crate) fn whole(
    estate: &EstateArgs,
    asked: Option<&Path>,
    config: &Config,
) -> std::io::Result<bool> {
    /// Once: some commands read several times.
    static TOLD: AtomicBool = AtomicBool::new(false);
    if estate.whole || !config.whole.unwrap_or(false) {
        return Ok(estate.whole);
    }
    let holds = asked.is_some() || assess::holds(&estate.paths, &config.path);
    if !holds && !TOLD.swap(true, Ordering::Relaxed) {
        let note = format!(
            "`whole` in {} is about its folder, of which a part was given: what is absent is unknown; --whole says it of \
             what was given",
            config.path
        );
        output::say("note", &note)?;
    }
    Ok(holds)
}

/// The day that was asked for, else today.
pub(crate) fn day(day: Option<&str>) -> anyhow::Result<jiff::civil::Date> {
    match day {
        Some(day) => Ok(day.parse::<jiff::civil::Date>().map_err(|_| {
            Failure::new(format!("`{day}` is no date")).help("write it as `--as-of 2027-01-31`")
        })?),
        None => Ok(jiff::Zoned::now().date()),
    }
}

/// The frameworks that were asked for, else the configured; all of them exist.
pub(crate) fn frameworks(
    asked: &[String],
    config: &Config,
    guide: &Guide,
) -> anyhow::Result<Vec<Box<str>>> {
    let chosen: Vec<Box<str>> = if asked.is_empty() {
        config.frameworks.clone()
    } else {
        asked.iter().map(|id| id.as_str().into()).collect()
    };
    match chosen.iter().find(|id| guide.framework(id).is_none()) {
        Some(id) => Err(Failure::new(config::unknown_framework(guide, id)).into()),
        None => Ok(chosen),
    }
}

/// Fails for a guideline that does not exist.
pub(crate) fn guidelines_exist(asked: &[String], guide: &Guide) -> anyhow::Result<()> {
    match asked.iter().find(|id| guide.guideline(id).is_none()) {
        Some(id) => Err(Failure::new(format!("there is no guideline `{id}`"))
            .help("`seawall guide list` shows all")
            .into()),
        None => Ok(()),
    }
}

/// Checks that files and folders named for templates are there.
pub(crate) fn inputs_exist(parameters: &[PathBuf], caches: &[PathBuf]) -> anyhow::Result<()> {
    for file in parameters {
        if !file.is_file() {
            return Err(Failure::new(format!(
                "`{}` is no parameter file: it does not exist",
                file.display()
            ))
            .help("`--parameters` takes a JSON parameter file or a `.tfvars` file")
            .into());
        }
        let name = file.to_string_lossy();
        let known = [".json", ".jsonc", ".tfvars"];
        if !known.iter().any(|ending| name.ends_with(ending)) {
            let help = if name.ends_with(".bicepparam") {
                "give the `.bicepparam` file itself: it names the template that it deploys"
            } else {
                "`--parameters` takes a JSON parameter file or a `.tfvars` file"
            };
            return Err(
                Failure::new(format!("`{}` is no parameter file", file.display()))
                    .help(help)
                    .into(),
            );
        }
    }
    for folder in caches {
        if !folder.is_dir() {
            return Err(Failure::new(format!("`{}` is no folder", folder.display()))
                .help("`--module-cache` takes a folder with published modules")
                .into());
        }
    }
    Ok(())
}
