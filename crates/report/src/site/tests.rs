//! Every page of the built-in guide: links, titles, headings, escaping.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use guide::Guide;

use super::*;

fn guide() -> &'static Guide {
    static GUIDE: LazyLock<Guide> = LazyLock::new(|| {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        guide
    });
    &GUIDE
}

/// Every fix of the guide is made for it, so it is made once.
fn built() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| build(guide(), &Beside::default()));
    &BUILT
}

fn page_at(path: &str) -> &'static Page {
    let mut pages = built().pages.iter();
    pages.find(|page| *page.path == *path).unwrap()
}

/// What stands between two texts, every time.
fn all<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    text.split(open)
        .skip(1)
        .map(|rest| rest.split(close).next().unwrap())
        .collect()
}

/// The path an address leads to from a page.
fn target(from: &str, href: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in href.split('/') {
        if part == ".." {
            parts.pop().unwrap();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_somewhere() {
    let pages = &built().pages;
    let ids: BTreeMap<&str, BTreeSet<&str>> = pages
        .iter()
        .map(|page| {
            (
                &*page.path,
                all(&page.html, " id=\"", "\"").into_iter().collect(),
            )
        })
        .collect();
    let mut checked = 0;
    for page in pages {
        for href in all(&page.html, "href=\"", "\"") {
            if href.starts_with("https://") || href == "data:," {
                continue;
            }
            assert!(
                !href.contains(':') && !href.starts_with('/'),
                "{}: {href}",
                page.path
            );
            checked += 1;
            let (file, fragment) = href.split_once('#').unwrap_or((href, ""));
            let to = if file.is_empty() {
                page.path.to_string()
            } else {
                target(&page.path, file)
            };
            if built().assets.iter().any(|asset| asset.path == to) {
                continue;
            }
            let known = ids
                .get(&*to)
                .unwrap_or_else(|| panic!("{}: {href} leads to {to}", page.path));
            assert!(
                fragment.is_empty() || known.contains(fragment),
                "{}: {href}",
                page.path
            );
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn every_page_can_be_reached_and_no_path_occurs_twice() {
    let pages = &built().pages;
    let mut seen = BTreeSet::from([front::PATH.to_owned()]);
    let mut queue = vec![front::PATH.to_owned()];
    while let Some(path) = queue.pop() {
        let page = pages.iter().find(|page| *page.path == *path).unwrap();
        for href in all(&page.html, "href=\"", "\"") {
            let file = href.split('#').next().unwrap();
            let to = target(&path, file);
            if file.ends_with(".html") && !file.contains(':') && seen.insert(to.clone()) {
                queue.push(to);
            }
        }
    }
    let paths: BTreeSet<String> = pages.iter().map(|page| page.path.to_string()).collect();
    assert_eq!(paths.len(), pages.len());
    assert_eq!(paths, seen);
    assert_eq!(paths, Site::new(guide(), &Beside::default()).paths);
}

#[test]
fn pages_are_whole() {
    let mut titles = BTreeSet::new();
    for Page { path, html } in &built().pages {
        assert!(
            titles.insert(all(html, "<title>", "</title>").concat()),
            "{path}"
        );
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{path}"
        );
        for once in [
            "<h1>",
            "<main ",
            "<header ",
            "<footer>",
            "rel=\"stylesheet\"",
            "aria-label=\"The guide\"",
        ] {
            assert_eq!(html.matches(once).count(), 1, "{path}: {once}");
        }
        let main = all(html, "</h1>", "</main>").concat();
        assert!(main.len() > 300, "{path} is empty: {main}");
        for outside in ["<img", "@import", " style=", "<iframe", "url("] {
            assert!(!html.contains(outside), "{path}: {outside}");
        }
        let ids = all(html, " id=\"", "\"");
        let different: BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "{path}: {ids:?}");
        for label in all(html, "aria-labelledby=\"", "\"") {
            assert!(ids.contains(&label), "{path}: {label}");
        }
        let levels: Vec<u8> = all(html, "<h", ">")
            .into_iter()
            .filter_map(|rest| rest.bytes().next().filter(u8::is_ascii_digit))
            .map(|digit| digit - b'0')
            .collect();
        for (above, below) in levels.iter().zip(levels.iter().skip(1)) {
            assert!(*below <= above + 1, "{path}: {levels:?}");
        }
        // Markdown that was not understood.
        let text: String = html
            .split("<code")
            .map(|part| part.split("</code>").last().unwrap())
            .collect();
        for left in ["```", "](", "\n| ", "\n## ", "**"] {
            assert!(!text.contains(left), "{path}: {left}");
        }
        assert!(
            !html.chars().any(|c| c != '\n' && crate::text::hostile(c)),
            "{path}"
        );
    }
}

#[test]
fn same_guide_same_bytes() {
    assert_eq!(*built(), build(guide(), &Beside::default()));
}

#[test]
fn findings_stand_at_their_line() {
    for guideline in &guide().guidelines {
        let path = guideline_path(guideline);
        let page = page_at(&path);
        let marks: usize = guideline
            .examples
            .iter()
            .flat_map(|example| &example.files)
            .flat_map(|file| file.text.lines())
            .map(|line| crate::explain::marked(line).1.len())
            .sum();
        assert!(marks > 0, "{path}");
        assert_eq!(
            page.html.matches("<span class=\"said\">").count(),
            marks,
            "{path}"
        );
        for left in ["# finding: ", "// finding: ", "# unknown: ", "// unknown: "] {
            assert!(!page.html.contains(left), "{path}");
        }
    }
}

#[test]
fn controls_without_guidelines_say_so() {
    let guide = guide();
    for known in &guide.frameworks {
        let path = framework::path(&known.id);
        let page = page_at(&path);
        let without = known
            .controls
            .iter()
            .filter(|(control, _)| {
                let answer = (known.id.clone(), control.clone());
                !guide
                    .guidelines
                    .iter()
                    .any(|guideline| guideline.controls(&known.id).any(|own| own == &**control))
                    && !guide
                        .detections
                        .iter()
                        .any(|detection| detection.frameworks.contains(&answer))
            })
            .count();
        assert_eq!(
            page.html.matches(">no guideline<").count(),
            without,
            "{path}"
        );
    }
}

#[test]
fn every_address_stands_once_among_the_links() {
    let page = page_at(links::PATH);
    let shown = all(&page.html, "<a href=\"https://", "\"");
    let different: BTreeSet<&&str> = shown.iter().collect();
    assert_eq!(shown.len(), different.len());
    for guideline in &guide().guidelines {
        for reference in &guideline.references {
            let escaped = reference.url.replace('&', "&amp;");
            assert!(
                shown.contains(&escaped.trim_start_matches("https://")),
                "{escaped}"
            );
        }
    }
}

#[test]
fn a_guide_cannot_write_markup() {
    let bad = "<script>alert(1)</script> [x](javascript:alert(1)) \"'&";
    let front =
        format!("# {bad}\n\n{bad}\n\n## {bad}\n\n| {bad} |\n|---|\n| {bad} |\n\n```\n{bad}\n```\n");
    let quoted = serde_json::Value::from(bad);
    let chapter = format!("---\ntitle: {quoted}\norder: 1\n---\n# x\n\n1. {bad}\n");
    let topic = format!(
        "---\ntopic: \"t <#%\"\ntitle: {quoted}\nrating: high\norder: 1\nquestion: {quoted}\noptions:\n\
         - {{id: o, title: {quoted}, trade_off: {quoted}, price: [{{meter: {quoted}, units: 1}}], requires: [{quoted}]}}\n\
         references: [{{url: \"javascript:alert(1)\", seen: {quoted}}}]\n---\n> {bad}\n\n{bad}\n"
    );
    let files = [
        ("README.md", front.as_str()),
        ("c/README.md", chapter.as_str()),
        ("c/t <#%/README.md", topic.as_str()),
    ];
    let (guide, errors) = Guide::load(files.into_iter());
    assert!(errors.is_empty(), "{errors:?}");
    let pages = build(&guide, &Beside::default()).pages;
    assert!(pages.iter().any(|page| &*page.path == "c/t <#%/index.html"));
    for Page { path, html } in pages {
        assert_eq!(html.matches("<script").count(), 1, "{path}");
        assert!(!html.contains("href=\"javascript"), "{path}");
        assert!(!html.contains("t <#%/"), "{path}");
    }
}

#[test]
fn addresses_are_relative() {
    assert_eq!(relative("index.html", "a/index.html"), "a/index.html");
    assert_eq!(relative("a/b/c.html", "a/index.html"), "../index.html");
    assert_eq!(relative("a/b/c.html", "a/b/d e.html"), "d%20e.html");
    assert_eq!(relative("a/b/c.html", "x/y.html"), "../../x/y.html");
    assert_eq!(relative("a/b.html", "a/b.html"), "b.html");
}

#[test]
fn pages_stay_small() {
    for page in &built().pages {
        assert!(
            page.html.len() < 200_000,
            "{}: {}",
            page.path,
            page.html.len()
        );
    }
    for asset in &built().assets {
        assert!(
            asset.text.len() < 200_000,
            "{}: {}",
            asset.path,
            asset.text.len()
        );
    }
}

#[test]
fn everything_can_be_searched_for() {
    let index = built()
        .assets
        .iter()
        .find(|asset| asset.path == search::INDEX_PATH)
        .unwrap();
    let entries = index
        .text
        .strip_prefix("seawallIndex(")
        .unwrap()
        .strip_suffix(");\n")
        .unwrap();
    let entries: Vec<[String; 5]> = serde_json::from_str(entries).unwrap();
    let found: BTreeSet<String> = entries
        .iter()
        .map(|[path, _, _, id, _]| match path.strip_suffix('/') {
            Some(folder) => format!("{folder}/{id}.html"),
            None => path.split('#').next().unwrap().to_owned(),
        })
        .collect();
    let pages: BTreeSet<String> = built()
        .pages
        .iter()
        .map(|page| page.path.to_string())
        .collect();
    let missing: Vec<_> = pages.difference(&found).collect();
    assert_eq!(missing, [front::PATH], "only where everybody is already");
    assert!(found.is_subset(&pages));
}

#[test]
fn fixes_are_shown_as_they_are_made() {
    let mut shown = 0;
    for guideline in &guide().guidelines {
        let page = page_at(&guideline_path(guideline));
        let changes = page
            .html
            .matches("<figure class=\"source change\">")
            .count();
        assert!(changes == 0 || !guideline.fixes.is_empty(), "{}", page.path);
        shown += usize::from(changes > 0);
    }
    let with_fixes = guide()
        .guidelines
        .iter()
        .filter(|own| !own.fixes.is_empty())
        .count();
    assert!(shown * 10 > with_fixes * 9, "{shown} of {with_fixes}");
}

#[test]
fn every_page_says_when_its_facts_were_checked() {
    for page in &built().pages {
        let said = all(&page.html, "<p class=\"checked\">", "</p>").concat();
        assert!(
            said.contains("<time datetime=\"2026-"),
            "{}: {said}",
            page.path
        );
    }
}

#[test]
fn what_is_left_out_is_no_guideline_and_leads_somewhere() {
    let beside = Beside::default();
    let site = Site::new(guide(), &beside);
    let all = left_out::read(&site).unwrap();
    assert!(!all.is_empty());
    for own in &all {
        if let Some(id) = &own.id {
            assert!(guide().guideline(id).is_none(), "{id} is judged");
        }
        for id in &own.instead {
            assert!(left_out::target(&site, id).is_some(), "{id}");
        }
    }
}
