//! Every fixture of Kubernetes' own Pod Security Standards, at every level and version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::run::{Folder, text};

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_fixture_is_judged_as_kubernetes_judges_it() {
    let data = oracle::fixture("pss-testdata").unwrap();
    let here = Folder::new();
    let (mut files, mut wrong) = (0, Vec::new());
    for level in ["baseline", "restricted"] {
        let versions = names(&data.join(level));
        assert!(
            versions.len() >= 35,
            "{level} has {} versions",
            versions.len()
        );
        for version in versions {
            let folder = data.join(level).join(&version);
            let report = here.json(&[
                folder.to_str().unwrap(),
                "--framework",
                &format!("pss-{level}"),
                "--kubernetes",
                version.trim_start_matches('v'),
                "--fail-on",
                "none",
            ]);
            assert_eq!(report.code, 0, "{level} {version} was read");
            let mut verdicts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for finding in report.list("/findings") {
                let path = text(&finding["locations"][0]["path"]);
                let (fail, unknown) = verdicts.entry(path).or_default();
                *(if finding["verdict"] == "fail" {
                    fail
                } else {
                    unknown
                }) += 1;
            }
            for expected in ["pass", "fail"] {
                for name in names(&folder.join(expected)) {
                    files += 1;
                    let path = folder.join(expected).join(&name);
                    let (fail, unknown) = verdicts
                        .get(path.to_str().unwrap())
                        .copied()
                        .unwrap_or_default();
                    if (fail > 0) != (expected == "fail") || unknown > 0 {
                        wrong.push(format!(
                            "{level} {version} {expected}/{name}: {fail} fail, {unknown} unknown"
                        ));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {files} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(files >= 4000, "only {files} fixtures");
}
