//! Lines of a given width, with or without colour. Text is measured before it is painted.

use anstyle::{AnsiColor, Style};
use model::finding::Severity;

use super::Options;
use crate::text::{width, wrap};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GUTTER: Style = AnsiColor::Blue.on_default().bold();

/// The colour of a severity.
pub(crate) const fn severity(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Magenta.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Cyan.on_default().bold(),
    }
}

/// What is going to be printed.
#[derive(Debug)]
pub(crate) struct Page {
    options: Options,
    text: String,
}

impl Page {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options: Options {
                width: options.width.max(40),
                ..options
            },
            text: String::new(),
        }
    }

    pub(crate) const fn width(&self) -> usize {
        self.options.width
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.options.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// `Unknown: 3 verdicts`.
    pub(crate) fn title(&mut self, name: &str, rest: &str) {
        for line in wrap(&format!("{name}: {rest}"), self.width()) {
            let line = self.paint(BOLD, &line);
            self.line(&line);
        }
    }

    /// Wrapped text behind an indent.
    pub(crate) fn paragraph(&mut self, indent: &str, text: &str) {
        for line in wrap(text, self.width().saturating_sub(indent.len())) {
            self.line(&format!("{indent}{line}"));
        }
    }

    /// Wrapped text behind a number.
    pub(crate) fn numbered(&mut self, number: usize, text: &str) {
        let lead = format!("{number:>5}  ");
        self.hanging(&lead, lead.len(), text);
    }

    /// Wrapped text behind a lead of so many columns.
    pub(crate) fn hanging(&mut self, lead: &str, columns: usize, text: &str) {
        for (index, line) in wrap(text, self.width().saturating_sub(columns))
            .iter()
            .enumerate()
        {
            let line = line.replace('\u{a0}', " ");
            if index == 0 {
                self.line(&format!("{lead}{line}"));
            } else {
                self.line(&format!("{:columns$}{line}", ""));
            }
        }
    }

    /// `   = label: text`, wrapped; each text begins a line.
    pub(crate) fn labelled(&mut self, gutter: usize, label: &str, texts: &[String]) {
        let lead = format!(
            "{:gutter$} {} {}",
            "",
            self.paint(GUTTER, "="),
            self.paint(BOLD, label)
        );
        let longest = texts
            .iter()
            .flat_map(|text| text.split(' '))
            .map(width)
            .max();
        let beside = gutter + 4 + width(label);
        // Rather below the label than a word broken.
        let columns = if beside + longest.unwrap_or_default() > self.width() {
            self.line(&lead);
            gutter + 5
        } else {
            beside
        };
        for (index, text) in texts.iter().enumerate() {
            if index == 0 && columns == beside {
                self.hanging(&format!("{lead} "), columns, text);
            } else {
                self.hanging(&" ".repeat(columns), columns, text);
            }
        }
    }

    /// `   | text`. The text is painted already.
    pub(crate) fn gutter(&mut self, gutter: usize, text: &str) {
        let bar = self.paint(GUTTER, "|");
        self.line(&format!("{:gutter$} {bar} {text}", ""));
    }

    /// `12 | text`.
    pub(crate) fn numbered_source(&mut self, gutter: usize, number: u32, text: &str) {
        let lead = self.paint(GUTTER, &format!("{number:>gutter$} |"));
        self.line(&format!("{lead} {text}"));
    }

    /// `  --> path:line:column  what stands there`. Paths are never broken, so that they can be clicked.
    pub(crate) fn place(&mut self, gutter: usize, arrow: &str, place: &str, about: &str) {
        let arrow = self.paint(GUTTER, arrow);
        let fits = gutter + 4 + width(place) + 2 + width(about) <= self.width();
        if fits && !about.is_empty() {
            let about = self.paint(DIM, about);
            self.line(&format!("{:gutter$}{arrow} {place}  {about}", ""));
            return;
        }
        self.line(&format!("{:gutter$}{arrow} {place}", ""));
        if !about.is_empty() {
            for line in wrap(about, self.width().saturating_sub(gutter + 3)) {
                let line = self.paint(DIM, &line);
                self.gutter(gutter, &line);
            }
        }
    }
}
