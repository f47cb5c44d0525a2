//! The real parts: built from their own sources at pinned versions, once, into
//! the cache. Nothing here is downloaded as a binary except system packages.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::kafka;
use crate::packages;
use crate::places::{Places, Stamp, entries};
use crate::policy_kinds;
use crate::python;
use crate::run::{output, run, say, step, which};
use crate::terraform_schema;

/// The release that tests run; `oracle/go.mod` names the same.
const KUBERNETES: &str = "1.34.4";

/// Programs from the Go module proxy: name, package, version.
const GO_PROGRAMS: [(&str, &str, &str); 4] = [
    (
        "actionlint",
        "github.com/rhysd/actionlint/cmd/actionlint",
        "v1.7.12",
    ),
    ("helm", "helm.sh/helm/v3/cmd/helm", "v3.22.0"),
    (
        "gator",
        "github.com/open-policy-agent/gatekeeper/v3/cmd/gator",
        "v3.23.1",
    ),
    ("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2"),
];

/// Microsoft's emulator of storage, from npm: name, version.
const AZURITE: (&str, &str) = ("azurite", "3.37.0");

/// Microsoft's own parser of KQL, from npm: folder, name, version.
const KUSTO: (&str, &str, &str) = ("kusto", "@kusto/language-service-next", "12.4.1");

/// Mozilla's reader of calendars, from npm: folder, name, version. Its licence (MPL 2.0) asks nothing of who only runs it.
const ICAL: (&str, &str, &str) = ("ical", "ical.js", "2.2.1");

/// Microsoft's client of the protocol of editors, and its texts, from npm: folder, name, version.
const LSP: (&str, &str, &str) = ("lsp", "vscode-languageserver-protocol", "3.18.5");
const LSP_TEXTS: (&str, &str, &str) = ("lsp-texts", "vscode-languageserver-textdocument", "1.0.16");

/// Sigstore's own verifiers, whose tests carry bundles and trusted roots of the public one: module, version, folder.
const SIGSTORE: [(&str, &str, &str); 2] = [
    (
        "github.com/sigstore/sigstore-go",
        "v1.3.0",
        "pkg/testing/data",
    ),
    (
        "github.com/sigstore/cosign/v3",
        "v3.1.3",
        "pkg/cosign/testdata",
    ),
];

/// The crate that carries OASIS's SARIF schema unchanged.
const SARIF_CRATE: (&str, &str) = ("serde-sarif", "0.8.0");

/// The checks of pages for people who see or move otherwise: npm's package and its version. Its licence (MPL 2.0) asks
/// nothing of who only runs it; it is not given on.
const AXE: (&str, &str) = ("axe-core", "4.10.3");

/// Does what has not been done, or not from the present input.
pub(crate) fn setup(places: &Places) -> Result<()> {
    let lock = places.cache.join("lock");
    let lock = File::create(&lock).with_context(|| format!("`{}`", lock.display()))?;
    if lock.try_lock().is_err() {
        say("setup: waiting for another set-up to end");
        lock.lock()?;
    }
    packages::install()?;
    ensure!(
        which(&["go"]).is_some(),
        "`go` is not on PATH\nhelp: install Go 1.26 or newer"
    );
    go_programs(places)?;
    oracles(places)?;
    pod_security_fixtures(places)?;
    sigstore_bundles(places)?;
    cel_conformance(places)?;
    kubernetes_schema(places)?;
    sarif_schema(places)?;
    axe(places)?;
    terraform_schema::fetch(places)?;
    policy_kinds::fetch(places)?;
    let (name, version) = AZURITE;
    from_npm(places, name, name, version)?;
    for (folder, name, version) in [KUSTO, ICAL, LSP, LSP_TEXTS] {
        from_npm(places, folder, name, version)?;
    }
    kafka::fetch(places)?;
    python::fetch(places)?;
    say(&format!("setup: ready in {}", places.cache.display()));
    Ok(())
}

/// Go without the reader's own settings: no C compiler, no work space.
pub(crate) fn go(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-buildvcs=false -trimpath")
        .env("GOWORK", "off");
    command
}

fn go_programs(places: &Places) -> Result<()> {
    for (name, package, version) in GO_PROGRAMS {
        let made = places.bin(name);
        let input = Stamp::default().text_of(package).text_of(version);
        if places.is_fresh(&made, &input) {
            continue;
        }
        step(&format!("{name} {version}"), || {
            run(go(&places.cache)
                .env("GOBIN", places.cache.join("bin"))
                .args(["install", "-p", "2", "-ldflags", "-s -w"])
                .arg(format!("{package}@{version}")))?;
            places.stamp(&made, &input)
        })?;
    }
    Ok(())
}

/// Each folder of `oracle/` with a `main.go` is a program.
fn oracles(places: &Places) -> Result<()> {
    let module = places.root.join("oracle");
    for folder in entries(&module)? {
        if !folder.join("main.go").is_file() {
            continue;
        }
        let name = program_name(&folder);
        let made = places.bin(&name);
        let flags = link_flags();
        let input = [&module, &folder]
            .iter()
            .flat_map(|folder| ["go.mod", "go.sum"].map(|file| folder.join(file)))
            .try_fold(Stamp::default().text_of(&flags), |stamp, file| {
                stamp.file(&file)
            })?
            .folder(&folder)?;
        if places.is_fresh(&made, &input) {
            continue;
        }
        step(&name, || {
            // From its own folder, for an oracle may be a module of its own.
            run(go(&folder)
                .args(["build", "-p", "2", "-ldflags", &flags, "-o"])
                .arg(&made)
                .arg("."))?;
            places.stamp(&made, &input)
        })?;
    }
    Ok(())
}

fn program_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    match &*name {
        "apiserver" => "kube-apiserver".to_owned(),
        "controllermanager" => "kube-controller-manager".to_owned(),
        other => format!("oracle-{other}"),
    }
}

/// Kubernetes learns its version from the linker; without it, a server says
/// v0.0.0 and refuses to emulate older ones.
fn link_flags() -> String {
    let mut numbers = KUBERNETES.split('.');
    let (major, minor) = (numbers.next().unwrap_or(""), numbers.next().unwrap_or(""));
    [
        ("gitVersion", format!("v{KUBERNETES}").as_str()),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitTreeState", "clean"),
    ]
    .iter()
    .fold("-s -w".to_owned(), |flags, (name, value)| {
        flags + &format!(" -X k8s.io/component-base/version.{name}={value}")
    })
}

/// Where Go keeps a module's sources, fetched when they are not there.
fn module_folder(folder: &Path, module: &str) -> Result<PathBuf> {
    run(go(folder).args(["mod", "download", module]))?;
    let path = output(go(folder).args(["list", "-m", "-f", "{{.Dir}}", module]))?;
    Ok(PathBuf::from(path.trim()))
}

/// The stamp of what comes out of the modules that a `go.mod` names.
fn module_stamp(folder: &Path) -> Result<Stamp> {
    Stamp::default().file(&folder.join("go.sum"))
}

/// The manifests of upstream's own Pod Security tests. Copied, for the module
/// cache may be emptied.
fn pod_security_fixtures(places: &Places) -> Result<()> {
    let module = places.root.join("oracle");
    let made = places.cache.join("pss-testdata");
    let input = module_stamp(&module)?;
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("Pod Security fixtures", || {
        let from = module_folder(&module, "k8s.io/pod-security-admission")?;
        remove(&made)?;
        copy(&from.join("test/testdata"), &made)?;
        places.stamp(&made, &input)
    })
}

/// Signatures without keys, as the public Sigstore made them. Nothing of the modules is built.
fn sigstore_bundles(places: &Places) -> Result<()> {
    let made = places.cache.join("sigstore");
    let input = SIGSTORE
        .iter()
        .fold(Stamp::default(), |stamp, (name, version, folder)| {
            stamp.text_of(name).text_of(version).text_of(folder)
        });
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("Sigstore bundles", || {
        remove(&made)?;
        for (name, version, folder) in SIGSTORE {
            let module = format!("{name}@{version}");
            let told = output(go(&places.cache).args(["mod", "download", "-json", &module]))?;
            let told: serde_json::Value = serde_json::from_str(&told)?;
            let from = told.get("Dir").and_then(serde_json::Value::as_str);
            let from = from.with_context(|| format!("`{module}` has no folder"))?;
            copy(&Path::new(from).join(folder), &made)?;
        }
        places.stamp(&made, &input)
    })
}

/// CEL's conformance tests as JSON.
fn cel_conformance(places: &Places) -> Result<()> {
    let module = places.root.join("oracle/celconformance");
    let made = places.cache.join("cel-conformance");
    let input = module_stamp(&module)?.folder(&module)?;
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("CEL conformance tests", || {
        let from = module_folder(&module, "cel.dev/expr")?;
        remove(&made)?;
        run(Command::new(places.bin("oracle-celconformance"))
            .arg(from.join("tests/simple/testdata"))
            .arg(&made))?;
        places.stamp(&made, &input)
    })
}

/// The shapes of all Kubernetes kinds.
fn kubernetes_schema(places: &Places) -> Result<()> {
    let module = places.root.join("oracle");
    let made = places.cache.join("kubernetes-schema.json");
    let input = module_stamp(&module)?.folder(&module.join("schema"))?;
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("Kubernetes schema", || {
        let from = module_folder(&module, "k8s.io/kubernetes")?;
        let text =
            output(Command::new(places.bin("oracle-schema")).arg(from.join("api/discovery")))?;
        fs::write(&made, text)?;
        places.stamp(&made, &input)
    })
}

/// SARIF's schema, through cargo, which checks what it fetches.
fn sarif_schema(places: &Places) -> Result<()> {
    let (name, version) = SARIF_CRATE;
    let made = places.cache.join("sarif-schema-2.1.0.json");
    let input = Stamp::default().text_of(name).text_of(version);
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("SARIF schema", || {
        let scratch = places.cache.join("sarif");
        remove(&scratch)?;
        fs::create_dir_all(scratch.join("src"))?;
        fs::write(scratch.join("src/lib.rs"), "")?;
        let manifest = format!(
            "[package]\nname = \"sarif\"\nedition = \"2024\"\n[workspace]\n\
             [dependencies]\n{name} = \"={version}\"\n"
        );
        fs::write(scratch.join("Cargo.toml"), manifest)?;
        // `vendor` puts sources where they can be found without asking.
        output(
            Command::new("cargo")
                .current_dir(&scratch)
                .args(["vendor", "--quiet"]),
        )?;
        let schema = scratch.join("vendor").join(name).join("src/schema.json");
        let text = fs::read_to_string(&schema)?;
        ensure!(
            text.contains("Schemata/sarif-schema-2.1.0.json"),
            "`{name}` {version} does not carry the SARIF schema"
        );
        fs::write(&made, text)?;
        remove(&scratch)?;
        places.stamp(&made, &input)
    })
}

/// Checks of accessibility, as one script, through npm, which checks what it fetches. Nothing of it is run here.
fn axe(places: &Places) -> Result<()> {
    let (name, version) = AXE;
    let made = places.cache.join("axe.js");
    let input = Stamp::default().text_of(name).text_of(version);
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step("axe", || {
        ensure!(
            which(&["npm"]).is_some(),
            "`npm` is not on PATH\nhelp: install Node.js"
        );
        let scratch = places.cache.join("axe");
        remove(&scratch)?;
        fs::create_dir_all(&scratch)?;
        output(Command::new("npm").current_dir(&scratch).args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
            ".",
            &format!("{name}@{version}"),
        ]))?;
        let script = scratch.join("node_modules").join(name).join("axe.min.js");
        fs::copy(&script, &made).with_context(|| format!("`{}`", script.display()))?;
        remove(&scratch)?;
        places.stamp(&made, &input)
    })
}

/// A package of npm in a folder of its own, with what it needs; nothing of it is run here.
fn from_npm(places: &Places, folder: &str, name: &str, version: &str) -> Result<()> {
    let made = places.cache.join(folder);
    let input = Stamp::default().text_of(name).text_of(version);
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step(&format!("{name} {version}"), || {
        ensure!(
            which(&["npm"]).is_some(),
            "`npm` is not on PATH\nhelp: install Node.js"
        );
        remove(&made)?;
        fs::create_dir_all(&made)?;
        run(Command::new("npm")
            .current_dir(&made)
            .args([
                "install",
                "--silent",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ])
            .args(["--no-save", "--prefix", "."])
            .arg(format!("{name}@{version}")))?;
        places.stamp(&made, &input)
    })
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    Ok(())
}

/// Copies a folder's content; the copy is writable, unlike Go's.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("`{}`", to.display()))?;
    for entry in entries(from)? {
        let target = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            copy(&entry, &target)?;
        } else {
            let bytes = fs::read(&entry).with_context(|| format!("`{}`", entry.display()))?;
            fs::write(&target, bytes).with_context(|| format!("`{}`", target.display()))?;
        }
    }
    Ok(())
}
