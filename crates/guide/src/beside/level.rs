//! The strictest level of Pod Security that all workloads of a namespace satisfy. The guide's own guidelines decide,
//! those that map to the level's controls.

use model::Estate;

use crate::catalogue::Guide;
use crate::judge::{Judge, Setting, VerdictWord};

/// The levels that a namespace can enforce, strictest first, and the frameworks whose guidelines make each.
const LEVELS: [(&str, &[&str]); 2] = [
    ("restricted", &["pss-baseline", "pss-restricted"]),
    ("baseline", &["pss-baseline"]),
];

pub(crate) fn of(
    guide: &Guide,
    setting: &Setting,
    estate: &Estate,
    namespace: &str,
) -> &'static str {
    for (level, frameworks) in LEVELS {
        let judge = Judge::new(guide, setting, |guideline| {
            let mut frameworks = frameworks.iter();
            frameworks.any(|framework| guideline.controls(framework).next().is_some())
        });
        let satisfied = estate
            .workloads_in(namespace)
            .filter_map(|id| estate.get(id))
            .all(|workload| {
                let verdicts = judge.local(workload).verdicts;
                let holds = |word: VerdictWord| {
                    matches!(word, VerdictWord::Pass | VerdictWord::NotApplicable)
                };
                verdicts.iter().all(|(_, word)| holds(*word))
            });
        if satisfied {
            return level;
        }
    }
    "privileged"
}
