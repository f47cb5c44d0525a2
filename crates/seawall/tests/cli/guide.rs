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

#[test]
fn pages_are_built_again_in_place_and_nowhere_else() {
    let folder = Folder::of(&[("full/notes.txt", "mine")]);
    let first = folder.run(&["guide", "build", "--out", "site"]);
    assert_eq!((first.code, &*first.err), (0, ""));
    let path = |name: &str| folder.path().join("site").join(name);
    let list = std::fs::read_to_string(path(".seawall-guide")).unwrap();
    let files: Vec<&str> = list.lines().collect();
    assert_eq!(
        first.out,
        format!(
            "{} pages in site; open site/index.html\n",
            files.iter().filter(|file| file.ends_with(".html")).count()
        )
    );
    let read = || -> Vec<Vec<u8>> {
        files
            .iter()
            .map(|name| std::fs::read(path(name)).unwrap())
            .collect()
    };
    let bytes = read();
    // A page of an earlier guide goes, a file of somebody else stays, nothing outside is touched.
    folder.write("site/old.html", "old");
    folder.write("site/own.txt", "mine");
    folder.write(
        "site/.seawall-guide",
        format!("{list}old.html\n../full/notes.txt\n"),
    );
    let second = folder.run(&["guide", "build", "--out", "site"]);
    assert_eq!((second.code, &second.out), (0, &first.out));
    assert_eq!(read(), bytes);
    assert_eq!(
        std::fs::read_to_string(path(".seawall-guide")).unwrap(),
        list
    );
    assert!(!path("old.html").exists());
    assert!(path("own.txt").exists());

    let refused = folder.run(&["guide", "build", "--out", "full"]);
    assert_eq!((refused.code, &*refused.out), (2, ""));
    assert_eq!(
        refused.err,
        "error: `full` holds files that are no build of the guide\n  help: name a new folder, or empty this one first\n"
    );
    assert_eq!(
        std::fs::read_dir(folder.path().join("full"))
            .unwrap()
            .count(),
        1
    );
}
