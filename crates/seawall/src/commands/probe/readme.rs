//! The folder of a plan: the Jobs, how to run them, and what was planned as people read it.

use std::fmt::Write as _;
use std::path::Path;

use generate::File;
use report::{count, shell_word};

use super::manifest::{Job, LABEL};
use super::plan::Plan;
use crate::output;

/// Lists on the terminal are cut here; the README has all.
const MOST: usize = 12;

pub(super) fn files(plan: &Plan, out: &Path, image: &str) -> Vec<File> {
    let mut files: Vec<File> = plan
        .jobs
        .iter()
        .map(|job| File {
            path: job.file(),
            text: job.yaml(),
        })
        .collect();
    files.push(File {
        path: "README.md".to_owned(),
        text: readme(plan, out, image),
    });
    files
}

fn readme(plan: &Plan, out: &Path, image: &str) -> String {
    let folder = shell_word(&out.display().to_string());
    let mut page = format!(
        "# Probes\n\n\
         {} that try from inside what network policies say. `seawall probe plan` wrote them; each runs\n\
         `seawall probe run` of `{image}` once and prints one line.\n\n\
         ```sh\n\
         kubectl apply -f {folder}\n\
         kubectl wait job --all-namespaces -l {LABEL}=true --for=condition=complete --timeout=6m\n\
         kubectl get pods --all-namespaces -l {LABEL}=true \\\n  \
           -o jsonpath='{{range .items[*]}}{{.metadata.namespace}} {{.metadata.name}}{{\"\\n\"}}{{end}}' |\n  \
           while read -r namespace pod; do kubectl logs -n \"$namespace\" \"$pod\" </dev/null; done > probed.jsonl\n\
         kubectl delete -f {folder}\n\
         seawall assess --cluster --probed probed.jsonl\n\
         ```\n\n",
        count(plan.jobs.len(), "Job"),
    );
    page.push_str(
        "What they are: pods with a workload's labels in its namespace, so that policies take them for it. They have no\n\
         token and no account of it, satisfy the restricted Pod Security Standard, and are never ready (a readiness gate\n\
         that nobody sets): no Service sends them anything. A Job owns them, so no ReplicaSet or StatefulSet adopts them.\n\n",
    );
    let held: Vec<&str> = plan
        .jobs
        .iter()
        .flat_map(|job| &job.held)
        .map(String::as_str)
        .collect();
    if !held.is_empty() {
        let _ = writeln!(
            page,
            "**While they are there, these PodDisruptionBudgets allow no eviction** (a Job has no scale that they could \
             count by), so drain no node meanwhile, and delete them soon: {}.\n",
            held.join(", ")
        );
    }
    page.push_str("| stands for | also for | tries | Job |\n|---|---|---|---|\n");
    for job in &plan.jobs {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | [{}]({}) |",
            job.of,
            job.alike
                .iter()
                .map(|label| format!("`{label}`"))
                .collect::<Vec<_>>()
                .join(", "),
            tries(job),
            job.name,
            job.file()
        );
    }
    if !plan.left_out.is_empty() {
        page.push_str("\nNobody stands in for:\n\n");
        for (workload, why) in &plan.left_out {
            let _ = writeln!(page, "- `{workload}`: {why}");
        }
    }
    page
}

fn tries(job: &Job) -> String {
    let left = match job.more {
        0 => String::new(),
        more => format!(", {} not", count(more, "workload")),
    };
    format!("{}{left}", count(job.targets.len(), "target"))
}

/// What was planned, and what comes next.
pub(super) fn summary(plan: &Plan, out: &Path, width: usize) -> String {
    let mut page = format!(
        "{} in {} to run once in the place of\n",
        count(plan.jobs.len(), "Job"),
        out.display()
    );
    let more = |page: &mut String, all: usize| {
        if all > MOST {
            let _ = writeln!(page, "  … and {} more, see README.md there", all - MOST);
        }
    };
    for job in plan.jobs.iter().take(MOST) {
        let alike = match job.alike.len() {
            0 => String::new(),
            others => format!(" (and {others} alike)"),
        };
        let _ = writeln!(page, "  {}{alike}: {}", job.of, tries(job));
    }
    more(&mut page, plan.jobs.len());
    if !plan.left_out.is_empty() {
        page.push_str("\nNobody stands in for\n");
        for (workload, why) in plan.left_out.iter().take(MOST) {
            for (at, line) in output::folded(&format!("{workload}: {why}"), width.saturating_sub(4))
                .iter()
                .enumerate()
            {
                let before = if at == 0 { "  " } else { "    " };
                let _ = writeln!(page, "{before}{line}");
            }
        }
        more(&mut page, plan.left_out.len());
    }
    let held: Vec<&str> = plan
        .jobs
        .iter()
        .flat_map(|job| &job.held)
        .map(String::as_str)
        .collect();
    if !held.is_empty() {
        let text = format!(
            "While they are there, PodDisruptionBudgets allow no eviction: {}",
            held.join(", ")
        );
        page.push('\n');
        for line in output::folded(&text, width) {
            let _ = writeln!(page, "{line}");
        }
    }
    let shown = shell_word(&out.display().to_string());
    let _ = write!(
        page,
        "\nNothing was applied. Next: read {}, then kubectl apply -f {shown}\n",
        out.join("README.md").display()
    );
    page
}
