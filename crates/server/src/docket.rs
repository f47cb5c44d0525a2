//! The reviews that wait to be judged: in order, of a bounded number, each with the moment after which nobody waits
//! for it any more.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::oneshot;

use crate::admission::{Answer, Half};
use crate::trace::Parent;

/// A review that waits.
#[derive(Debug)]
pub struct Case {
    /// The body as it came.
    pub body: Bytes,
    /// Which guidelines are asked.
    pub half: Half,
    /// When it came.
    pub received: Instant,
    /// When it must be answered.
    pub deadline: Instant,
    /// Who waits.
    pub reply: oneshot::Sender<Judged>,
    /// Whose span it belongs to, where somebody traces.
    pub trace: Option<Parent>,
}

/// What became of a case.
#[derive(Debug)]
pub enum Judged {
    /// An answer to the request of this uid.
    Answer(Box<str>, Answer),
    /// The body is no review.
    Malformed(String),
}

#[derive(Debug, Default)]
struct State {
    cases: VecDeque<Case>,
    /// Only judges of this number take cases.
    sitting: u64,
    closed: bool,
    /// When a case was last taken, or came while none waited.
    moved: Option<Instant>,
}

/// The queue.
#[derive(Debug)]
pub struct Docket {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

impl Docket {
    /// A queue that holds so many.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a case at the end.
    ///
    /// # Errors
    /// Gives it back when there is no room.
    pub fn add(&self, case: Case) -> Result<(), Box<Case>> {
        let mut state = self.lock();
        if state.closed || state.cases.len() >= self.capacity {
            return Err(Box::new(case));
        }
        if state.cases.is_empty() {
            state.moved = Some(case.received);
        }
        state.cases.push_back(case);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The first case, as soon as there is one; none when others sit now, or it is over.
    #[must_use]
    pub fn take(&self, sitting: u64) -> Option<Case> {
        let mut state = self.lock();
        loop {
            if state.closed || state.sitting != sitting {
                // A case may have been announced to this judge alone.
                self.changed.notify_one();
                return None;
            }
            if let Some(case) = state.cases.pop_front() {
                state.moved = Some(Instant::now());
                return Some(case);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// From now on judges of this number sit; those before finish what they have begun.
    pub fn sit(&self, sitting: u64) {
        self.lock().sitting = sitting;
        self.changed.notify_all();
    }

    /// Which judges sit; 0: none yet.
    #[must_use]
    pub fn sitting(&self) -> u64 {
        self.lock().sitting
    }

    /// Whether cases have waited for so long without any being taken: the judges hang.
    #[must_use]
    pub fn hangs(&self, long: Duration) -> bool {
        let state = self.lock();
        !state.cases.is_empty() && state.moved.is_some_and(|moved| moved.elapsed() > long)
    }

    /// No case is taken any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(body: &'static str) -> Case {
        let now = Instant::now();
        Case {
            body: Bytes::from_static(body.as_bytes()),
            half: Half::Both,
            received: now,
            deadline: now + Duration::from_secs(10),
            reply: oneshot::channel().0,
            trace: None,
        }
    }

    #[test]
    fn the_newest_is_sent_away_and_the_others_are_taken_in_their_order() {
        let docket = Docket::new(3);
        for body in ["first", "second", "third"] {
            assert!(docket.add(case(body)).is_ok());
        }
        let sent_away = docket.add(case("fourth")).unwrap_err();
        assert_eq!(sent_away.body, "fourth");
        docket.sit(1);
        assert_eq!(docket.take(1).unwrap().body, "first");
        // There is room again, behind those who wait.
        assert!(docket.add(case("fifth")).is_ok());
        let rest: Vec<Bytes> = (0..3).map(|_| docket.take(1).unwrap().body).collect();
        assert_eq!(rest, ["second", "third", "fifth"]);
        // Others sit now.
        docket.sit(2);
        assert!(docket.take(1).is_none());
    }

    #[test]
    fn judges_hang_when_cases_wait_and_none_is_taken() {
        let docket = Docket::new(3);
        docket.sit(1);
        let moment = Duration::from_millis(20);
        assert!(!docket.hangs(moment));
        docket.add(case("first")).unwrap();
        docket.add(case("second")).unwrap();
        std::thread::sleep(2 * moment);
        assert!(docket.hangs(moment));
        docket.take(1).unwrap();
        assert!(!docket.hangs(moment));
        docket.take(1).unwrap();
        // Nobody waits for as long as nothing is asked.
        std::thread::sleep(2 * moment);
        assert!(!docket.hangs(moment));
    }
}
