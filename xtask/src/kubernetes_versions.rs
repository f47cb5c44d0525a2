//! AKS's calendar of Kubernetes versions (`guide/data/kubernetes.yaml`), renewed from the page that publishes it:
//! `articles/aks/supported-kubernetes-versions.md` of MicrosoftDocs/azure-aks-docs. Upstream's dates are left alone.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

use crate::places::Places;
use crate::run::say;

const TABLE: &str = "guide/data/kubernetes.yaml";
const USE: &str = "cargo xtask kubernetes-versions --page FILE --seen DATE";

/// What the page says of a minor.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Row {
    preview: Option<String>,
    available: Option<String>,
    end: Option<String>,
    long_term: Option<String>,
    /// Platform support lasts until this minor is generally available.
    platform: Option<String>,
}

pub(crate) fn write(places: &Places, arguments: &[String]) -> Result<()> {
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if ["--page", "--seen"].contains(&name.as_str()) => {
                given.insert(name, value);
            }
            _ => bail!("`{}` is not understood\nhelp: {USE}", pair.join(" ")),
        }
    }
    let (Some(page), Some(seen)) = (given.get("--page"), given.get("--seen")) else {
        bail!("the page and the day are missing\nhelp: {USE}");
    };
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let form: String = seen.chars().map(digits).collect();
    ensure!(form == "0000-00-00", "`{seen}` is no day\nhelp: {USE}");
    let text = fs::read_to_string(page).with_context(|| format!("`{page}`"))?;
    let rows = read(&text)?;
    let file = places.root.join(TABLE);
    let before = fs::read_to_string(&file).with_context(|| format!("`{}`", file.display()))?;
    let (after, missing) = renew(&before, &rows, seen);
    fs::write(&file, after).with_context(|| format!("`{}`", file.display()))?;
    for minor in missing {
        say(&format!(
            "{minor} is not in {TABLE}: add it by hand, with upstream's dates"
        ));
    }
    say(&format!("{TABLE}: {} minors as of {seen}", rows.len()));
    Ok(())
}

/// The rows of the page's two tables: general support, and long-term support.
fn read(page: &str) -> Result<BTreeMap<String, Row>> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut head: Vec<String> = Vec::new();
    for line in page.lines() {
        let Some(cells) = line.trim().strip_prefix('|') else {
            head.clear();
            continue;
        };
        let cells: Vec<String> = cells
            .trim_end_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        if head.is_empty() {
            head = cells.iter().map(|cell| cell.to_lowercase()).collect();
            continue;
        }
        let minor = cells.first().map(String::as_str).unwrap_or_default();
        let is_minor = minor
            .strip_prefix("1.")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_minor || !head.iter().any(|title| title.contains("end of life")) {
            continue;
        }
        let row = rows.entry(minor.to_owned()).or_default();
        for (title, cell) in head.iter().zip(&cells) {
            if title.contains("preview") {
                row.preview = month(cell);
            } else if title.contains("lts") {
                row.long_term = month(cell).map(|month| last_day(&month));
            } else if title.contains("end of life") {
                row.end = day(cell).or_else(|| month(cell).map(|month| last_day(&month)));
            } else if title.contains("platform support") {
                let until = cell
                    .strip_prefix("Until ")
                    .and_then(|rest| rest.strip_suffix(" GA"));
                row.platform = until.map(str::to_owned);
            } else if title.contains("ga") {
                row.available = month(cell);
            }
        }
    }
    ensure!(
        rows.values().filter(|row| row.end.is_some()).count() > 2,
        "the page has no calendar of versions; its tables may have changed"
    );
    Ok(rows)
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// `Nov 2026` as `2026-11`.
fn month(cell: &str) -> Option<String> {
    let (name, year) = cell.split_once(' ')?;
    let name = name.get(..3)?.to_lowercase();
    let number = MONTHS.iter().position(|own| **own == name)? + 1;
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| format!("{year}-{number:02}"))
}

/// `Aug 22, 2025` as `2025-08-22`.
fn day(cell: &str) -> Option<String> {
    let (first, year) = cell.split_once(", ")?;
    let (name, day) = first.split_once(' ')?;
    let month = month(&format!("{name} {year}"))?;
    let day: u8 = day.parse().ok()?;
    Some(format!("{month}-{day:02}"))
}

fn last_day(month: &str) -> String {
    let (year, number) = month.split_once('-').unwrap_or((month, ""));
    let leap = year
        .parse::<u32>()
        .is_ok_and(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let days = match number {
        "02" if leap => 29,
        "02" => 28,
        "04" | "06" | "09" | "11" => 30,
        _ => 31,
    };
    format!("{month}-{days}")
}

/// The table with what the page says, and the minors that it does not have. What the page no longer lists stays.
fn renew(before: &str, rows: &BTreeMap<String, Row>, seen: &str) -> (String, Vec<String>) {
    let mut missing: Vec<String> = rows.keys().cloned().collect();
    let mut after = String::with_capacity(before.len());
    for line in before.lines() {
        let minor = line
            .strip_prefix("- { minor: \"")
            .and_then(|rest| rest.split('"').next());
        let renewed = match minor.and_then(|minor| Some((minor, rows.get(minor)?))) {
            Some((minor, row)) => {
                missing.retain(|own| own != minor);
                of_minor(line, row)
            }
            None if line.starts_with("date: ") => format!("date: {seen}"),
            None if line.contains("/azure/aks/supported-kubernetes-versions") => {
                with_seen(line, seen)
            }
            None => line.to_owned(),
        };
        after.push_str(&renewed);
        after.push('\n');
    }
    (after, missing)
}

/// A line with another day behind `seen: `.
fn with_seen(line: &str, seen: &str) -> String {
    match line.split_once("seen: ") {
        Some((start, rest)) => format!("{start}seen: {seen}{}", rest.get(10..).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn of_minor(line: &str, row: &Row) -> String {
    let own = |key: &str| {
        let (_, rest) = line.split_once(&format!(" {key}: "))?;
        let end = rest.find([',', ' '])?;
        rest.get(..end).map(str::to_owned)
    };
    let start = line.split(", aks: {").next().unwrap_or(line);
    let start = start
        .strip_suffix(" }")
        .filter(|_| !line.contains(", aks: {"))
        .unwrap_or(start);
    let aks = line
        .split_once(", aks: {")
        .map(|(_, rest)| format!(" {rest}"));
    let old = |key: &str| aks.as_ref().and_then(|_| own(key));
    let fields = [
        ("preview", row.preview.clone().or_else(|| old("preview"))),
        (
            "available",
            row.available.clone().or_else(|| old("available")),
        ),
        (
            "end",
            row.end.clone().or_else(|| aks.as_deref().and_then(end_of)),
        ),
        ("ltsEnd", row.long_term.clone().or_else(|| old("ltsEnd"))),
        (
            "platformUntil",
            row.platform.as_ref().map(|minor| format!("\"{minor}\"")),
        ),
    ];
    let fields: Vec<String> = fields
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", value?)))
        .collect();
    format!("{start}, aks: {{ {} }} }}", fields.join(", "))
}

/// `end` of AKS, which upstream has too.
fn end_of(aks: &str) -> Option<String> {
    let (_, rest) = aks.split_once(" end: ")?;
    let end = rest.find([',', ' '])?;
    rest.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
| K8s version | Upstream release | AKS preview | AKS GA | End of life | Platform support |
|--|--|--|--|--|--|
| 1.34 | Aug 2025 | Oct 2025 | Nov 2025 | Nov 2026 | Until 1.38 GA |
| 1.35 | Dec 2025 | Feb 2026 | Mar 2026 | Mar 2027 | Until 1.39 GA |
| 1.36 | Apr 2026 | May 2026 | Jun 2026 | Jun 2027 | Until 1.40 GA |

| K8s version | Upstream release | AKS preview | AKS GA | End of life | LTS End of life |
|--|--|--|--|--|--|
| 1.30 | Apr 2024 | Jun 2024 | Jul 2024 | Aug 22, 2025 | Jul 2026 |
| 1.34 | Aug 2025 | Oct 2025 | Nov 2025 | Nov 2026 | Nov 2027 |
";

    #[test]
    fn a_page_is_read() {
        let rows = read(PAGE).unwrap();
        let row = &rows["1.34"];
        assert_eq!(row.end.as_deref(), Some("2026-11-30"));
        assert_eq!(row.long_term.as_deref(), Some("2027-11-30"));
        assert_eq!(row.platform.as_deref(), Some("1.38"));
        assert_eq!(rows["1.30"].end.as_deref(), Some("2025-08-22"));
        assert!(read("| a |\n|--|\n| b |\n").is_err());
    }

    #[test]
    fn what_the_page_says_stands_in_the_table_and_the_rest_stays() {
        let before = "date: 2026-11-23\nsources:\n- { url: \"https://x/azure/aks/supported-kubernetes-versions\", seen: 2026-11-23, about: a }\nminors:\n\
- { minor: \"1.29\", upstream: { released: 2023-12-13, end: 2025-02-28 }, aks: { end: 2025-03-31 } }\n\
- { minor: \"1.34\", upstream: { released: 2025-08-27, end: 2026-10-27 }, aks: { preview: 2025-10, available: 2025-12, end: 2026-12-31, ltsEnd: 2027-11-30, platformUntil: \"1.38\" } }\n\
- { minor: \"1.35\", upstream: { released: 2025-12-17, end: 2027-02-28 } }\n";
        let (after, missing) = renew(before, &read(PAGE).unwrap(), "2026-12-24");
        let wanted = "date: 2026-12-24\nsources:\n- { url: \"https://x/azure/aks/supported-kubernetes-versions\", seen: 2026-12-24, about: a }\nminors:\n\
- { minor: \"1.29\", upstream: { released: 2023-12-13, end: 2025-02-28 }, aks: { end: 2025-03-31 } }\n\
- { minor: \"1.34\", upstream: { released: 2025-08-27, end: 2026-10-27 }, aks: { preview: 2025-10, available: 2025-11, end: 2026-11-30, ltsEnd: 2027-11-30, platformUntil: \"1.38\" } }\n\
- { minor: \"1.35\", upstream: { released: 2025-12-17, end: 2027-02-28 }, aks: { preview: 2026-02, available: 2026-03, end: 2027-03-31, platformUntil: \"1.39\" } }\n";
        assert_eq!(after, wanted);
        assert_eq!(missing, ["1.30", "1.36"]);
    }
}
