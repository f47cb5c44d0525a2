//! Markdown, for a comment on a pull request.
//!
//! What comes from the input is escaped: a manifest must not be able to mention people, link
//! or draw images in the comment. Below 60 KB, because forges refuse longer comments; what was
//! left out is said.
//!
//! What it deliberately leaves out: source lines and evidence; the comment points to the places.

use std::fmt::Write as _;
use std::io::{self, Write};

use guide::Guide;
use model::finding::{Finding, Severity};

use crate::assessment::{Assessment, Sink};
use crate::groups::{Entry, Group, Groups};
use crate::outcome;
use crate::text::{self, count};
use crate::unknowns::Unknowns;

/// Places shown of a guideline.
const PLACES: usize = 5;
/// Bytes of the groups; what follows them takes a few thousand more.
const GROUPS_LIMIT: usize = 48_000;
/// Bytes of what follows.
const TAIL_LIMIT: usize = 10_000;

/// A sink that writes Markdown.
pub fn new(out: Box<dyn Write>) -> impl Sink {
    Markdown {
        out,
        groups: Groups::new(PLACES),
        unknowns: Unknowns::default(),
    }
}

struct Markdown {
    out: Box<dyn Write>,
    groups: Groups,
    unknowns: Unknowns,
}

/// The seed's own marks.
const fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "💥",
        Severity::High => "🔥",
        Severity::Medium => "☁️",
        Severity::Low => "⛅",
    }
}

/// Text that says nothing to Markdown. Code between backticks stays code.
pub(crate) fn escape(text: &str) -> String {
    let text = text::clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut escaped = String::with_capacity(text.len() + 8);
    for (index, part) in parts.iter().enumerate() {
        // An odd number of backticks leaves the last one open: it is a character.
        let inside = index % 2 == 1 && index + 1 < parts.len();
        if inside && !part.trim().is_empty() {
            escaped.push('`');
            escaped.push_str(part);
            escaped.push('`');
            continue;
        }
        if index % 2 == 1 {
            escaped.push_str("\\`");
        }
        // Forges make links of bare addresses too.
        let part = part
            .replace("://", ":\u{200b}//")
            .replace("www.", "www\u{200b}.");
        for c in part.chars() {
            match c {
                // A zero-width space keeps forges from notifying people and linking issues.
                '@' | '#' => escaped.extend([c, '\u{200b}']),
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                    escaped.extend(['\\', c]);
                }
                _ => escaped.push(c),
            }
        }
        if inside {
            escaped.push_str("\\`");
        }
    }
    escaped
}

/// A code span, whatever the text holds.
pub(crate) fn code(text: &str) -> String {
    let text = text::clean(text);
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest > 0 {
        format!("{fence} {text} {fence}")
    } else {
        format!("`{text}`")
    }
}

fn headline(assessment: &Assessment<'_>, out: &mut String) {
    let summary = &assessment.summary;
    let fails: usize = summary.fails.values().sum();
    let words = match (fails, assessment.exit_code()) {
        (0, 0) => "nothing found".to_owned(),
        (_, 1) => outcome::exit_reason(assessment),
        (0, _) => "something could not be read".to_owned(),
        (_, _) if assessment.fail_on.is_none() => count(fails, "finding"),
        (_, _) => format!(
            "{}, {}",
            count(fails, "finding"),
            outcome::exit_reason(assessment)
        ),
    };
    let _ = writeln!(out, "## seawall: {words}\n");
    let unknowns: usize = summary.unknowns.values().sum();
    if fails + unknowns == 0 {
        return;
    }
    out.push_str("| severity | fail | unknown |\n|---|---:|---:|\n");
    for severity in Severity::WORST_FIRST {
        let fail = summary.fails.get(&severity).copied().unwrap_or_default();
        let unknown = summary.unknowns.get(&severity).copied().unwrap_or_default();
        if fail + unknown > 0 {
            let _ = writeln!(
                out,
                "| {} {} | {fail} | {unknown} |",
                mark(severity),
                severity.word()
            );
        }
    }
    let _ = writeln!(out, "| **total** | **{fails}** | **{unknowns}** |\n");
}

fn entry(entry: &Entry, out: &mut String) {
    let finding = &entry.finding;
    let _ = write!(
        out,
        "- {} {}: {}",
        code(&text::place(&finding.place)),
        escape(&text::resource(&finding.resource)),
        escape(&finding.message)
    );
    if let (Some(cause), 2..) = (&finding.root_cause, entry.count) {
        let _ = write!(
            out,
            " ({} from one place, {})",
            count(entry.count, "finding"),
            escape(cause)
        );
    }
    out.push('\n');
}

fn group(group: &Group, assessment: &Assessment<'_>) -> String {
    let (guide, attack) = (assessment.guide, &assessment.attack);
    let guideline = guide.guideline(&group.guideline.0);
    let mut out = String::new();
    let title = guideline.map_or("", |guideline| &*guideline.title);
    let _ = writeln!(
        out,
        "### {} {}: {}\n",
        mark(group.severity),
        group.severity.word(),
        escape(title)
    );
    let id = code(&group.guideline.0);
    let files = group.count_places(group.files.len());
    let _ = write!(out, "{id}, {} in {files}.", count(group.fails, "finding"));
    if let Some(guideline) = guideline {
        let _ = write!(out, " {}", escape(&text::first_sentence(&guideline.prose)));
    }
    out.push_str("\n\n");
    let (entries, rest) = group.shown(PLACES, attack, guide);
    for shown in entries {
        entry(shown, &mut out);
    }
    if rest.findings > 0 {
        let _ = writeln!(
            out,
            "- … and {} more in {}",
            rest.findings,
            group.count_places(rest.files)
        );
    }
    out.push('\n');
    if let Some(guideline) = guideline {
        let mut notes = Vec::new();
        if let Some(enables) = attack.of_guideline(&group.guideline, guide) {
            notes.push(format!("Opens {}.", escape(&enables.words())));
        }
        for fix in text::fixes(guideline, &group.checks) {
            let operations: Vec<String> = text::operations(fix)
                .iter()
                .map(|operation| code(operation))
                .collect();
            let word = fix.safety.word();
            notes.push(format!(
                "{}{} fix: {}.",
                word.get(..1).unwrap_or_default().to_uppercase(),
                word.get(1..).unwrap_or_default(),
                operations.join("; ")
            ));
        }
        if let Some(cost) = text::cost(&guideline.cost) {
            notes.push(format!("Cost: {}.", escape(&cost)));
        }
        notes.push(format!(
            "More: {}",
            code(&format!("seawall explain {}", group.guideline))
        ));
        let _ = writeln!(out, "{}\n", notes.join(" "));
    }
    out
}

/// Groups as far as there is room.
fn groups(groups: &[&Group], assessment: &Assessment<'_>, out: &mut String) {
    let mut left = Vec::new();
    for shown in groups {
        let text = group(shown, assessment);
        if left.is_empty() && out.len() + text.len() <= GROUPS_LIMIT {
            out.push_str(&text);
        } else {
            left.push(*shown);
        }
    }
    if left.is_empty() {
        return;
    }
    let findings: usize = left.iter().map(|group| group.fails).sum();
    let words = format!(
        "Left out for want of room: {} by {}: ",
        count(findings, "finding"),
        count(left.len(), "guideline")
    );
    out.push_str(&words);
    let ids: Vec<String> = left
        .iter()
        .take(60)
        .map(|group| format!("{} ({})", code(&group.guideline.0), group.fails))
        .collect();
    out.push_str(&ids.join(", "));
    if left.len() > ids.len() {
        let _ = write!(out, " and {} more", left.len() - ids.len());
    }
    out.push_str(".\n\n");
}

fn unknowns(unknowns: &Unknowns, out: &mut String) {
    if unknowns.total() == 0 {
        return;
    }
    let _ = writeln!(
        out,
        "<details><summary>Unknown: {}</summary>\n",
        count(unknowns.total(), "verdict")
    );
    let reasons = unknowns.in_order();
    for (reason, entry) in reasons.iter().take(10) {
        let _ = writeln!(out, "- {} × {}", entry.count, escape(reason));
    }
    let left: usize = reasons
        .iter()
        .skip(10)
        .map(|(_, entry)| entry.count)
        .sum::<usize>()
        + unknowns.other;
    if left > 0 {
        let _ = writeln!(out, "- {left} × other reasons");
    }
    if unknowns.absence.count > 0 {
        let _ = writeln!(
            out,
            "- {} × something is absent that may stand elsewhere (`--whole` says that it does not)",
            unknowns.absence.count
        );
    }
    out.push_str("\n</details>\n\n");
}

fn ledger(assessment: &Assessment<'_>, out: &mut String) {
    let unread: Vec<_> = outcome::incomplete(assessment).collect();
    if !unread.is_empty() {
        let _ = writeln!(out, "**Not read: {}**\n", count(unread.len(), "document"));
        let begun = out.len();
        let mut shown = 0;
        for entry in &unread {
            let reason = entry.reason.as_deref().unwrap_or("it could not be read");
            let line = format!(
                "- {} {}: {}\n",
                code(&outcome::place(entry)),
                entry.status.word(),
                escape(reason)
            );
            if out.len() - begun + line.len() > TAIL_LIMIT / 2 {
                break;
            }
            out.push_str(&line);
            shown += 1;
        }
        if unread.len() > shown {
            let _ = writeln!(out, "- … and {} more", unread.len() - shown);
        }
        out.push('\n');
    }
    for (needs, number) in outcome::needs(assessment).iter().take(12) {
        let verb = if *number == 1 { "needs" } else { "need" };
        let _ = writeln!(
            out,
            "Not assessed: {} {verb} {}.\n",
            count(*number, "guideline"),
            escape(needs)
        );
    }
    if let Some(aside) = outcome::set_aside(&assessment.summary) {
        let _ = writeln!(out, "Not counted: {aside}.\n");
    }
    let _ = writeln!(
        out,
        "<sub>seawall {}, Kubernetes 1.{}, as of {}: {}.</sub>",
        escape(assessment.version),
        assessment.kubernetes_minor,
        escape(&assessment.as_of),
        escape(&outcome::coverage(assessment)),
    );
}

impl Sink for Markdown {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        self.groups.add(finding, guide);
        self.unknowns.add(finding);
        Ok(())
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let mut out = String::new();
        headline(assessment, &mut out);
        groups(
            &self.groups.in_order(&assessment.attack, assessment.guide),
            assessment,
            &mut out,
        );
        unknowns(&self.unknowns, &mut out);
        ledger(assessment, &mut out);
        self.out.write_all(out.as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assessment, findings, guide, hostile, id, in_file, with_ledger, written};

    #[test]
    fn a_comment() {
        let guide = guide();
        let findings = findings();
        insta::assert_snapshot!(written(new, &findings, &with_ledger(&guide, &findings)), @r#"
        ## seawall: 8 findings at or above high

        | severity | fail | unknown |
        |---|---:|---:|
        | 💥 critical | 1 | 0 |
        | 🔥 high | 7 | 0 |
        | ☁️ medium | 1 | 3 |
        | **total** | **9** | **3** |

        ### 💥 critical: Containers are not privileged

        `no-privileged`, 1 finding in 1 file. A privileged container gets every Linux capability and every device of the node, and the filters that normally stand between a container and the kernel are switched off.

        - `deploy/web.yaml:12:11` Deployment shop/web: container `app` is privileged

        Unsafe fix: `set securityContext.privileged to false`. Cost: half a day of work; may break agents that manage the node: storage, network, security sensors. More: `seawall explain no-privileged`

        ### 🔥 high: Images are named by digest or version, so that what was tested is what runs, on every node and after every restart

        `image-tag`, 7 findings in 3 files. `latest` is another image tomorrow.

        - `charts/shop/templates/s0.yaml:40:16` Deployment shop/s0: image `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest` has no version (6 findings from one place, chart default values `charts/shop/values.yaml:7`)
        - `charts/shop/templates/s0.yaml:46:16` Deployment shop/s6: image `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest` has no version

        Safe fix: `set image to "x"`; `add "ALL" to securityContext.capabilities.drop`. Cost: 2 days of work; 1 hour of upkeep a month. More: `seawall explain image-tag`

        ### ☁️ medium: Namespaces start from denied traffic

        `default-deny`, 1 finding in 1 file. Where nothing is denied, one broken pod reaches all others.

        - `deploy/namespaces.yaml:3:1` Namespace dev: namespace `dev` has no policy that denies traffic

        Cost: 12.5 EUR a month; a day of work; may break what nobody declared. More: `seawall explain default-deny`

        <details><summary>Unknown: 3 verdicts</summary>

        - 1 × depends on parameter `networkPolicy` of `main.bicep`
        - 2 × something is absent that may stand elsewhere (`--whole` says that it does not)

        </details>

        **Not read: 2 documents**

        - `deploy/broken file.yaml:14` unreadable: did not find expected `,` or `]`
        - `charts/shop/Chart.yaml` unresolved: `helm` is not installed

        Not assessed: 1 guideline needs Azure resources (`--azure`).

        Not counted: 1 waived, 1 known from the baseline, 1 on objects that AKS manages.

        <sub>seawall 0.1.0, Kubernetes 1.34, as of 2026-12-01: judged 12 resources in 7 files by 3 guidelines; 2 documents not read.</sub>
        "#);
    }

    #[test]
    fn nothing_found() {
        let guide = guide();
        insta::assert_snapshot!(written(new, &[], &assessment(&guide, &[])), @r#"
        ## seawall: nothing found

        <sub>seawall 0.1.0, Kubernetes 1.34, as of 2026-12-01: judged 12 resources in 7 files by 3 guidelines; everything was read.</sub>
        "#);
    }

    #[test]
    fn stays_below_the_limit_and_says_what_it_left_out() {
        let guide = guide();
        let mut many = Vec::new();
        for number in 0..900 {
            let mut finding = in_file(&format!("{}/{number}.yaml", "long".repeat(30)));
            finding.guideline = id(&format!("guideline-with-a-rather-long-name-{}", number / 3));
            finding.message = "m".repeat(200);
            many.push(finding);
        }
        let mut assessment = with_ledger(&guide, &many);
        let broken = assessment
            .coverage
            .documents
            .iter()
            .find(|entry| entry.status.incomplete())
            .unwrap()
            .clone();
        assessment
            .coverage
            .documents
            .extend(std::iter::repeat_n(broken, 500));
        let text = written(new, &many, &assessment);
        assert!(text.len() < 60_000, "{}", text.len());
        assert!(text.contains("Left out for want of room: "), "{text}");
    }

    #[test]
    fn a_manifest_cannot_write_markup() {
        assert_eq!(
            escape("<b> @bob #1 [x](y) ![i](j) `co<d>e` `open"),
            "&lt;b&gt; @\u{200b}bob #\u{200b}1 \\[x\\](y) !\\[i\\](j) `co<d>e` \\`open"
        );
        assert_eq!(escape("`` <i>"), "\\`\\` &lt;i&gt;");
        assert_eq!(code("a`b"), "`` a`b ``");
        let guide = guide();
        let text = written(new, &hostile(), &assessment(&guide, &hostile()));
        assert!(
            !text
                .chars()
                .any(|c| c != '\n' && c != '\u{200b}' && text::hostile(c))
        );
    }
}
