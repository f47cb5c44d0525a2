//! The Job of a probe, as YAML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sources::probe::{Target, Workload};

/// A probe that stands in for a workload's pods.
#[derive(Debug)]
pub(super) struct Job {
    /// What the Job is called.
    pub(super) name: String,
    /// Whose place it takes.
    pub(super) of: Workload,
    /// Workloads that no policy tells apart from it.
    pub(super) alike: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) node_selector: BTreeMap<String, String>,
    pub(super) targets: Vec<Target>,
    /// Other workloads that are not tried.
    pub(super) more: usize,
    /// PodDisruptionBudgets that allow nothing while it is there.
    pub(super) held: Vec<String>,
    pub(super) image: String,
}

/// On every probe's pod: what the three commands of the README find it by.
pub(super) const LABEL: &str = "seawall.dev/probe";

impl Job {
    /// Where it is written.
    pub(super) fn file(&self) -> String {
        format!("{}.{}.yaml", self.of.namespace, self.name)
    }

    pub(super) fn yaml(&self) -> String {
        let mut page = format!("# In the place of {}.\n", self.of);
        for line in [
            "apiVersion: batch/v1",
            "kind: Job",
            "metadata:",
            &format!("  name: {}", self.name),
            &format!("  namespace: {}", quoted(&self.of.namespace)),
            "  labels:",
            "    app.kubernetes.io/managed-by: seawall",
            &format!("    {LABEL}: \"true\""),
            "spec:",
            "  backoffLimit: 0",
            "  activeDeadlineSeconds: 300",
            "  ttlSecondsAfterFinished: 3600",
            "  template:",
            "    metadata:",
            "      annotations:",
            "        # A proxy beside it would accept every connection itself.",
            "        linkerd.io/inject: disabled",
            "      labels:",
            &format!("        {LABEL}: \"true\""),
            "        sidecar.istio.io/inject: \"false\"",
        ] {
            let _ = writeln!(page, "{line}");
        }
        entries(&mut page, "        ", &self.labels);
        for line in [
            "    spec:",
            "      restartPolicy: Never",
            "      terminationGracePeriodSeconds: 0",
            "      # No token, no rights, no account of the workload.",
            "      automountServiceAccountToken: false",
            "      enableServiceLinks: false",
            "      # Nobody ever sets this condition, so the pod is never ready and Services that",
            "      # select its labels send it nothing.",
            "      readinessGates:",
            "      - conditionType: seawall.dev/never-ready",
            "      nodeSelector:",
        ] {
            let _ = writeln!(page, "{line}");
        }
        entries(&mut page, "        ", &self.node_selector);
        for line in [
            "      securityContext:",
            "        runAsNonRoot: true",
            "        runAsUser: 65532",
            "        runAsGroup: 65532",
            "        seccompProfile:",
            "          type: RuntimeDefault",
            "      containers:",
            "      - name: probe",
            &format!("        image: {}", quoted(&self.image)),
            "        args:",
            "        - probe",
            "        - run",
            &format!("        - {}", quoted(&format!("--as={}", self.of))),
            "        - --node-address=$(NODE_ADDRESS)",
            "        - --node-name=$(NODE_NAME)",
        ] {
            let _ = writeln!(page, "{line}");
        }
        for target in &self.targets {
            let _ = writeln!(page, "        - {}", quoted(&format!("--target={target}")));
        }
        for line in [
            "        env:",
            "        - name: NODE_ADDRESS",
            "          valueFrom:",
            "            fieldRef:",
            "              fieldPath: status.hostIP",
            "        - name: NODE_NAME",
            "          valueFrom:",
            "            fieldRef:",
            "              fieldPath: spec.nodeName",
            "        securityContext:",
            "          allowPrivilegeEscalation: false",
            "          readOnlyRootFilesystem: true",
            "          capabilities:",
            "            drop: [ALL]",
            "        resources:",
            "          requests:",
            "            cpu: 10m",
            "            memory: 32Mi",
            "          limits:",
            "            cpu: 200m",
            "            memory: 128Mi",
        ] {
            let _ = writeln!(page, "{line}");
        }
        page
    }
}

fn entries(page: &mut String, before: &str, entries: &BTreeMap<String, String>) {
    for (key, value) in entries {
        let _ = writeln!(page, "{before}{}: {}", quoted(key), quoted(value));
    }
}

/// A text in double quotes, as YAML and JSON read it alike; an argument is no reference to a variable.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
