//! What `deploy/` has for pipelines: its scripts are run step by step as GitHub's and Azure's runners do, in clones of a
//! real repository, against a service on this machine; its files are checked against the public schemas.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::run::{Folder, PRIVILEGED, pod, repository};

#[path = "pipelines/service.rs"]
mod service;

use service::{Service, TOKEN};

/// A Python with what the set-up fetched.
fn python() -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", oracle::fixture("python").unwrap());
    command
}

/// A YAML file as a real reader reads it.
fn yaml(path: &Path) -> Value {
    let script = "import json, sys\nfrom ruamel.yaml import YAML\njson.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)";
    let read = python().args(["-c", script]).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&read.stderr).into_owned();
    serde_json::from_slice(&read.stdout).unwrap_or_else(|_| panic!("{}: {said}", path.display()))
}

fn ok(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout).into_owned(),
        String::from_utf8_lossy(&ran.stderr).into_owned(),
    );
    assert!(ran.status.success(), "{command:?}\n{out}{err}");
    out
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    ok(Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "advice.detachedHead=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1"))
    .trim_end()
    .to_owned()
}

/// A repository whose pull request 7 makes a container privileged, and the clone that a runner makes of it: the merge
/// of both, and nothing before it.
struct Change {
    folder: Folder,
    base: String,
}

fn change() -> Change {
    let folder = Folder::new();
    let origin = folder.path().join("origin");
    fs::create_dir(&origin).unwrap();
    git(&origin, &["init", "--quiet"]);
    folder.write("origin/deploy/pod.yaml", pod("web", ""));
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "--message", "base"]);
    git(&origin, &["checkout", "--quiet", "-b", "feature"]);
    folder.write("origin/deploy/pod.yaml", pod("web", PRIVILEGED));
    git(
        &origin,
        &["commit", "--quiet", "--all", "--message", "worse"],
    );
    git(&origin, &["checkout", "--quiet", "main"]);
    folder.write("origin/README.md", "later\n");
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "--message", "later"]);
    let base = git(&origin, &["rev-parse", "HEAD"]);
    git(&origin, &["checkout", "--quiet", "--detach"]);
    git(&origin, &["merge", "--quiet", "--no-edit", "feature"]);
    git(&origin, &["update-ref", "refs/pull/7/merge", "HEAD"]);
    git(&origin, &["checkout", "--quiet", "main"]);
    let clone = folder.path().join("clone");
    fs::create_dir(&clone).unwrap();
    git(&clone, &["init", "--quiet"]);
    let url = format!("file://{}", origin.display());
    git(&clone, &["remote", "add", "origin", &url]);
    git(
        &clone,
        &[
            "fetch",
            "--quiet",
            "--depth=1",
            "origin",
            "refs/pull/7/merge",
        ],
    );
    git(&clone, &["checkout", "--quiet", "FETCH_HEAD"]);
    Change { folder, base }
}

/// What a step did.
struct Step {
    code: i32,
    said: String,
}

/// A runner: it fills in expressions, runs scripts and remembers what they say.
struct Runner {
    change: Change,
    file: Value,
    /// Expressions and their values.
    values: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl Runner {
    fn new(file: &str, change: Change) -> Self {
        fs::create_dir(change.folder.path().join("temp")).unwrap();
        let environment = [
            ("HOME", "."),
            ("PATH", "/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            file: yaml(&repository(file)),
            change,
            values: BTreeMap::new(),
            environment: environment.into(),
        }
    }

    fn temp(&self, name: &str) -> PathBuf {
        self.change.folder.path().join("temp").join(name)
    }

    fn path(&self, name: &str) -> String {
        self.change.folder.path().join(name).display().to_string()
    }

    fn set(&mut self, values: &[(&str, &str)]) {
        for (name, value) in values {
            self.values.insert((*name).to_owned(), (*value).to_owned());
        }
    }

    fn export(&mut self, variables: &[(&str, &str)]) {
        for (name, value) in variables {
            self.environment
                .insert((*name).to_owned(), (*value).to_owned());
        }
    }

    /// `${{ EXPRESSION }}` by its value, which every one must have, then `$(VARIABLE)` where there is one, as Azure does.
    fn filled(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").unwrap();
            let expression = expression.trim();
            let value = self.values.get(expression);
            filled += value.unwrap_or_else(|| panic!("nobody knows `{expression}`"));
            filled += rest;
        }
        for (name, value) in &self.values {
            filled = filled.replace(&format!("$({name})"), value);
        }
        filled
    }

    /// The text of a script, with its variables.
    fn script(&self, steps: &str, name: &str, script: &str) -> (String, BTreeMap<String, String>) {
        let steps = self.file.pointer(steps).unwrap().as_array().unwrap();
        let named = |step: &&Value| step["name"] == name || step["displayName"] == name;
        let step = steps.iter().find(named).unwrap();
        let mut environment = self.environment.clone();
        for (key, value) in step["env"].as_object().into_iter().flatten() {
            environment.insert(key.clone(), self.filled(value.as_str().unwrap()));
        }
        (step[script].as_str().unwrap().to_owned(), environment)
    }

    fn run(&self, flags: &[&str], script: &str, environment: BTreeMap<String, String>) -> Step {
        let file = self.temp("script.sh");
        fs::write(&file, script).unwrap();
        let ran = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .args(flags)
            .arg(&file)
            .current_dir(self.path("clone"))
            .env_clear()
            .envs(environment)
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains(TOKEN), "{said}");
        Step {
            code: ran.status.code().unwrap(),
            said,
        }
    }

    /// A step of an action, as GitHub runs `shell: bash`.
    fn github(&mut self, name: &str) -> Step {
        let (script, environment) = self.script("/runs/steps", name, "run");
        for file in ["output", "path"] {
            fs::write(self.temp(file), "").unwrap();
        }
        let step = self.run(&["-e", "-o", "pipefail"], &script, environment);
        for line in fs::read_to_string(self.temp("path")).unwrap().lines() {
            self.prepend(line);
        }
        for line in fs::read_to_string(self.temp("output")).unwrap().lines() {
            let (key, value) = line.split_once('=').unwrap();
            let key = format!("steps.{}.outputs.{key}", name.to_lowercase());
            self.values.insert(key, value.to_owned());
        }
        step
    }

    /// A step of a template, as Azure runs `bash`.
    fn azure(&mut self, name: &str) -> Step {
        let (script, environment) = self.script("/steps", name, "bash");
        let step = self.run(&[], &script, environment);
        for line in step.said.lines() {
            if let Some(folder) = line.strip_prefix("##vso[task.prependpath]") {
                self.prepend(folder);
            }
            if let Some(set) = line.strip_prefix("##vso[task.setvariable variable=") {
                let (key, value) = set.split_once(']').unwrap();
                self.environment.insert(key.to_owned(), value.to_owned());
            }
        }
        step
    }

    fn prepend(&mut self, folder: &str) {
        let path = format!("{folder}:{}", self.environment["PATH"]);
        self.environment.insert("PATH".to_owned(), path);
    }
}

fn on_github(service: &Service) -> Runner {
    let mut runner = Runner::new("deploy/github-action/action.yml", change());
    let inputs = runner.file["inputs"].as_object().unwrap().clone();
    for (name, input) in &inputs {
        let default = input["default"].as_str().unwrap();
        let value = match name.as_str() {
            "base" => runner.change.base.as_str(),
            "token" => TOKEN,
            "path" => "deploy",
            "binary" => env!("CARGO_BIN_EXE_seawall"),
            _ => default,
        };
        runner
            .values
            .insert(format!("inputs.{name}"), value.to_owned());
    }
    runner.set(&[
        (
            "github.action_repository || 'seawall-project/seawall'",
            "seawall-project/seawall",
        ),
        ("github.event.pull_request.number", "7"),
    ]);
    let [temp, clone] = ["temp", "clone"].map(|name| runner.path(name));
    let files = ["output", "path", "summary"].map(|name| runner.path(&format!("temp/{name}")));
    runner.export(&[
        ("GITHUB_API_URL", &service.url),
        ("GITHUB_SERVER_URL", &service.url),
        ("GITHUB_REPOSITORY", "shop/web"),
        ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_WORKSPACE", &clone),
        ("RUNNER_TEMP", &temp),
        ("GITHUB_OUTPUT", &files[0]),
        ("GITHUB_PATH", &files[1]),
        ("GITHUB_STEP_SUMMARY", &files[2]),
    ]);
    runner
}

#[test]
fn the_action_uploads_comments_and_ends_as_asked() {
    let service = Service::start();
    let mut runner = on_github(&service);
    // Somebody writes what the action would look for, and much is said before and after.
    let forged =
        json!({"id": 1, "user": {"type": "User"}, "body": "<!-- seawall deploy -->\nmine"});
    service.says(vec![forged.clone(); 150]);
    let installed = runner.github("Install");
    assert_eq!(installed.code, 0, "{}", installed.said);
    assert!(installed.said.starts_with("seawall "), "{}", installed.said);

    let assessed = runner.github("Assess");
    assert_eq!(assessed.code, 0, "{}", assessed.said);
    assert!(assessed.said.contains("critical[pss-privileged]"));
    assert_eq!(runner.values["steps.assess.outputs.code"], "1");

    let uploaded = runner.github("Upload to code scanning");
    assert_eq!((uploaded.code, uploaded.said.as_str()), (0, ""));
    let [asked] = <[_; 1]>::try_from(service.asked()).unwrap();
    assert_eq!(asked.what, "POST /repos/shop/web/code-scanning/sarifs");
    assert_eq!(asked.body["ref"], "refs/pull/7/merge");
    let packed = runner.temp("packed");
    fs::write(&packed, asked.body["sarif"].as_str().unwrap()).unwrap();
    let sarif = ok(Command::new("bash")
        .args(["-c", "base64 --decode \"$0\" | gunzip"])
        .arg(&packed));
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let found = results
        .iter()
        .find(|one| one["ruleId"] == "pss-privileged")
        .unwrap();
    let place = &found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(*place, "deploy/pod.yaml");

    for text in ["", "From `../base/deploy` to `deploy`"] {
        let compared = runner.github("Compare");
        assert_eq!(compared.code, 0, "{}", compared.said);
        assert_eq!(runner.values["steps.compare.outputs.code"], "1");
        let commented = runner.github("Comment");
        assert_eq!((commented.code, commented.said.as_str()), (0, ""));
        // Found again on the second page, not written again.
        let comments = service.comments();
        assert_eq!(comments.len(), 151);
        let own = comments[150]["body"].as_str().unwrap();
        assert!(
            own.starts_with("<!-- seawall deploy -->\n## ❌ seawall: 1 finding"),
            "{own}"
        );
        assert!(
            own.contains("`pss-privileged`") && own.contains(text),
            "{own}"
        );
        assert_eq!(comments[0], forged);
    }
    let asked: Vec<String> = service
        .asked()
        .into_iter()
        .map(|asked| asked.what)
        .collect();
    assert_eq!(asked[2], "POST /repos/shop/web/issues/7/comments");
    assert_eq!(asked[5], "PATCH /repos/shop/web/issues/comments/250");
    // What was later on the base is not this change's: the merge's own parent is compared with.
    assert!(
        fs::read_to_string(runner.temp("summary"))
            .unwrap()
            .contains("pss-privileged")
    );
    assert_eq!(
        git(&runner.temp("..").join("clone"), &["worktree", "list"])
            .lines()
            .count(),
        1
    );

    for (when, code) in [("findings", 1), ("worse", 1), ("never", 0)] {
        runner.set(&[("inputs.fail-when", when)]);
        assert_eq!(runner.github("Result").code, code, "{when}");
    }
}

#[test]
fn the_action_says_what_is_wrong_with_its_use() {
    let service = Service::start();
    let mut runner = on_github(&service);
    runner.set(&[("inputs.fail-when", "sometimes")]);
    let refused = runner.github("Install");
    assert_eq!(refused.code, 2);
    assert!(
        refused.said.contains("findings, worse or never"),
        "{}",
        refused.said
    );
    runner.set(&[("inputs.fail-when", "worse")]);
    assert_eq!(runner.github("Install").code, 0);
    runner.set(&[("inputs.path", "nowhere")]);
    let lost = runner.github("Assess");
    assert_eq!(lost.code, 2, "{}", lost.said);
    // More arguments, one on a line; none of them is read by the shell.
    runner.set(&[
        ("inputs.path", "deploy"),
        (
            "inputs.arguments",
            "--guideline\npss-privileged\n\n--config\n$(touch hacked).yaml\n",
        ),
    ]);
    let given = runner.github("Assess");
    assert_eq!(given.code, 2, "{}", given.said);
    assert!(
        given.said.contains("$(touch hacked).yaml"),
        "{}",
        given.said
    );
    assert!(!Path::new(&runner.path("clone/hacked")).exists());
    // A folder that the base does not have yet is all new.
    runner.set(&[("inputs.arguments", ""), ("inputs.path", "more")]);
    runner
        .change
        .folder
        .write("clone/more/pod.yaml", pod("more", PRIVILEGED));
    let clone = runner.temp("../clone");
    git(&clone, &["add", "."]);
    git(&clone, &["commit", "--quiet", "--message", "more"]);
    let compared = runner.github("Compare");
    assert_eq!(compared.code, 0, "{}", compared.said);
    assert!(compared.said.contains("1 added"), "{}", compared.said);
    // Where the token may not write, a warning says what is missing.
    runner.set(&[("inputs.token", "another")]);
    for step in ["Upload to code scanning", "Comment"] {
        let refused = runner.github(step);
        assert_ne!(refused.code, 0, "{step}");
        assert!(refused.said.contains("::warning::no "), "{}", refused.said);
        assert!(refused.said.contains(": write"), "{}", refused.said);
    }
}

/// A release that consists of a program which starts the one under test, and its checksum.
fn release(folder: &Folder, service: &Service) -> String {
    let program = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_seawall"));
    folder.write("release/seawall-9.9.9/seawall", program);
    let path = folder.path();
    ok(Command::new("chmod")
        .arg("+x")
        .arg(path.join("release/seawall-9.9.9/seawall")));
    let archive = path.join("release.tar.gz");
    ok(Command::new("tar")
        .args(["--create", "--gzip", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(path.join("release"))
        .arg("seawall-9.9.9"));
    service.release(fs::read(&archive).unwrap());
    let sum = ok(Command::new("sha256sum").arg(&archive));
    sum.split(' ').next().unwrap().to_owned()
}

#[test]
fn both_take_a_release_only_with_its_checksum() {
    let service = Service::start();
    let mut action = on_github(&service);
    let mut template = on_azure(&service);
    let sum = release(&action.change.folder, &service);
    action.set(&[("inputs.binary", ""), ("inputs.version", "9.9.9")]);
    template.set(&[("parameters.binary", ""), ("parameters.version", "9.9.9")]);
    for (sha256, code) in [("", 2), ("ab", 1), (sum.as_str(), 0)] {
        action.set(&[("inputs.sha256", sha256)]);
        template.set(&[("parameters.sha256", sha256)]);
        let steps = [action.github("Install"), template.azure("Install seawall")];
        for step in steps {
            assert_eq!(step.code, code, "{sha256}: {}", step.said);
            assert_eq!(step.said.contains("seawall 0."), code == 0, "{}", step.said);
        }
    }
    let name = "v9.9.9/seawall-9.9.9-x86_64-unknown-linux-musl.tar.gz";
    let asked = service.asked();
    let from = |start: &str| {
        asked
            .iter()
            .any(|asked| asked.what == format!("GET /{start}/{name}"))
    };
    assert!(
        from("seawall-project/seawall/releases/download"),
        "{asked:?}"
    );
    assert!(from("mirror/releases/download"), "{asked:?}");
}

fn on_azure(service: &Service) -> Runner {
    let mut runner = Runner::new("deploy/azure-pipelines/seawall.yml", change());
    for parameter in runner.file["parameters"].as_array().unwrap().clone() {
        let name = parameter["name"].as_str().unwrap();
        let default = parameter["default"].as_str().unwrap();
        let mirror = format!("{}/mirror/releases/download", service.url);
        let value = match name {
            "path" => "deploy",
            "binary" => env!("CARGO_BIN_EXE_seawall"),
            "releases" => &mirror,
            _ => default,
        };
        runner
            .values
            .insert(format!("parameters.{name}"), value.to_owned());
    }
    runner.set(&[("System.AccessToken", TOKEN)]);
    let [temp, clone] = ["temp", "clone"].map(|name| runner.path(name));
    runner.export(&[
        ("AGENT_TEMPDIRECTORY", &temp),
        ("BUILD_SOURCESDIRECTORY", &clone),
        ("BUILD_REPOSITORY_PROVIDER", "TfsGit"),
        (
            "BUILD_REPOSITORY_ID",
            "3411ebc1-d5aa-464f-9615-0b527bc66719",
        ),
        ("SYSTEM_COLLECTIONURI", &format!("{}/", service.url)),
        (
            "SYSTEM_TEAMPROJECTID",
            "a7573007-bbb3-4341-b726-0c4148a07853",
        ),
        ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
    ]);
    runner
}

#[test]
fn the_template_keeps_findings_comments_and_ends_as_asked() {
    let service = Service::start();
    let mut runner = on_azure(&service);
    let installed = runner.azure("Install seawall");
    assert_eq!(installed.code, 0, "{}", installed.said);
    let assessed = runner.azure("Assess");
    assert_eq!(assessed.code, 0, "{}", assessed.said);
    let sarif = fs::read_to_string(runner.temp("seawall/sarif/seawall.sarif")).unwrap();
    assert!(sarif.contains("pss-privileged"));
    for _ in ["new", "known"] {
        let compared = runner.azure("Compare");
        assert_eq!(compared.code, 0, "{}", compared.said);
        let commented = runner.azure("Comment");
        assert_eq!((commented.code, commented.said.as_str()), (0, ""));
        let threads = service.threads();
        assert_eq!(threads.len(), 1);
        let said = threads[0]["comments"][0]["content"].as_str().unwrap();
        assert!(
            said.starts_with("<!-- seawall deploy -->\n## ❌ seawall: 1 finding"),
            "{said}"
        );
        assert_eq!(threads[0]["status"], "closed");
    }
    let asked: Vec<String> = service
        .asked()
        .into_iter()
        .map(|asked| asked.what)
        .collect();
    let threads = "/a7573007-bbb3-4341-b726-0c4148a07853/_apis/git/repositories/3411ebc1-d5aa-464f-9615-0b527bc66719/pullRequests/7/threads";
    assert_eq!(
        asked,
        [
            format!("GET {threads}?api-version=7.1"),
            format!("POST {threads}?api-version=7.1"),
            format!("GET {threads}?api-version=7.1"),
            format!("PATCH {threads}/7/comments/1?api-version=7.1"),
        ]
    );
    for (when, code) in [("findings", 1), ("worse", 1), ("never", 0)] {
        runner.set(&[("parameters.failWhen", when)]);
        assert_eq!(runner.azure("Result").code, code, "{when}");
    }
}

/// Blocks of code of a page, by what stands after the fence.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(page)).unwrap();
    text.split(&format!("\n```{language}\n"))
        .skip(1)
        .map(|rest| rest.split_once("\n```").unwrap().0.to_owned() + "\n")
        .collect()
}

#[test]
fn files_and_examples_are_what_their_readers_take() {
    let check = |schema: &str, file: &Path| {
        ok(python()
            .args(["-m", "check_jsonschema", "--builtin-schema", schema])
            .arg(file));
    };
    let action = repository("deploy/github-action/action.yml");
    let template = repository("deploy/azure-pipelines/seawall.yml");
    check("vendor.github-actions", &action);
    check("vendor.azure-pipelines", &template);
    ok(python()
        .args(["-m", "pre_commit", "validate-manifest"])
        .arg(repository(".pre-commit-hooks.yaml")));

    let folder = Folder::new();
    let (action, template) = (yaml(&action), yaml(&template));
    let scripts = [
        (&action["runs"]["steps"], "run"),
        (&template["steps"], "bash"),
    ];
    for (steps, name) in scripts {
        for script in steps
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|step| step[name].as_str())
        {
            let file = folder.write("script.sh", format!("#!/bin/bash\nset -e\n{script}"));
            ok(Command::new("shellcheck").arg(file));
        }
    }

    // What docs/ci.md shows, with this repository's action beside it.
    folder.write(
        "deploy/github-action/action.yml",
        fs::read(repository("deploy/github-action/action.yml")).unwrap(),
    );
    let mut seen = [0; 3];
    for block in blocks("docs/ci.md", "yaml") {
        if block.contains("\njobs:") {
            seen[0] += 1;
            let local = block.replace(
                "seawall-project/seawall/deploy/github-action@v",
                "./deploy/github-action #",
            );
            let file = folder.write(".github/workflows/seawall.yaml", local);
            git(folder.path(), &["init", "--quiet"]);
            check("vendor.github-workflows", &file);
            ok(Command::new(oracle::part("actionlint").unwrap())
                .arg(&file)
                .current_dir(folder.path()));
        } else if block.contains("\nsteps:") {
            seen[1] += 1;
            check(
                "vendor.azure-pipelines",
                &folder.write("azure-pipelines.yml", block),
            );
        } else if block.starts_with("repos:") {
            seen[2] += 1;
            let file = folder.write(".pre-commit-config.yaml", block);
            ok(python()
                .args(["-m", "pre_commit", "validate-config"])
                .arg(file));
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn pre_commit_runs_the_hook_on_what_is_committed() {
    let folder = Folder::new();
    let [hooks, mine] = ["hooks", "mine"].map(|name| folder.path().join(name));
    folder.write(
        "hooks/.pre-commit-hooks.yaml",
        fs::read(repository(".pre-commit-hooks.yaml")).unwrap(),
    );
    for repository in [&hooks, &mine] {
        fs::create_dir_all(repository).unwrap();
        git(repository, &["init", "--quiet"]);
    }
    git(&hooks, &["add", "."]);
    git(&hooks, &["commit", "--quiet", "--message", "hooks"]);
    let revision = git(&hooks, &["rev-parse", "HEAD"]);
    folder.write(
        "mine/.pre-commit-config.yaml",
        format!(
            "repos:\n- repo: {}\n  rev: {revision}\n  hooks:\n  - id: seawall\n    args: [deploy, --guideline, pss-privileged]\n",
            hooks.display()
        ),
    );
    let bin = Path::new(env!("CARGO_BIN_EXE_seawall")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let hook = || {
        git(&mine, &["add", "."]);
        let ran = python()
            .args(["-m", "pre_commit", "run", "--color", "never"])
            .current_dir(&mine)
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", folder.path())
            .env("PRE_COMMIT_HOME", folder.path().join("home"))
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (
            ran.status.code().unwrap(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    folder.write("mine/deploy/pod.yaml", pod("web", PRIVILEGED));
    let (code, said) = hook();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("critical[pss-privileged]"), "{said}");
    folder.write("mine/deploy/pod.yaml", pod("web", ""));
    let (code, said) = hook();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Passed"), "{said}");
    git(&mine, &["commit", "--quiet", "--message", "a pod"]);
    folder.write("mine/notes.txt", "nothing to judge");
    let (code, said) = hook();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Skipped"), "{said}");
}
