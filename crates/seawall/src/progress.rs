//! A progress bar on standard error, once the work has taken a second, and only on a terminal.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sources::{Input, Reached};

/// Shows how far reading is.
pub(crate) struct Progress {
    started: Instant,
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            started: Instant::now(),
            bar: None,
            done: 0,
            total: total as u64,
        }
    }

    pub(crate) fn tick(&mut self, reached: Reached<'_>) {
        let input = match reached {
            Reached::Input(input) => input,
            Reached::Live(what) => {
                if let Some(bar) = self.bar() {
                    bar.set_message(what.to_owned());
                }
                return;
            }
        };
        self.done += 1;
        if let Some(bar) = self.bar() {
            let name = match input {
                Input::Stdin => "standard input".to_owned(),
                Input::Deployment(path, _)
                | Input::Terraform(path)
                | Input::File(path)
                | Input::Unread(path, _)
                | Input::Chart(path)
                | Input::Kustomization(path)
                | Input::Beside(path, _)
                | Input::Part(path, _) => path.display().to_string(),
            };
            bar.set_message(name);
        }
        let done = self.done;
        if let Some(bar) = self.bar() {
            bar.set_position(done);
        }
    }

    pub(crate) fn phase(&mut self, name: &'static str) {
        if let Some(bar) = self.bar() {
            bar.set_message(name);
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&mut self) -> Option<&ProgressBar> {
        if self.bar.is_none()
            && self.started.elapsed() >= Duration::from_secs(1)
            && io::stderr().is_terminal()
        {
            let bar = ProgressBar::new(self.total);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        self.bar.as_ref()
    }
}
