//! Images for a terminal: a paragraph each, the worst first. Lines are measured before they are painted.

use anstyle::{AnsiColor, Style};
use model::finding::Outcome;
use report::{clean, count, wrap};

use super::Answer;
use super::rank::{Picture, User, Vulnerable};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// How many workloads are named, and how many things that could not be read.
const MOST_USERS: usize = 3;
const MOST_UNREAD: usize = 10;

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn paragraph(&mut self, indent: usize, style: Style, text: &str) {
        let columns = self.width.saturating_sub(indent + 2).max(20);
        for (at, line) in wrap(&clean(text), columns).iter().enumerate() {
            let before = " ".repeat(if at == 0 { indent } else { indent + 2 });
            self.text
                .push_str(&format!("{before}{style}{line}{style:#}\n"));
        }
    }
}

pub(super) fn write(answer: &Answer, width: usize) -> String {
    let mut page = Page {
        text: String::new(),
        width: width.max(40),
    };
    for picture in &answer.pictures {
        image(&mut page, picture, &answer.day);
        page.text.push('\n');
    }
    page.paragraph(0, BOLD, &summary(answer));
    unread(&mut page, answer);
    page.text
}

fn summary(answer: &Answer) -> String {
    let all = &answer.pictures;
    let with = |which: &dyn Fn(&Picture) -> bool| all.iter().filter(|one| which(one)).count();
    let mut parts = vec![count(all.len(), "image")];
    let mut put = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    let fails = |one: &Picture| {
        one.findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Fail)
    };
    put(with(&fails), "with findings");
    let urgent =
        |one: &Picture| one.vulnerable.is_some_and(|found| found.critical > 0) && one.exposed();
    put(with(&urgent), "critical and reachable from the internet");
    put(
        with(&|one| one.unknown.is_some()),
        "of which nothing is known",
    );
    parts.join(", ")
}

fn image(page: &mut Page, picture: &Picture, day: &str) {
    page.paragraph(0, BOLD, &picture.name);
    if let Some(why) = &picture.unknown {
        page.paragraph(2, UNSURE, &format!("not known: {why}"));
    }
    let what = content(picture, day);
    if !what.is_empty() {
        page.paragraph(2, DIM, &what.join(", "));
    }
    if let Some(found) = picture.vulnerable {
        let style = if found.critical + found.high > 0 {
            BAD
        } else {
            DIM
        };
        page.paragraph(2, style, &vulnerable(found));
    }
    for own in picture.signatures.iter().flatten() {
        let by = if own.signer.is_empty() {
            String::new()
        } else {
            format!(" by {}", own.signer)
        };
        let style = if own.outcome == "verified" {
            DIM
        } else {
            UNSURE
        };
        let why = if own.why.is_empty() {
            String::new()
        } else {
            format!("; {}", own.why)
        };
        let line = format!("signature of {}{by}: {}{why}", own.kind, own.outcome);
        page.paragraph(2, style, &line);
    }
    for user in picture.users.iter().take(MOST_USERS) {
        page.paragraph(2, DIM, &used(user));
    }
    if let Some(more) = picture
        .users
        .len()
        .checked_sub(MOST_USERS)
        .filter(|more| *more > 0)
    {
        page.paragraph(2, DIM, &format!("and {}", count(more, "more workload")));
    }
    for finding in &picture.findings {
        let fails = finding.outcome == Outcome::Fail;
        // Of an image of which nothing is known one reason is enough.
        if !fails && picture.unknown.is_some() {
            continue;
        }
        let (word, style) = if fails {
            (finding.severity.word(), BAD)
        } else {
            ("unknown", UNSURE)
        };
        let text = format!("{word}: {}  ({})", finding.message, finding.guideline.0);
        page.paragraph(2, style, &text);
    }
}

fn content(picture: &Picture, day: &str) -> Vec<String> {
    let mut what = Vec::new();
    if let Some(digest) = &picture.digest {
        what.push(digest.get(..19).unwrap_or(digest).to_owned());
    }
    match picture.platforms.as_slice() {
        [] => {}
        [one] => what.push(one.clone()),
        all => what.push(format!("{} platforms", all.len())),
    }
    what.extend(picture.size.map(size));
    what.extend(picture.created.as_deref().and_then(|built| age(built, day)));
    what.extend(picture.user.as_deref().map(|user| match user {
        "" => "user root".to_owned(),
        user => format!("user {user}"),
    }));
    what
}

fn size(bytes: i64) -> String {
    let mega = bytes / 1_000_000;
    match mega {
        0 => format!("{} kB", bytes / 1000),
        _ => format!("{mega} MB"),
    }
}

fn age(built: &str, day: &str) -> Option<String> {
    let built: jiff::civil::Date = built.get(..10)?.parse().ok()?;
    let day: jiff::civil::Date = day.parse().ok()?;
    let days = (day - built).get_days();
    // Builds that are made again bit by bit say 1970 or 1980.
    (built.year() > 2000).then(|| format!("built {} ago", count(days.max(0) as usize, "day")))
}

fn vulnerable(found: Vulnerable) -> String {
    let mut parts = Vec::new();
    let mut put = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    put(found.critical, "critical");
    put(found.high, "high");
    put(found.others, "lower");
    let mut text = match parts.as_slice() {
        [] => "no vulnerabilities that count".to_owned(),
        parts => format!("vulnerabilities: {}", parts.join(", ")),
    };
    if found.fixable > 0 {
        text.push_str(&format!("; {} closed by updates", found.fixable));
    }
    if found.excused > 0 {
        text.push_str(&format!("; {} excused", found.excused));
    }
    text
}

fn used(user: &User) -> String {
    let mut parts = Vec::new();
    match user.exposed {
        Some(true) => parts.push("reachable from the internet".to_owned()),
        Some(false) => parts.push("perhaps reachable from the internet".to_owned()),
        None => {}
    }
    if user.root == Some(true) {
        parts.push("as root".to_owned());
    }
    match user.jewels.as_slice() {
        [] => {}
        [one] => parts.push(format!("on a way to {one}")),
        [one, rest @ ..] => parts.push(format!("on a way to {one} and {} more", rest.len())),
    }
    let tail = if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    };
    format!("runs in {}{tail}", user.name)
}

fn unread(page: &mut Page, answer: &Answer) {
    if answer.unread.is_empty() {
        return;
    }
    page.text.push('\n');
    let title = format!("{} could not be read:", count(answer.unread.len(), "thing"));
    page.paragraph(0, UNSURE, &title);
    for (what, why, help) in answer.unread.iter().take(MOST_UNREAD) {
        page.paragraph(2, Style::new(), &format!("{what}: {why}"));
        if let Some(help) = help {
            page.paragraph(4, DIM, &format!("help: {help}"));
        }
    }
    if let Some(more) = answer
        .unread
        .len()
        .checked_sub(MOST_UNREAD)
        .filter(|more| *more > 0)
    {
        page.paragraph(2, DIM, &format!("and {more} more"));
    }
}
