//! What takes long to find out, found out when somebody asks, by a thread of its own, once for each picture of the
//! estate; until it is there, what an earlier picture gave is shown, with its age.
//!
//! What it deliberately leaves out: what is found out (`ways`, `decisions`).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a page waits for what is not there at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// Answers that are kept, each to another question.
const KEPT: usize = 4;

/// Answers to questions.
#[derive(Debug)]
pub(super) struct Latest<Q, A>(Arc<State<Q, A>>);

#[derive(Debug)]
struct State<Q, A> {
    known: Mutex<Known<Q, A>>,
    found: Condvar,
}

#[derive(Debug)]
struct Known<Q, A> {
    /// The question, the number of the picture, and the answer; the newest last.
    answers: Vec<(Q, u64, Arc<A>)>,
    busy: bool,
}

impl<Q, A> Default for Latest<Q, A> {
    fn default() -> Self {
        Self(Arc::new(State {
            known: Mutex::new(Known {
                answers: Vec::new(),
                busy: false,
            }),
            found: Condvar::new(),
        }))
    }
}

impl<Q, A> State<Q, A> {
    fn known(&self) -> MutexGuard<'_, Known<Q, A>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever becomes of the thread, the next may begin.
struct Turn<Q, A>(Arc<State<Q, A>>);

impl<Q, A> Drop for Turn<Q, A> {
    fn drop(&mut self) {
        self.0.known().busy = false;
        self.0.found.notify_all();
    }
}

impl<Q, A> Latest<Q, A>
where
    Q: PartialEq + Clone + Send + 'static,
    A: Send + Sync + 'static,
{
    /// The newest answer that there is; nothing while the first is being looked for. Begins to look for a newer one.
    pub(super) fn ask(
        &self,
        question: &Q,
        number: u64,
        find: impl FnOnce() -> A + Send + 'static,
    ) -> Option<Arc<A>> {
        let state = &self.0;
        let mut known = state.known();
        let answer = |known: &Known<Q, A>| {
            let mut own = known.answers.iter().filter(|(own, ..)| own == question);
            own.next()
                .map(|(_, number, answer)| (*number, Arc::clone(answer)))
        };
        let last = answer(&known);
        if let Some((of, answer)) = &last
            && *of == number
        {
            return Some(Arc::clone(answer));
        }
        if !known.busy {
            let (turn, question) = (Turn(Arc::clone(state)), question.clone());
            known.busy = true;
            drop(known);
            let look = move || {
                let found = Arc::new(find());
                let mut known = turn.0.known();
                known.answers.retain(|(own, ..)| *own != question);
                if known.answers.len() >= KEPT {
                    known.answers.remove(0);
                }
                known.answers.push((question, number, found));
                drop(known);
                drop(turn);
            };
            // Where no thread can be had, the closure is dropped, and its turn with it.
            let _ = thread::Builder::new().spawn(look);
            known = state.known();
        }
        if let Some((_, answer)) = last {
            return Some(answer);
        }
        let wait = state.found.wait_timeout_while(known, PATIENCE, |known| {
            known.busy && answer(known).is_none()
        });
        let known = wait.unwrap_or_else(PoisonError::into_inner).0;
        answer(&known).map(|(_, answer)| answer)
    }

    /// What is there, without looking for more.
    pub(super) fn known(&self, question: &Q) -> Option<Arc<A>> {
        let known = self.0.known();
        let mut own = known.answers.iter().filter(|(own, ..)| own == question);
        own.next().map(|(_, _, answer)| Arc::clone(answer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn the_last_answer_is_shown_until_a_newer_is_there() {
        let latest: Latest<&str, u32> = Latest::default();
        assert!(latest.known(&"a").is_none());
        assert_eq!(latest.ask(&"a", 1, || 10).as_deref(), Some(&10));
        // The same picture: nothing is looked for.
        let again = latest.ask(&"a", 1, || panic!("it is known"));
        assert_eq!(again.as_deref(), Some(&10));
        let (go, wait) = channel::<()>();
        let next = latest.ask(&"a", 2, move || {
            wait.recv().unwrap();
            20
        });
        assert_eq!(next.as_deref(), Some(&10));
        // One at a time: another question waits for its turn.
        assert!(latest.ask(&"b", 2, || panic!("it is busy")).is_none());
        go.send(()).unwrap();
        while latest.known(&"a").as_deref() != Some(&20) {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(latest.ask(&"b", 2, || 30).as_deref(), Some(&30));
        assert_eq!(latest.known(&"a").as_deref(), Some(&20));
    }

    #[test]
    fn who_fails_does_not_keep_others_from_looking() {
        let latest: Latest<(), u32> = Latest::default();
        assert!(latest.ask(&(), 1, || panic!("on purpose")).is_none());
        assert_eq!(latest.ask(&(), 1, || 7).as_deref(), Some(&7));
    }
}
