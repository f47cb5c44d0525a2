//! The guide that the binary carries: its examples behave, and every page can be read.

use crate::run::Folder;

#[test]
fn every_example_behaves() {
    let ran = Folder::new().run(&["guide", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.ends_with(" 0 failed\n"), "{}", ran.out);
}

#[test]
fn every_id_can_be_explained() {
    let folder = Folder::new();
    let list = folder.run(&["guide", "list"]);
    assert_eq!(list.code, 0);
    let severities = ["critical", "high", "medium", "low"];
    let ids: Vec<&str> = list
        .out
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            words
                .next()
                .filter(|word| line.starts_with("  ") && severities.contains(word))?;
            words.next()
        })
        .collect();
    assert!(ids.len() > 100, "{}", ids.len());
    assert!(
        list.out.contains(&format!("{} guidelines", ids.len())),
        "{}",
        list.out
    );
    for id in ids {
        let page = folder.run(&["explain", id]);
        assert_eq!((page.code, &*page.err), (0, ""), "{id}");
        assert!(page.out.lines().count() > 4, "{id}: {}", page.out);
    }
}
