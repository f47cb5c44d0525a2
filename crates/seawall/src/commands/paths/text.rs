//! Ways as stories, for a terminal. Lines are measured before they are painted.

use anstyle::{AnsiColor, Style};
use report::{clean, count, wrap};

use super::tell::{Deed, Story, capital, listed};
use super::*;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const SURE: Style = AnsiColor::Red.on_default().bold();
const PERHAPS: Style = AnsiColor::Yellow.on_default();
const CUT: Style = AnsiColor::Green.on_default();

/// How many measures a deed shows, and how many starts of the same way.
const MOST_CUTS: usize = 4;
const MOST_ALIKE: usize = 5;
/// How many sure ways to a jewel are told step by step where nothing was asked for.
const IN_FULL: usize = 2;

/// A text of lines of a width. The stream takes the colours off where nobody would see them.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// A paragraph; what follows its first line is set further in.
    fn paragraph(&mut self, indent: usize, style: Style, text: &str) {
        self.hanging(indent, "", style, text);
    }

    /// The same, with what stands before its first line.
    fn hanging(&mut self, indent: usize, lead: &str, style: Style, text: &str) {
        let further = if lead.is_empty() { 2 } else { lead.len() };
        let columns = self.width.saturating_sub(indent + further);
        for (at, line) in wrap(text, columns).iter().enumerate() {
            let (before, lead) = match (at, lead.is_empty()) {
                (0, _) => (indent, lead),
                (_, _) => (indent + further, ""),
            };
            let before = " ".repeat(before);
            self.text
                .push_str(&format!("{before}{lead}{style}{line}{style:#}\n"));
        }
    }

    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

pub(super) fn write(answer: &Answer<'_>, width: usize) -> String {
    let mut page = Page {
        text: String::new(),
        width: width.max(40),
    };
    page.paragraph(0, BOLD, &first(answer));
    if let Some(radius) = &answer.radius {
        page.gap();
        blast(answer, radius, &mut page);
    }
    let stories = tell::all(answer);
    let mut part = None;
    let mut jewel = "";
    let mut in_full = 0;
    for (at, story) in stories.iter().enumerate() {
        if part != Some(story.possible) {
            part = Some(story.possible);
            jewel = "";
            page.gap();
            heading(answer, story.possible, &mut page);
        }
        if jewel != story.jewel {
            jewel = &story.jewel;
            in_full = 0;
            page.gap();
            page.paragraph(0, BOLD, &format!("To {jewel}"));
        }
        in_full += 1;
        if !answer.narrowed && (story.possible || in_full > IN_FULL) {
            brief(at + 1, story, &mut page);
        } else {
            told(answer, at + 1, story, &mut page);
        }
    }
    page.gap();
    if answer.left_out > 0 {
        let line = format!(
            "{} not shown: --limit N, --from E or --to J",
            count(answer.left_out, "more way")
        );
        page.paragraph(0, DIM, &line);
        page.gap();
    }
    administrators(answer, &mut page);
    chokes(answer, &mut page);
    totals(answer, &mut page);
    for gap in &answer.graph.gaps {
        let line = format!("Not judged: {}.", clean(gap));
        page.paragraph(0, DIM, &line);
    }
    page.text
}

/// Whose ways are not told.
fn administrators(answer: &Answer<'_>, page: &mut Page) {
    if answer.administrators.is_empty() {
        return;
    }
    page.paragraph(0, BOLD, "Administrators by assignment");
    for node in &answer.administrators {
        page.hanging(2, "- ", Style::new(), &clean(&answer.graph.title(*node)));
    }
    let line =
        "A stolen credential of theirs is worth the whole cluster: --from credential shows how.";
    page.paragraph(2, DIM, line);
    page.gap();
}

/// The answer in a sentence.
pub(super) fn first(answer: &Answer<'_>) -> String {
    let found = &answer.ways;
    let clean_all = |names: &[String]| -> Vec<String> {
        names.iter().map(|name| clean(name).into_owned()).collect()
    };
    let leads = |number: usize| if number == 1 { "leads" } else { "lead" };
    let asked = if answer.narrowed {
        " that was asked for"
    } else {
        ""
    };
    let surely = clean_all(&found.surely);
    let perhaps = clean_all(&found.perhaps);
    match (found.sure, found.possible) {
        (0, 0) => format!("No way leads from an entry to a jewel{asked}, by what was given."),
        (0, possible) => format!(
            "No sure way leads to a jewel{asked}; {} {} to {}.",
            count(possible, "possible way"),
            leads(possible),
            listed(&perhaps, 3)
        ),
        (sure, possible) => {
            let mut line = format!(
                "{} {} to {}",
                count(sure, "sure way"),
                leads(sure),
                listed(&surely, 3)
            );
            if possible > 0 && perhaps.is_empty() {
                line.push_str(&format!(
                    "; {} to the same",
                    count(possible, "possible way")
                ));
            } else if possible > 0 {
                line.push_str(&format!(
                    "; {} {} further, to {}",
                    count(possible, "possible way"),
                    leads(possible),
                    listed(&perhaps, 3)
                ));
            }
            line.push('.');
            line
        }
    }
}

fn heading(answer: &Answer<'_>, possible: bool, page: &mut Page) {
    match (possible, answer.narrowed) {
        (false, _) => page.paragraph(0, SURE, "Sure ways"),
        (true, true) => page.paragraph(0, PERHAPS, "Possible ways"),
        (true, false) => {
            page.paragraph(
                0,
                PERHAPS,
                "Possible ways, in short: --from E or --to J tells them step by step",
            );
        }
    }
}

/// `3. From Deployment shop/web. The internet reaches it by ingress.`
fn opening(number: usize, story: &Story, page: &mut Page) {
    let lead = format!("{number}. ");
    page.hanging(2, &lead, BOLD, &format!("From {}", story.start));
    if let Some(because) = &story.because {
        page.paragraph(5, Style::new(), &format!("{}.", capital(because)));
    }
}

/// A possible way in a few lines: where it leads through, and what would have to be true.
fn brief(number: usize, story: &Story, page: &mut Page) {
    opening(number, story, page);
    let last = story.deeds.len().saturating_sub(1);
    let through: Vec<String> = story
        .deeds
        .iter()
        .enumerate()
        .map(|(at, deed)| {
            if at == last {
                format!("[{}]", deed.edge.id())
            } else {
                format!("{} [{}]", deed.reaches, deed.edge.id())
            }
        })
        .collect();
    page.paragraph(5, Style::new(), &format!("By {}.", through.join(", then ")));
    let doubts = story.doubts();
    if !doubts.is_empty() {
        page.paragraph(5, PERHAPS, &format!("If: {}.", doubts.join("; ")));
    }
    same(story, page);
}

fn told(answer: &Answer<'_>, number: usize, story: &Story, page: &mut Page) {
    opening(number, story, page);
    if let Some(doubt) = &story.doubt {
        page.paragraph(5, PERHAPS, &format!("Perhaps: {doubt}."));
    }
    for (at, deed) in story.deeds.iter().enumerate() {
        let lead = format!("{}) ", at + 1);
        page.hanging(5, &lead, Style::new(), &capital(&deed.reaches));
        self::deed(answer, deed, page);
    }
    same(story, page);
    if story.more {
        page.paragraph(5, DIM, "More ways between these: --limit N");
    }
}

fn same(story: &Story, page: &mut Page) {
    match story.alike.as_slice() {
        [] => {}
        [one] => page.paragraph(5, Style::new(), &format!("The same from {one}.")),
        several => {
            let names = listed(several, MOST_ALIKE);
            page.paragraph(5, Style::new(), &format!("The same from {names}."));
        }
    }
}

/// What is done, on what it rests, and what takes it away.
fn deed(answer: &Answer<'_>, deed: &Deed, page: &mut Page) {
    const INDENT: usize = 8;
    let title = format!("{} [{}]", deed.title, deed.edge.id());
    page.paragraph(INDENT, Style::new(), &title);
    if !deed.also.is_empty() {
        let line = format!("with {}", listed(&deed.also, 8));
        page.paragraph(INDENT, Style::new(), &line);
    }
    for (place, says) in &deed.evidence {
        let line = match place {
            Some(place) => format!("{}: {says}", clean(&place.to_string())),
            None => says.clone(),
        };
        page.paragraph(INDENT, DIM, &line);
    }
    for doubt in &deed.doubts {
        page.paragraph(INDENT, PERHAPS, &format!("perhaps: {doubt}"));
    }
    let ids: Vec<String> = deed
        .cuts
        .iter()
        .map(|measure| ::guide::measures::id(answer.scene.guide, *measure))
        .collect();
    if !ids.is_empty() {
        let line = format!("cut by {}", listed(&ids, MOST_CUTS));
        page.paragraph(INDENT, CUT, &line);
    }
}

fn blast(answer: &Answer<'_>, radius: &radius::Radius, page: &mut Page) {
    let from = answer.graph.title(radius.from);
    if radius.kinds.is_empty() {
        let line = format!("Who holds {} comes to hold nothing else.", clean(&from));
        page.paragraph(0, Style::new(), &line);
        return;
    }
    let line = format!("Who holds {} comes to hold", clean(&from));
    page.paragraph(0, BOLD, &line);
    for kind in &radius.kinds {
        for (names, perhaps) in [(&kind.sure, false), (&kind.possible, true)] {
            if names.is_empty() {
                continue;
            }
            let what = plural(&count(names.len(), kind.name));
            let word = if perhaps { ", perhaps" } else { "" };
            let style = if perhaps { PERHAPS } else { Style::new() };
            page.paragraph(2, style, &format!("{what}{word}: {}", listed(names, 4)));
        }
    }
}

/// `2 pool of nodess` as people say it.
fn plural(text: &str) -> String {
    const ODD: [(&str, &str); 6] = [
        ("pool of nodess", "pools of nodes"),
        ("user or groups", "users and groups"),
        ("right in the clusters", "rights in the cluster"),
        ("source of imagess", "sources of images"),
        ("identity of Entras", "identities of Entra"),
        ("power in Azures", "powers in Azure"),
    ];
    ODD.iter()
        .fold(text.to_owned(), |text, (odd, said)| text.replace(odd, said))
}

fn chokes(answer: &Answer<'_>, page: &mut Page) {
    if answer.chokes.is_empty() {
        return;
    }
    let head = format!(
        "What parts the most, each alone ({} of a start and a jewel)",
        count(answer.counts.0, "sure pair")
    );
    page.paragraph(0, BOLD, &head);
    let width = page.width;
    let guide = answer.scene.guide;
    let ids = answer
        .chokes
        .iter()
        .take(8)
        .map(|choke| ::guide::measures::id(guide, choke.measure).len());
    let column = ids.max().unwrap_or_default();
    for choke in answer.chokes.iter().take(8) {
        let id = ::guide::measures::id(guide, choke.measure);
        let line = format!(
            "{:>6}  {id:<column$}  {}",
            choke.parts,
            ::guide::measures::title(guide, choke.measure)
        );
        let short = match line.char_indices().nth(width) {
            Some(_) => {
                let kept: String = line.chars().take(width.saturating_sub(1)).collect();
                format!("{}…", kept.trim_end())
            }
            None => line,
        };
        page.text.push_str(&short);
        page.text.push('\n');
    }
    page.paragraph(
        2,
        DIM,
        "`seawall decide` finds the cheapest set that parts them all",
    );
    page.gap();
}

fn totals(answer: &Answer<'_>, page: &mut Page) {
    page.paragraph(0, BOLD, "Where attacks start");
    for (kind, (all, surely, perhaps)) in &answer.totals {
        page.text.push_str(&format!(
            "  {:<11} {all:>6}  {surely} surely reach a jewel, {perhaps} perhaps\n",
            kind.id()
        ));
    }
}
