//! What is generated is read back. For sets of decisions in which every two answers meet: assessed clean but for
//! waivers that name a chosen option, every chosen option recognised, and no way in that was not accepted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use generate::{Class, Decisions, Intent, Namespace, Plan, Questions, files, pairs};
use guide::Guide;

use super::INTENT;
use crate::run::{DAY, Folder, Json};

/// What all sets are made with.
struct Made {
    guide: Guide,
    questions: Questions,
    intent: Intent,
}

impl Made {
    fn new() -> Self {
        let (guide, problems) = Guide::builtin();
        assert!(problems.is_empty(), "{problems:?}");
        let questions = Questions::of(&guide).unwrap();
        let intent = Intent::parse(INTENT, "1.34").unwrap();
        Self {
            guide,
            questions,
            intent,
        }
    }

    fn plan(&self, decisions: Decisions, language: &str) -> Plan {
        let intent = Intent {
            decisions,
            infrastructure: vec![language.into()],
            ..self.intent.clone()
        };
        Plan::of(intent, &self.guide, &self.questions, 2026).unwrap()
    }

    fn write(&self, plan: &Plan) -> Folder {
        let folder = Folder::new();
        for file in files(plan, &self.guide).unwrap() {
            folder.write(&file.path, file.text);
        }
        folder
    }
}

/// Of how many sets one is asked for ways in, which takes seconds; 1 with `SEAWALL_TEST_SETS=all`.
fn one_in(usual: usize) -> usize {
    let all = std::env::var("SEAWALL_TEST_SETS").is_ok_and(|sets| sets == "all");
    if all { 1 } else { usual }
}

/// For one in so many sets of decisions, and each language: everything that is not as it should be.
fn each(step: usize, check: impl Fn(&Made, &Plan, &Folder) -> Vec<String>) {
    let made = Made::new();
    let sets = pairs(&made.guide, &made.questions);
    assert!(sets.len() > 10, "{}", sets.len());
    let mut wrong = Vec::new();
    for (number, set) in sets.iter().enumerate().step_by(step) {
        for language in ["bicep", "terraform"] {
            let plan = made.plan(set.clone(), language);
            let folder = made.write(&plan);
            for line in check(&made, &plan, &folder) {
                wrong.push(format!("{number} {language}: {line}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} sets:\n{}",
        wrong.len(),
        sets.len(),
        wrong.join("\n")
    );
}

fn json(folder: &Folder, args: &[&str]) -> Json {
    folder
        .run(&[args, &["--as-of", DAY, "--format", "json"]].concat())
        .json()
}

#[test]
fn all_pairs_of_answers_are_judged_clean() {
    each(1, |_, plan, folder| {
        let report = json(folder, &["assess", "."]);
        let mut wrong = report.findings();
        wrong.extend((report.code != 0).then(|| format!("exit code {}", report.code)));
        // What is accepted says which choice implies it.
        let allowed: BTreeSet<&str> = plan
            .waivers
            .iter()
            .map(|waiver| &*waiver.guideline)
            .collect();
        for waived in report.waived() {
            if !allowed.iter().any(|guideline| waived.contains(guideline)) {
                wrong.push(format!("waived, and no choice implies it: {waived}"));
            }
        }
        wrong
    });
}

#[test]
fn every_choice_is_recognised_and_no_way_in_is_left() {
    each(one_in(9), |made, plan, folder| {
        for namespace in &plan.clusters[0].namespaces {
            folder.write(
                &format!("workloads/{}.yaml", namespace.name),
                workload(plan, namespace),
            );
        }
        let decided = json(folder, &["decide", "."]);
        let seen: BTreeSet<&str> = decided
            .list("/chosenAlready")
            .iter()
            .filter_map(|id| id.as_str())
            .collect();
        let mut wrong = Vec::new();
        for full in &plan.chosen {
            let (_, option) = made.guide.option(full).unwrap();
            if option.recognised.is_some() && !seen.contains(full.as_str()) {
                wrong.push(format!("{full} is not recognised"));
            }
        }
        let ways = json(folder, &["paths", ".", "--sure"]);
        let started: Vec<&str> = ways
            .list("/entries")
            .iter()
            .filter_map(|one| one["kind"].as_str())
            .collect();
        assert!(started.contains(&"breached"), "{started:?}");
        for way in ways.list("/paths") {
            if way["entry"]["kind"] == "exposed" || way["entry"]["kind"] == "breached" {
                let (entry, jewel) = (&way["entry"]["id"], &way["jewel"]["id"]);
                wrong.push(format!("{entry} leads to {jewel}"));
            }
        }
        wrong
    });
}

/// What intents may leave out, or say.
const OTHERS: [&str; 5] = [
    "name: quiet\nenvironments: [{ name: prod, profile: regulated, range: 10.0.0.0/16 }]\nworkloads: [{ name: web, class: web, hosts: [a.example] }]\n",
    "name: aa\nenvironments: [{ name: one, range: 10.0.0.0/16 }]\ndecisions: { api-server: private }\n",
    "name: big-name01\ncompliance: [PCI-DSS]\npipeline: azure-devops\nenvironments:\n- { name: test, profile: development, range: 10.1.0.0/20 }\n- { name: stage, range: 10.2.0.0/20 }\n- { name: live, range: 10.3.0.0/20 }\nworkloads: [{ name: web, class: web, hosts: [a.example, b.example], uses: [storage] }]\n",
    "name: dev\npipeline: none\nenvironments: [{ name: dev, profile: development, range: 10.0.0.0/16 }]\nworkloads: [{ name: job, class: batch }, { name: run, class: untrusted, egress: [pypi.example] }]\n",
    "name: spoke\nnetwork: { hub: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub, firewall: 10.0.0.4 }\nenvironments: [{ name: prod, range: 10.9.0.0/21 }]\nworkloads: [{ name: api, class: internal, uses: [vault] }]\ndecisions: { network: hub-and-spoke, egress: firewall-egress }\n",
];

/// What every intent says.
const ALL: &str = "\
region: uksouth
owner: Team Platform
mail: sec@example.com
access:
  administrators: 11111111-1111-1111-1111-111111111111
  deployers: 22222222-2222-2222-2222-222222222222
  readers: 33333333-3333-3333-3333-333333333333
  ranges: [203.0.113.0/24]
";

#[test]
fn other_intents_are_judged_clean() {
    let made = Made::new();
    let mut wrong = Vec::new();
    for text in OTHERS {
        for language in ["bicep", "terraform"] {
            let intent = Intent::parse(&format!("{ALL}{text}"), "1.34").unwrap();
            let intent = Intent {
                infrastructure: vec![language.into()],
                ..intent
            };
            let name = intent.name.clone();
            let plan = Plan::of(intent, &made.guide, &made.questions, 2026).unwrap();
            let folder = made.write(&plan);
            let report = json(&folder, &["assess", "."]);
            let findings = report.findings().into_iter();
            wrong.extend(findings.map(|finding| format!("{name} {language}: {finding}")));
            wrong.extend(
                (report.code != 0).then(|| format!("{name} {language}: exit code {}", report.code)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A workload that does everything right, as somebody would put it into a namespace that is there.
fn workload(plan: &Plan, namespace: &Namespace) -> String {
    let Namespace {
        name: place,
        workload,
        ..
    } = namespace;
    let name = &workload.name;
    let untrusted = workload.class == Class::Untrusted;
    let tier = match workload.class {
        Class::Web => "exposed",
        Class::Internal | Class::Batch => "internal",
        Class::Untrusted => "untrusted",
    };
    let mut text = format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {place}
  labels: {{app.kubernetes.io/name: {name}, app.kubernetes.io/part-of: shop, owner: team-platform}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: shop
"
    );
    if !workload.uses.is_empty() {
        text.push_str("        azure.workload.identity/use: \"true\"\n");
    }
    if untrusted {
        text.push_str("        code: untrusted\n");
    }
    let _ = write!(
        text,
        "    \
    spec:
      serviceAccountName: {name}
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, runAsUser: 10101, runAsGroup: 10101, seccompProfile: {{type: RuntimeDefault}}}}
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: ScheduleAnyway
        labelSelector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}
"
    );
    if untrusted && plan.chosen.contains("sandboxes/pod-sandboxing") {
        text.push_str("      runtimeClassName: kata-vm-isolation\n");
    }
    let pool = plan.chosen.contains("separation/pool-per-tier")
        || untrusted && plan.chosen.contains("sandboxes/dedicated-nodes");
    if pool {
        let _ = write!(
            text,
            "      nodeSelector: {{tier: {tier}}}\n      tolerations: [{{key: tier, value: {tier}, effect: NoSchedule}}]\n"
        );
    }
    let vault = workload.uses.iter().any(|service| **service == *"vault")
        && plan.chosen.contains("secrets/key-vault-csi");
    if vault {
        let _ = write!(
            text,
            "      volumes:\n      - name: secrets\n        csi: {{driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {{secretProviderClass: {name}}}}}\n"
        );
    }
    let _ = write!(
        text,
        "      \
      containers:
      - name: app
        image: crshopprod.azurecr.io/{name}:1.0.0@sha256:41f9908acaa412eef32dd1f3cdf2fe77d7f080ff72587a4f2dbc3094171f658b
        securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{cpu: 500m, memory: 128Mi}}
"
    );
    if vault {
        text.push_str(
            "        volumeMounts: [{name: secrets, mountPath: /secrets, readOnly: true}]\n",
        );
    }
    if let Some(port) = workload.port {
        let _ = write!(
            text,
            "        \
        ports: [{{name: http, containerPort: {port}}}]
        readinessProbe: {{httpGet: {{path: /healthz, port: http}}}}
        livenessProbe: {{httpGet: {{path: /livez, port: http}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {place}}}
spec:
  selector: {{app.kubernetes.io/name: {name}}}
  ports: [{{name: http, port: {port}, targetPort: http}}]
"
        );
    }
    let _ = write!(
        text,
        "\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {name}, namespace: {place}}}
spec:
  maxUnavailable: 1
  selector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}
"
    );
    text
}
