//! The guide as plain HTML pages: what `seawall guide build` writes.
//!
//! The pages need no server, and no JavaScript but for search; they load nothing but the style sheet and the scripts
//! beside them, and name each other by relative addresses, so that they work from a folder, a share or a site.
//! Same guide, same bytes: no clock, no version, ordered lists only.
//!
//! What it deliberately leaves out: writing files, and what only other crates can make of the guide ([`Beside`]).

mod aspects;
mod checked;
mod detections;
mod edges;
mod example;
mod fixed;
mod frame;
mod framework;
mod front;
mod guideline;
mod left_out;
mod links;
mod lists;
mod network;
mod options;
mod policy;
mod search;
mod topic;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use guide::guideline::Chapter;
use guide::prices::Prices;
use guide::{Guide, Guideline};

pub use self::fixed::Fixed;

/// Where the style sheet stands.
const STYLE_PATH: &str = "style.css";
/// The style sheet of all pages.
const STYLE: &str = concat!(
    include_str!("html/base.css"),
    include_str!("site/style.css")
);

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Below the site's folder, with `/` between its parts.
    pub path: Box<str>,
    /// The whole document.
    pub html: String,
}

/// A file that pages load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Below the site's folder.
    pub path: &'static str,
    /// What stands in it.
    pub text: String,
}

/// What is made of the guide elsewhere and shown with it.
#[derive(Debug, Default)]
pub struct Beside {
    /// The query of each detection, or why there is none.
    pub queries: BTreeMap<Box<str>, Result<String, String>>,
    /// Fixes of guidelines in languages that their examples are not written in.
    pub fixes: BTreeMap<Box<str>, Vec<Fixed>>,
}

/// The guide as a site.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// In the order of reading.
    pub pages: Vec<Page>,
    /// What they load.
    pub assets: Vec<Asset>,
}

/// Makes all of it.
#[must_use]
pub fn build(guide: &Guide, beside: &Beside) -> Built {
    let site = Site::new(guide, beside);
    let asset = |path, text: &str| Asset {
        path,
        text: text.to_owned(),
    };
    Built {
        pages: pages(&site),
        assets: vec![
            asset(STYLE_PATH, STYLE),
            asset(search::SCRIPT_PATH, search::SCRIPT),
            asset(search::INDEX_PATH, &search::index(&site)),
        ],
    }
}

fn pages(site: &Site<'_>) -> Vec<Page> {
    let guide = site.guide;
    let mut pages = vec![front::page(site)];
    for chapter in &guide.chapters {
        pages.push(front::chapter(site, chapter));
        for topic in site.topics(chapter) {
            pages.push(topic::page(site, topic));
        }
    }
    pages.extend(
        guide
            .guidelines
            .iter()
            .map(|guideline| guideline::page(site, guideline)),
    );
    pages.extend(lists::pages(site));
    pages.push(framework::list(site));
    pages.extend(
        guide
            .frameworks
            .iter()
            .map(|framework| framework::page(site, framework)),
    );
    pages.push(edges::list(site));
    pages.extend(
        guide
            .edge_pages
            .values()
            .map(|edge| edges::page(site, edge)),
    );
    pages.push(detections::list(site));
    pages.extend(
        guide
            .detections
            .iter()
            .map(|detection| detections::page(site, detection)),
    );
    pages.push(left_out::page(site));
    pages.extend(links::pages(site));
    pages
}

/// What all pages are made from.
struct Site<'g> {
    guide: &'g Guide,
    beside: &'g Beside,
    /// The site's name: the heading of the guide's front page.
    name: String,
    /// Every page there is; nothing links to anything else.
    paths: BTreeSet<String>,
    prices: Prices,
    policies: policy::Policies,
}

impl<'g> Site<'g> {
    fn new(guide: &'g Guide, beside: &'g Beside) -> Self {
        let name = guide
            .front
            .lines()
            .find_map(|line| line.strip_prefix("# "))
            .unwrap_or("The guide of seawall");
        let mut paths: BTreeSet<String> = lists::PATHS
            .into_iter()
            .chain([
                front::PATH,
                left_out::PATH,
                links::PATH,
                links::BESIDES_PATH,
                framework::LIST_PATH,
                edges::LIST_PATH,
                detections::LIST_PATH,
            ])
            .map(str::to_owned)
            .collect();
        paths.extend(
            guide
                .chapters
                .iter()
                .map(|chapter| chapter_path(&chapter.id)),
        );
        paths.extend(
            guide
                .topics
                .iter()
                .map(|topic| topic_path(&topic.chapter, &topic.id)),
        );
        paths.extend(guide.guidelines.iter().map(guideline_path));
        paths.extend(
            guide
                .detections
                .iter()
                .map(|detection| detections::path(&detection.id)),
        );
        paths.extend(guide.edge_pages.keys().map(|id| edges::path(id)));
        paths.extend(
            guide
                .frameworks
                .iter()
                .map(|known| framework::path(&known.id)),
        );
        Self {
            guide,
            beside,
            name: crate::text::plain(name),
            paths,
            prices: Prices::builtin(guide),
            policies: policy::Policies::of(guide),
        }
    }

    /// The topics of a chapter, in order.
    fn topics(&self, chapter: &Chapter) -> impl Iterator<Item = &'g guide::guideline::Topic> {
        self.guide
            .topics
            .iter()
            .filter(move |topic| topic.chapter == chapter.id)
    }

    /// The guidelines for which `select` holds, worst first.
    fn guidelines(&self, select: impl Fn(&Guideline) -> bool) -> Vec<&'g Guideline> {
        let mut chosen: Vec<&Guideline> = self
            .guide
            .guidelines
            .iter()
            .filter(|guideline| select(guideline))
            .collect();
        chosen.sort_by_key(|guideline| (Reverse(guideline.severity), &guideline.id));
        chosen
    }

    /// Where an address in the guide's text leads from a page: the web, or another page.
    fn resolve(&self, from: &str, address: &str) -> Option<String> {
        if let Some(web) = crate::html::prose::web(address) {
            return Some(web);
        }
        let (file, fragment) = match address.split_once('#') {
            Some((file, fragment)) => (file, format!("#{fragment}")),
            None => (address, String::new()),
        };
        let mut parts: Vec<&str> = from.split('/').collect();
        parts.pop();
        for part in file.split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let file = parts.join("/");
        let page = match file.strip_suffix("README.md") {
            Some(folder) => format!("{folder}index.html"),
            None => format!("{}.html", file.strip_suffix(".md")?),
        };
        self.paths
            .contains(&page)
            .then(|| format!("{}{fragment}", relative(from, &page)))
    }
}

fn chapter_path(chapter: &str) -> String {
    format!("{chapter}/index.html")
}

fn topic_path(chapter: &str, topic: &str) -> String {
    format!("{chapter}/{topic}/index.html")
}

/// The page of a guideline, where the guide's pages stand at `site`.
#[must_use]
pub fn page_of(site: &str, guideline: &Guideline) -> String {
    format!(
        "{}/{}",
        site.trim_end_matches('/'),
        guideline_path(guideline)
    )
}

/// Where the page of a guideline stands below the site's folder.
pub(crate) fn guideline_path(guideline: &Guideline) -> String {
    format!(
        "{}/{}/{}.html",
        guideline.chapter, guideline.topic, guideline.id
    )
}

/// The address of a page as seen from another.
fn relative(from: &str, to: &str) -> String {
    let mut from: Vec<&str> = from.split('/').collect();
    let mut to: Vec<&str> = to.split('/').collect();
    from.pop();
    let file = to.pop().unwrap_or_default();
    let same = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    let mut address = "../".repeat(from.len() - same);
    for folder in to.iter().skip(same) {
        address.push_str(&escape(folder));
        address.push('/');
    }
    address.push_str(&escape(file));
    address
}

/// A part of an address; a guide of one's own may name its folders as it likes.
fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
