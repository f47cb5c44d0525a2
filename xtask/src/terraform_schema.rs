//! Which arguments Terraform's providers take: read from the bindings of CDK Terrain, which are
//! generated from each provider's own schema and which PyPI serves (npm has them of azurerm's
//! version 4 only). Knows names, types and what must be there; what a provider checks beyond that,
//! and what it calls deprecated, is not in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::places::{Places, Stamp, entries};
use crate::run::{output, run, step, which};

/// Where PyPI has a provider's schema.
struct Binding {
    provider: &'static str,
    /// The provider's version that the bindings are of.
    version: &'static str,
    package: &'static str,
    package_version: &'static str,
}

const BINDINGS: [Binding; 2] = [
    Binding {
        provider: "azurerm",
        version: "5.10.0",
        package: "cdktn-provider-azurerm",
        package_version: "18.9.0",
    },
    Binding {
        provider: "azapi",
        version: "2.13.0",
        package: "cdktn-provider-azapi",
        package_version: "1.0.0",
    },
];

/// What has been reduced changes with this.
const FORM: &str = "3";

/// `terraform-schema.json` in the cache: `[{provider, version, blocks}]`. `blocks` are by kind and
/// type (`resource azurerm_subnet`, `data …`, `provider azurerm`), each a table of structures, by
/// name, of which the one without a name is the block itself. A structure has types by argument:
/// `string`, `bool`, `number`, `map`, `any`, `NAME` (one nested block), `[…]` (of several), each
/// with `!` where it must be there. `=` is no structure: it holds all attributes that a reference
/// may name, in camel case.
pub(crate) fn fetch(places: &Places) -> Result<()> {
    let made = places.cache.join("terraform-schema.json");
    let input = BINDINGS
        .iter()
        .fold(Stamp::default().text_of(FORM), |stamp, binding| {
            stamp
                .text_of(binding.package)
                .text_of(binding.package_version)
                .text_of(binding.version)
        });
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("Terraform schemas", || {
        let scratch = places.cache.join("terraform-schema");
        let mut all = Vec::new();
        for binding in &BINDINGS {
            if scratch.exists() {
                fs::remove_dir_all(&scratch)?;
            }
            fs::create_dir_all(&scratch)?;
            let blocks = read(&unpack(binding, &scratch)?, binding)
                .with_context(|| format!("`{}`", binding.package))?;
            all.push(json!({
                "provider": binding.provider,
                "version": binding.version,
                "blocks": blocks,
            }));
        }
        fs::remove_dir_all(&scratch)?;
        fs::write(&made, serde_json::to_vec(&all)?)?;
        places.stamp(&made, &input)
    })
}

/// Fetches a package and unpacks its declarations; where they are.
fn unpack(binding: &Binding, scratch: &Path) -> Result<PathBuf> {
    let archive = download(binding, scratch)?;
    run(Command::new("tar")
        .current_dir(scratch)
        .arg("xzf")
        .arg(&archive)
        .args(["--wildcards", "*/index.d.ts"]))?;
    Ok(scratch.join("package/lib"))
}

/// A wheel carries the bindings that it calls as a package of npm's form.
fn download(binding: &Binding, scratch: &Path) -> Result<PathBuf> {
    ensure!(
        which(&["python3"]).is_some(),
        "`python3` is not on PATH\nhelp: install Python 3 with pip"
    );
    let python = || {
        let mut command = Command::new("python3");
        command.current_dir(scratch).env("PIP_NO_INPUT", "1");
        command
    };
    output(
        python()
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--no-cache-dir"])
            .args(["--only-binary", ":all:"])
            .arg(format!("{}=={}", binding.package, binding.package_version)),
    )?;
    let wheel = find(scratch, ".whl")?;
    // Only the one member: the rest is ten times as large.
    let member = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                  [z.extract(n, 'wheel') for n in z.namelist() if n.endswith('.tgz')]";
    output(python().args(["-c", member]).arg(&wheel))?;
    let module = binding.package.replace('-', "_");
    find(&scratch.join("wheel").join(module).join("_jsii"), ".tgz")
}

fn find(folder: &Path, ending: &str) -> Result<PathBuf> {
    entries(folder)?
        .into_iter()
        .find(|file| file.to_string_lossy().ends_with(ending))
        .with_context(|| format!("no `*{ending}` in `{}`", folder.display()))
}

type Structures = BTreeMap<String, BTreeMap<String, String>>;

fn read(library: &Path, binding: &Binding) -> Result<BTreeMap<String, Value>> {
    let mut blocks = BTreeMap::new();
    // The address of the documentation names the version that the bindings were made from.
    let mark = format!("{}/{}/docs", binding.provider, binding.version);
    for folder in entries(library)? {
        let file = folder.join("index.d.ts");
        if !file.is_file() {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        if let Some((name, structures)) =
            declarations(&text, &mark).with_context(|| format!("`{}`", file.display()))?
        {
            blocks.insert(name, json!(structures));
        }
    }
    ensure!(!blocks.is_empty(), "no declaration found");
    Ok(blocks)
}

/// What one file declares: the block's kind and type, and its structures.
fn declarations(text: &str, mark: &str) -> Result<Option<(String, Structures)>> {
    let mut structures = Structures::new();
    let mut names = (None, None, None);
    let mut last: Option<(&str, &str)> = None;
    let mut class = false;
    let mut attributes = BTreeMap::new();
    let (mut open, mut argument): (Option<&str>, Option<&str>) = (None, None);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("export interface ") {
            let (name, _) = rest.split_once(' ').unwrap_or((rest, ""));
            if rest.contains("TerraformMetaArguments") || name.ends_with("ProviderConfig") {
                names.0 = Some(name);
            }
            structures.entry(name.to_owned()).or_default();
            open = Some(name);
        } else if line == "}" {
            open = None;
            class = false;
        } else if let Some(rest) = line.strip_prefix("    get ").filter(|_| class) {
            let (name, _) = rest.split_once('(').unwrap_or((rest, ""));
            attributes.insert(name.to_owned(), String::new());
        } else if line.contains("{@link ") {
            // `{@link ADDRESS#argument Structure#argument}`
            argument = line
                .trim_end()
                .strip_suffix('}')
                .and_then(|line| line.rsplit_once('#'))
                .map(|(_, name)| name)
                .filter(|_| line.contains(mark));
        } else if let Some(rest) = line.trim_start().strip_prefix("readonly ")
            && let (Some(structure), Some(name)) = (open, argument.take())
        {
            let fields = structures.entry(structure.to_owned()).or_default();
            fields.insert(name.to_owned(), type_of(rest));
            last = Some((structure, name));
        } else if line.trim_start().starts_with("[key: string]: any")
            && let Some((structure, name)) = last.take()
        {
            // A value of whatever type: a list as well as a table.
            let fields = structures.entry(structure.to_owned()).or_default();
            fields
                .entry(name.to_owned())
                .and_modify(|of| *of = of.replace("map", "any"));
        } else if let Some(rest) = line
            .trim_start()
            .strip_prefix("static readonly tfResourceType")
        {
            names.1 = rest.split('"').nth(1);
        } else if line.starts_with("export declare class ") {
            class = kind(line).is_some();
            names.2 = kind(line).or(names.2);
        }
    }
    let (Some(config), Some(name), Some(kind)) = names else {
        return Ok(None);
    };
    let own = structures.remove(config).unwrap_or_default();
    ensure!(
        kind == "ephemeral" || !own.is_empty() || kind == "data",
        "`{name}` has no arguments of the version expected"
    );
    structures.insert(String::new(), own);
    structures.insert("=".to_owned(), attributes);
    Ok(Some((format!("{kind} {name}"), structures)))
}

fn kind(line: &str) -> Option<&'static str> {
    [
        ("extends cdktn.TerraformResource ", "resource"),
        ("extends cdktn.TerraformDataSource ", "data"),
        ("extends cdktn.TerraformEphemeralResource ", "ephemeral"),
        ("extends cdktn.TerraformProvider ", "provider"),
    ]
    .into_iter()
    .find_map(|(mark, kind)| line.contains(mark).then_some(kind))
}

/// Of `autoScalingEnabled?: boolean | cdktn.IResolvable;`: `bool`.
fn type_of(declaration: &str) -> String {
    let (name, of) = declaration.split_once(": ").unwrap_or((declaration, ""));
    let of = of.trim_end_matches(';');
    let of = of.strip_suffix(" | cdktn.IResolvable").unwrap_or(of);
    let (of, lists) = strip_lists(of);
    let word = match of {
        "boolean" => "bool",
        "{" => "map",
        other => other,
    };
    let required = if name.ends_with('?') { "" } else { "!" };
    format!("{}{word}{}{required}", "[".repeat(lists), "]".repeat(lists))
}

fn strip_lists(mut of: &str) -> (&str, usize) {
    let mut lists = 0;
    while let Some(item) = of.strip_suffix("[]") {
        of = item;
        lists += 1;
    }
    (of, lists)
}
