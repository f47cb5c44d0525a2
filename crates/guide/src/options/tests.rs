//! Counting, recognising, and what the guide may not leave out.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::*;
use crate::examples::estate_of;
use crate::facts;
use crate::guideline::{Example, ExampleFile, Expectation};

fn guide() -> &'static Guide {
    static GUIDE: OnceLock<Guide> = OnceLock::new();
    GUIDE.get_or_init(|| {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        guide
    })
}

fn example(language: &str, text: &str, whole: bool) -> Example {
    Example {
        expectation: Expectation::Good,
        whole,
        invalid: false,
        kubernetes: None,
        as_of: None,
        params: None,
        files: vec![ExampleFile {
            language: language.into(),
            text: text.into(),
            line: 1,
            live: false,
        }],
    }
}

fn counted(language: &str, text: &str, whole: bool, said: &[(&str, f64)]) -> Quantities {
    let guide = guide();
    let (setting, estate, unread) = estate_of(guide, &example(language, text, whole)).unwrap();
    assert_eq!(unread, Vec::<String>::new());
    let analyses = facts::analyses(guide, &setting, &estate);
    let said: BTreeMap<String, f64> = said
        .iter()
        .map(|(key, units)| ((*key).to_owned(), *units))
        .collect();
    Quantities::of(guide, &setting, &analyses, &said).unwrap()
}

fn amount(quantities: &Quantities, id: &str) -> (f64, Known) {
    let amount = quantities.get(Some(id));
    (amount.units, amount.known)
}

const POOLS: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"size": {"type": "string"}},
  "resources": [
    {
      "type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
      "properties": {"agentPoolProfiles": [
        {"name": "system", "mode": "System", "count": 3, "vmSize": "Standard_D4s_v5"},
        {"name": "old", "count": 2, "vmSize": "Standard_DS3_v2"},
        {"name": "open", "count": 1, "vmSize": "[parameters('size')]"}
      ]}
    },
    {
      "type": "Microsoft.ContainerService/managedClusters/agentPools", "apiVersion": "2025-10-01", "name": "shop/user",
      "properties": {"count": 5, "vmSize": "Standard_E16ads_v6"}
    }
  ]
}"#;

#[test]
fn nodes_and_cores_are_counted_from_templates() {
    let open = counted("json", POOLS, false, &[]);
    assert_eq!(amount(&open, "cluster"), (1.0, Known::AtLeast));
    assert_eq!(amount(&open, "node"), (11.0, Known::AtLeast));
    // The size of two pools says nothing about their cores.
    assert_eq!(
        amount(&open, "vcore"),
        (3.0 * 4.0 + 5.0 * 16.0, Known::AtLeast)
    );
    assert_eq!(amount(&open, "registry"), (1.0, Known::Assumed));
    let whole = counted("json", POOLS, true, &[]);
    assert_eq!(amount(&whole, "node"), (11.0, Known::Counted));
    assert_eq!(amount(&whole, "vcore"), (92.0, Known::AtLeast));
    assert_eq!(amount(&whole, "registry"), (0.0, Known::Counted));
}

#[test]
fn nodes_of_a_cluster_go_before_pools() {
    let nodes = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {capacity: {cpu: \"8\"}}\n---\n\
                 apiVersion: v1\nkind: Node\nmetadata: {name: b}\nstatus: {capacity: {cpu: \"3920m\"}}\n---\n\
                 apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n---\n\
                 apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let open = counted("yaml", nodes, false, &[]);
    assert_eq!(amount(&open, "node"), (2.0, Known::AtLeast));
    assert_eq!(amount(&open, "vcore"), (8.0, Known::AtLeast));
    assert_eq!(
        amount(&open, "application-namespace"),
        (1.0, Known::AtLeast)
    );
    assert_eq!(amount(&open, "cluster"), (1.0, Known::Assumed));
}

#[test]
fn what_is_said_goes_before_what_is_counted() {
    let said = counted("json", POOLS, true, &[("node", 40.0), ("audit-gb", 7.5)]);
    assert_eq!(amount(&said, "node"), (40.0, Known::Said));
    assert_eq!(amount(&said, "audit-gb"), (7.5, Known::Said));
    assert_eq!(said.get(None).units, 1.0);
    let guide = guide();
    let (setting, estate, _) = estate_of(guide, &example("json", POOLS, true)).unwrap();
    let analyses = facts::analyses(guide, &setting, &estate);
    let wrong = BTreeMap::from([("nodes".to_owned(), 1.0)]);
    let error = Quantities::of(guide, &setting, &analyses, &wrong).unwrap_err();
    assert!(
        error.starts_with("`nodes` is no quantity; known are: cluster, node"),
        "{error}"
    );
}

#[test]
fn every_option_is_recognised_as_its_examples_say() {
    let guide = guide();
    let mut ran = 0;
    for topic in &guide.topics {
        for example in &topic.examples {
            assert_eq!(run(guide, topic, example), None);
            ran += 1;
        }
    }
    assert!(ran > 100, "{ran}");
}

#[test]
fn an_example_that_does_not_hold_is_told() {
    let guide = guide();
    let topic = guide
        .topics
        .iter()
        .find(|topic| &*topic.id == "api-server")
        .unwrap();
    let mut wrong = topic.examples[0].clone();
    wrong.example.expectation = Expectation::Bad;
    wrong.options = vec!["public-ranges".into(), "nothing".into()];
    let failure = run(guide, topic, &wrong).unwrap();
    assert_eq!(
        failure.problems,
        [
            "`public-ranges` is recognised",
            "`nothing` is no option that can be recognised"
        ]
    );
}

/// A guide of one topic with these options.
fn gaps(options: &str, rest: &str) -> Vec<String> {
    let topic = format!(
        "---\ntopic: t\ntitle: T\nseed: x\norder: 1\nquestion: Q?\noptions:\n{options}references: []\n---\n# T\n\nText.\n{rest}"
    );
    let files = [
        ("variables.cel", ""),
        ("c/README.md", "---\ntitle: C\norder: 1\n---\nText.\n"),
        ("c/t/README.md", topic.as_str()),
        ("data/edges.yaml", "- { id: e, title: E }\n"),
        (
            "data/prices.yaml",
            "meters:\n- { meter: m, unit: u, about: a, unpriced: x, references: [] }\n",
        ),
        (
            "data/quantities.yaml",
            "- { quantity: q, about: qs, assumed: 2 }\n",
        ),
        (
            "data/shared.yaml",
            "- { shared: s, title: S, effort_days: 1 }\n",
        ),
    ];
    let (guide, errors) = Guide::load(files.iter().copied());
    let errors = errors.into_iter().map(|error| error.message);
    let gaps = crate::complete::gaps(&guide);
    errors
        .chain(
            gaps.into_iter()
                .filter(|gap| gap.starts_with("the option ") || gap.contains("can ask for")),
        )
        .collect()
}

#[test]
fn what_an_option_names_must_exist() {
    let option = |more: &str| {
        format!("- {{ id: o, title: O, trade_off: x, effort_days: [1, 2], unseen: why, {more} }}\n")
    };
    assert_eq!(
        gaps(
            &option("price: [{ meter: m, units: 1, per: q }], shared: [s], requires: [[o, t/o]]"),
            ""
        ),
        Vec::<String>::new()
    );
    for (more, said) in [
        (
            "price: [{ meter: lost, units: 1 }]",
            "the option t/o is charged by `lost`, which is no meter",
        ),
        (
            "price: [{ meter: m, units: 1, per: p }]",
            "the option t/o is charged per `p`, which is no quantity",
        ),
        (
            "shared: [r]",
            "the option t/o shares `r`, which is not in data/shared.yaml",
        ),
        (
            "requires: [p]",
            "the option t/o names `t/p`, which is no option",
        ),
        (
            "requires: [[o, p]]",
            "the option t/o names `t/p`, which is no option",
        ),
        (
            "conflicts: [u/o]",
            "the option t/o names `u/o`, which is no option",
        ),
        ("recognised: \"true\"", "what is recognised is not `unseen`"),
        ("effort: 1", "unknown key `effort`"),
        ("ends: 2026", "`ends` must be a string"),
        ("preview: soon", "`preview` must be true or false"),
    ] {
        let gaps = gaps(&option(more), "");
        assert!(
            gaps.iter().any(|gap| gap.starts_with(said)),
            "{more}: {gaps:?}"
        );
    }
    for (effort, said) in [
        ("[2, 1]", "must begin with its smaller end"),
        ("-1", "must begin with its smaller end"),
        ("[1]", "must be a number or two"),
        ("[a, b]", "must be a number or two"),
        ("soon", "must be a number or two"),
    ] {
        let option =
            format!("- {{ id: o, title: O, trade_off: x, unseen: why, effort_days: {effort} }}\n");
        let gaps = gaps(&option, "");
        assert!(
            gaps.iter().any(|gap| gap.contains(said)),
            "{effort}: {gaps:?}"
        );
    }
}

#[test]
fn what_is_recognised_has_an_example_on_both_sides() {
    let option =
        "- { id: o, title: O, trade_off: x, recognised: \"facts.all.Pod.exists(p, true)\" }\n";
    assert_eq!(
        gaps(option, ""),
        [
            "the option t/o has no example in which it is recognised",
            "the option t/o has no example in which it is not recognised"
        ]
    );
    let both = "\n## Examples\n```yaml recognised o\nkind: Pod\n```\n```yaml not-recognised o whole\nkind: Pod\n```\n";
    assert_eq!(gaps(option, both), Vec::<String>::new());
    assert_eq!(
        gaps("- { id: o, title: O, trade_off: x }\n", ""),
        ["the option t/o says neither how it is recognised nor why it is `unseen`"]
    );
    let open = "- { id: o, title: O, trade_off: x, recognised: \"facts.everything.Pod.exists(p, true)\" }\n";
    assert!(
        gaps(open, both)
            .iter()
            .any(|gap| gap.contains("can ask for"))
    );
    assert!(
        gaps(
            option,
            "\n## Examples\n```yaml recognised\nkind: Pod\n```\n"
        )[0]
        .contains("stand behind the word")
    );
}

/// Two clusters, of which one has commands through Azure switched off, and none local accounts.
const TWO: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"profile": {"type": "object"}},
  "resources": [
    {
      "type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
      "location": "westeurope",
      "properties": {"apiServerAccessProfile": {"disableRunCommand": true}}
    },
    {
      "type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop-two",
      "location": "westeurope",
      "properties": {}
    }
  ]
}"#;

fn said_of(text: &str, option: &str) -> Recognition {
    let guide = guide();
    let (setting, estate, unread) = estate_of(guide, &example("json", text, true)).unwrap();
    assert_eq!(unread, Vec::<String>::new());
    let analyses = facts::analyses(guide, &setting, &estate);
    let (_, option) = guide.option(option).unwrap();
    recognise(
        guide,
        &setting,
        &analyses,
        option.recognised.as_ref().unwrap(),
    )
}

#[test]
fn each_of_several_clusters_is_asked_by_itself() {
    const OFF: &str = "api-server/run-command-off";
    assert_eq!(said_of(TWO, OFF), Recognition::Partly(1, 2));
    assert_eq!(
        said_of(TWO, "api-server/local-accounts-off"),
        Recognition::NotChosen
    );
    let both = TWO.replace(
        "\"properties\": {}",
        "\"properties\": {\"apiServerAccessProfile\": {\"disableRunCommand\": true}}",
    );
    assert_eq!(said_of(&both, OFF), Recognition::Chosen);
    let unknown = TWO.replace(
        "\"properties\": {}",
        "\"properties\": {\"apiServerAccessProfile\": \"[parameters('profile')]\"}",
    );
    // Of the other it is not known: it is not said to have it.
    assert_eq!(said_of(&unknown, OFF), Recognition::Partly(1, 2));
}
