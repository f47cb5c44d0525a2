//! What `deploy/` holds for the server, judged by the guide.

use crate::rendering::tools;
use crate::run::{Folder, Json, repository};

fn assessed(path: &str) -> Json {
    let path = repository("deploy").join(path);
    let args = ["assess", path.to_str().unwrap(), "--format", "json"];
    Folder::new().run_with(&args, b"", tools()).json()
}

#[test]
fn the_own_chart_manifests_and_identity_fail_nothing() {
    for (path, accepted) in [("chart", 10), ("manifests", 4), ("azure", 2)] {
        let report = assessed(path);
        let failing: Vec<String> = report
            .findings()
            .into_iter()
            .filter(|finding| finding.contains("fail"))
            .collect();
        assert_eq!(failing, Vec::<String>::new(), "{path}");
        assert_eq!(report.code, 0, "{path}");
        let unread: Vec<String> = report
            .documents()
            .into_iter()
            .filter(|line| line.contains("unre"))
            .collect();
        assert_eq!(unread, Vec::<String>::new(), "{path}");
        assert_eq!(
            report.waived().len(),
            accepted,
            "{path}: {:?}",
            report.waived()
        );
    }
}
