//! People who write to a cluster all the time, good pods and bad ones, and what became of each of them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use oracle::ApiServer;
use serde_json::Value;

/// What became of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// A good one was let in, a bad one refused, with the reason.
    Judged,
    /// Nobody judged in time: refused, as is declared for what fails closed.
    FailedClosed,
    /// The API server was away, or what it keeps its objects in.
    Away,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    took: Duration,
    became: Became,
}

/// Whoever writes, and what is noted.
pub(crate) struct Load {
    asked: Mutex<Vec<Asked>>,
    wrong: Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// What became of all that was asked between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    pub(crate) judged: usize,
    pub(crate) failed_closed: usize,
    pub(crate) away: usize,
    pub(crate) longest: Duration,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            judged,
            failed_closed,
            away,
            longest,
        } = self;
        write!(
            f,
            "{judged} judged, {failed_closed} failed closed, {away} while the API server was away, longest {longest:.1?}"
        )
    }
}

const PODS: &str = "/api/v1/namespaces/shop/pods?dryRun=All";

/// Ends the load.
pub(crate) struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Load {
    pub(crate) const fn new() -> Self {
        Self {
            asked: Mutex::new(Vec::new()),
            wrong: Mutex::new(Vec::new()),
            stop: AtomicBool::new(false),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap()
    }

    /// Writes until it is stopped. Blocks; several may.
    pub(crate) fn go(&self, server: &ApiServer, good: &Value, bad: &Value) {
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            turn += 1;
            let is_bad = turn % 2 == 0;
            let pod = if is_bad { bad } else { good };
            let at = Instant::now();
            let answer = server.request("POST", PODS, Some(pod));
            let became = became(is_bad, &answer);
            let took = at.elapsed();
            match became {
                Some(became) => self.asked().push(Asked { at, took, became }),
                None => self
                    .wrong
                    .lock()
                    .unwrap()
                    .push(format!("bad: {is_bad}: {answer:?}")),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// It is stopped when this goes, also by a test that fails: nobody waits for it then.
    pub(crate) const fn until_dropped(&self) -> Stop<'_> {
        Stop(&self.stop)
    }

    /// What was answered as nobody declared.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    pub(crate) fn since(&self, moment: Instant) -> Sum {
        let mut sum = Sum::default();
        for asked in self.asked().iter().filter(|asked| asked.at >= moment) {
            match asked.became {
                Became::Judged => sum.judged += 1,
                Became::FailedClosed => sum.failed_closed += 1,
                Became::Away => sum.away += 1,
            }
            sum.longest = sum.longest.max(asked.took);
        }
        sum
    }

    /// Waits until the last so many were all judged, and says how long that took.
    pub(crate) fn until_judged(&self, begin: Instant, what: &str) -> Duration {
        const LAST: usize = 30;
        while begin.elapsed() < Duration::from_secs(120) {
            thread::sleep(Duration::from_millis(50));
            let asked = self.asked();
            let last: Vec<&Asked> = asked
                .iter()
                .rev()
                .filter(|asked| asked.at >= begin)
                .take(LAST)
                .collect();
            let judged = last.iter().all(|asked| asked.became == Became::Judged);
            if judged && let (LAST, Some(first)) = (last.len(), last.last()) {
                let first = first.at;
                return first.duration_since(begin);
            }
        }
        panic!("{what}: {} {:?}", self.since(begin), self.wrong());
    }
}

/// What became of a pod; nothing where that is not as it was declared.
fn became(is_bad: bool, answer: &oracle::Result<(u16, Value)>) -> Option<Became> {
    let Ok((status, body)) = answer else {
        return Some(Became::Away);
    };
    let message = body["message"].as_str().unwrap_or_default();
    let closed = "admission webhook \"closed.seawall.dev\" denied the request: ";
    match (status, is_bad) {
        (201, false) => Some(Became::Judged),
        (403, true) if message.contains("seawall refuses Pod shop/bad") => Some(Became::Judged),
        (500 | 504, _) if message.contains("failed calling webhook \"closed.seawall.dev\"") => {
            Some(Became::FailedClosed)
        }
        (503, _) if message.starts_with(closed) && message.contains("did not judge") => {
            Some(Became::FailedClosed)
        }
        // While it starts, and while etcd does not answer.
        (500..=504 | 429, _) if !message.contains("seawall") => Some(Became::Away),
        (401 | 403, _) if message.contains("is forbidden: User") || *status == 401 => {
            Some(Became::Away)
        }
        _ => None,
    }
}
