//! What the sample intent makes, as objects.

use generate::{Decisions, File, Intent, Plan, Questions, files, pairs};
use guide::{Guide, front_matter, setting};
use serde_json::Value;

/// A shop with a workload of each class.
const INTENT: &str = include_str!("../intent.yaml");

/// Workloads that do everything right, for its namespaces.
const WORKLOADS: &str = include_str!("../workloads.yaml");

/// The cluster whose manifests are applied.
const CLUSTER: &str = "prod";

pub(crate) struct Made {
    pub(crate) guide: Guide,
    questions: Questions,
}

impl Made {
    pub(crate) fn new() -> Self {
        let (guide, problems) = Guide::builtin();
        assert!(problems.is_empty(), "{problems:?}");
        let questions = Questions::of(&guide).unwrap();
        Self { guide, questions }
    }

    pub(crate) fn pairs(&self) -> Vec<Decisions> {
        pairs(&self.guide, &self.questions)
    }

    pub(crate) fn files(&self, decisions: Decisions) -> Vec<File> {
        let intent = Intent::parse(INTENT, "1.34").unwrap();
        let intent = Intent {
            decisions,
            ..intent
        };
        let plan = Plan::of(intent, &self.guide, &self.questions, 2026).unwrap();
        files(&plan, &self.guide).unwrap()
    }

    /// With one answer to each of some questions.
    pub(crate) fn decided(&self, answers: &[(&str, &str)]) -> Vec<File> {
        let one = |(question, answer): &(&str, &str)| ((*question).into(), vec![(*answer).into()]);
        self.files(answers.iter().map(one).collect())
    }
}

pub(crate) fn text<'f>(files: &'f [File], path: &str) -> &'f str {
    let found = files.iter().find(|file| file.path == path);
    &found.unwrap_or_else(|| panic!("no {path}")).text
}

/// The objects in the order in which `scripts/deploy.sh` applies them, variables filled in.
pub(crate) fn objects(files: &[File]) -> Vec<Value> {
    let clusters: Vec<&str> = files
        .iter()
        .filter_map(|file| {
            file.path
                .strip_prefix("manifests/clusters/")?
                .split_once('/')
        })
        .map(|(cluster, _)| cluster)
        .collect();
    let cluster = if clusters.contains(&CLUSTER) {
        CLUSTER
    } else {
        "shared"
    };
    let own = format!("manifests/clusters/{cluster}/");
    ["manifests/cluster/", "manifests/namespaces/", &own]
        .iter()
        .flat_map(|folder| {
            files
                .iter()
                .filter(move |file| file.path.starts_with(folder))
        })
        .flat_map(|file| parse(&substituted(&file.text)))
        .collect()
}

pub(crate) fn workloads() -> Vec<Value> {
    parse(WORKLOADS)
}

/// As `envsubst` would; the values are such as Azure gives.
fn substituted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        match name {
            name if name.ends_with("_CLIENT_ID") || name.ends_with("_TENANT_ID") => {
                out.push_str("b2f6c1d8-5e0a-4c3f-8d77-91a4e6c02b58");
            }
            "KEY_VAULT_NAME" => out.push_str("kv-shop-prod"),
            "GATEWAY_ADDRESS" => out.push_str("10.20.6.4"),
            "ALB_ID" | "WAF_POLICY_ID" => out.push_str("/subscriptions/0/resourceGroups/shop"),
            other => {
                // Comments speak of `${…}` as such.
                assert_eq!(other, "…");
                out.push_str("${…}");
            }
        }
        rest = after;
    }
    out + rest
}

/// The documents of a YAML text.
pub(crate) fn parse(text: &str) -> Vec<Value> {
    yaml::documents(text)
        .filter_map(|raw| front_matter::read(&raw.text, 1).ok())
        .map(|doc| setting::to_json(doc.root()))
        .filter(Value::is_object)
        .collect()
}
