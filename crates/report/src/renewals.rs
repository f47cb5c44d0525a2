//! What ends or has to be renewed, as a page for the terminal.

use std::fmt::Write as _;

use guide::renewals::Renewal;

use crate::text::{hanging, plain, wrap};

/// Columns before what is said.
const BEFORE: usize = 12;

/// One kind of renewal: what happens when nobody minds it, and the steps, as its example has them.
#[must_use]
pub fn page(renewal: &Renewal, width: usize) -> String {
    let width = width.max(40);
    let mut page = format!("{}\n", renewal.title);
    let mut field = |label: &str, text: &str| {
        let lines = wrap(text, width.saturating_sub(BEFORE));
        page.push_str(&hanging(&format!("  {label:<10}"), BEFORE, &lines));
    };
    field("renewal", &renewal.id);
    field("of", &renewal.applies.join(", "));
    if let Some(ends) = &renewal.ends {
        field(
            "ends",
            &ends
                .source()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    if let Some(guideline) = &renewal.guideline {
        field("judged by", guideline);
    }
    let _ = writeln!(page, "\nWhen nobody minds it");
    for part in renewal.prose.split("\n\n") {
        for line in wrap(&plain(part), width.saturating_sub(2)) {
            let _ = writeln!(page, "  {line}");
        }
    }
    let steps = renewal.examples.iter().find_map(|own| own.steps.as_deref());
    if let Some(steps) = steps {
        let _ = writeln!(page, "\nHow it is renewed, for example");
        for line in steps.lines() {
            // Sentences end with a period; a command is copied, so it stays on its line.
            let lines = if line.ends_with('.') {
                wrap(line, width.saturating_sub(4))
            } else {
                vec![format!("  {line}")]
            };
            page.push_str(&hanging("  ", 4, &lines));
        }
    }
    if !renewal.references.is_empty() {
        let _ = writeln!(page, "\nReferences");
    }
    for reference in &renewal.references {
        let _ = writeln!(page, "  {} (seen {})", reference.url, reference.seen);
    }
    let _ = writeln!(
        page,
        "\n`seawall maintenance rotate PATH --kind {}` writes the steps for what you have",
        renewal.id
    );
    page
}
