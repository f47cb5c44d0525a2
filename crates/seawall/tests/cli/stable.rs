//! Same input, same bytes.

use crate::run::{Folder, PRIVILEGED, pod};

const FORMATS: [&str; 8] = [
    "terminal",
    "json",
    "sarif",
    "html",
    "junit",
    "markdown",
    "csv",
    "policyreport",
];

/// Enough files and documents to be read and judged on several threads.
fn estate(names: impl Iterator<Item = usize>) -> Folder {
    let folder = Folder::new();
    for number in names {
        let extra = if number % 3 == 0 { PRIVILEGED } else { "" };
        let text = format!(
            "{}---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: n{}}}\nspec: {{type: NodePort, ports: [{{port: 80}}]}}\n---\nbroken: [\n",
            pod(&format!("p{number}"), extra),
            number % 5
        );
        folder.write(&format!("{}/{number}.yaml", number % 7), text);
    }
    folder
}

#[test]
fn the_same_bytes_twice_in_every_format() {
    let folder = estate(0..60);
    for format in FORMATS {
        let run = || {
            folder
                .assess(&[".", "--whole", "--verdicts", "all", "--format", format])
                .out
        };
        let first = run();
        assert!(first.len() > 1000, "{format}");
        for _ in 0..2 {
            assert!(first == run(), "{format} differs between two runs");
        }
    }
}

#[test]
fn the_order_of_files_does_not_hang_on_the_disk() {
    // Folders list their entries in the order of creation on many file systems.
    let (one, other) = (estate(0..60), estate((0..60).rev()));
    for format in FORMATS {
        let run = |folder: &Folder| folder.assess(&[".", "--whole", "--format", format]).out;
        assert!(
            run(&one) == run(&other),
            "{format} depends on the order of creation"
        );
    }
}

#[test]
fn a_path_given_twice_counts_once() {
    let folder = estate(0..3);
    let once = folder.json(&["."]);
    let twice = folder.json(&[".", "."]);
    assert_eq!(once.value["findings"], twice.value["findings"]);
    assert_eq!(
        once.value["coverage"]["totals"],
        twice.value["coverage"]["totals"]
    );
}
