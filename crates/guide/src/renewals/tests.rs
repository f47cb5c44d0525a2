//! Every page says what its examples show, and names guidelines that there are.

use std::path::{Path, PathBuf};

use super::*;

/// The guide as it stands in its folder: pages can be written without building anything.
fn guide() -> Guide {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guide");
    let (mut files, mut folders): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy();
            (name.into_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let texts = texts.iter();
    let (guide, errors) = Guide::load(texts.map(|(name, text)| (name.as_str(), text.as_str())));
    assert!(errors.is_empty(), "{errors:?}");
    guide
}

#[test]
fn every_page_says_what_its_examples_show() {
    let guide = guide();
    let mut wrong = String::new();
    for renewal in &guide.renewals {
        for failure in run(&guide, renewal) {
            wrong.push_str(&format!("\nguide/{}:{}\n  ", failure.file, failure.line));
            wrong.push_str(&failure.problems.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn pages_name_guidelines_that_exist() {
    let guide = guide();
    for renewal in &guide.renewals {
        if let Some(id) = &renewal.guideline {
            assert!(guide.guideline(id).is_some(), "{}: {id}", renewal.file);
        }
    }
}

#[test]
fn what_stands_in_a_command_is_one_word() {
    let page = "---\nid: x\ntitle: Things\napplies: ConfigMap\n---\nWhy.\n\n> thing `{object.metadata.name}`\n\n\
```step\nDo it to {object.metadata.name}.\necho {object.metadata.name} {object.metadata.absent}\n```\n## Examples\n\
```yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a'; rm -rf $HOME\\nls\"} # renew: thing `a'; rm -rf $HOME\n```\n";
    let files = [("renewals/x.md", page)];
    let (guide, errors) = Guide::load(files.into_iter());
    assert!(errors.is_empty(), "{errors:?}");
    let renewal = &guide.renewals[0];
    let text = run(&guide, renewal)
        .iter()
        .flat_map(|failure| failure.problems.clone())
        .collect::<Vec<_>>()
        .join("\n");
    // The text itself shows the line break; commands never have one that the page did not write.
    assert!(text.contains("is found besides"), "{text}");
    let example = &renewal.examples[0].example;
    let (setting, estate, _) = crate::examples::shown_estate_of(&guide, example, |_| ()).unwrap();
    let analyses = crate::facts::analyses(&guide, &setting, &estate);
    let found = due(&guide, &setting, &analyses);
    assert_eq!(
        found[0].steps[0].commands,
        ["echo 'a'\\''; rm -rf $HOME ls' '?'"]
    );
}
