//! Progress on standard error, once the work has taken a second, and only on a terminal: a bar while things are
//! read, the name of what is done while something is computed.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
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

/// Shows what is being computed, which cannot say itself how far it is; gone when dropped.
pub(crate) struct Working(Option<(Sender<&'static str>, JoinHandle<()>)>);

impl Working {
    pub(crate) fn new(what: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (phases, said) = channel();
        let shown = thread::Builder::new().spawn(move || show(what, &said));
        Self(shown.ok().map(|thread| (phases, thread)))
    }

    /// What is done from now on.
    pub(crate) fn now(&self, what: &'static str) {
        if let Some((phases, _)) = &self.0 {
            // Who does not listen any more shows nothing.
            let _ = phases.send(what);
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some((phases, thread)) = self.0.take() {
            drop(phases);
            let _ = thread.join();
        }
    }
}

fn show(mut what: &'static str, said: &Receiver<&'static str>) {
    let begin = Instant::now() + Duration::from_secs(1);
    let mut bar: Option<ProgressBar> = None;
    loop {
        let wait = begin.saturating_duration_since(Instant::now());
        match said.recv_timeout(wait.max(Duration::from_millis(120))) {
            Ok(next) => what = next,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if Instant::now() >= begin {
            let bar = bar.get_or_insert_with(ProgressBar::new_spinner);
            bar.set_message(what);
            bar.tick();
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}
