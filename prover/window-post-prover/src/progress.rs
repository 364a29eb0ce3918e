use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::lines::Output;

const AT_MOST_EVERY: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Line {
    id: u64,
    progress: Step,
}

#[derive(Serialize)]
struct Step {
    phase: &'static str,
    done: u64,
    total: u64,
}

/// Progress lines of one request; the begin and end of a phase are always told, the rest at most twice a second.
pub struct Progress {
    output: Option<Output>,
    id: u64,
    last: Mutex<Option<(&'static str, Instant)>>,
}

impl Progress {
    /// `output` is absent when nobody asked for progress.
    pub fn new(output: Option<Output>, id: u64) -> Self {
        Self { output, id, last: Mutex::new(None) }
    }

    pub fn report(&self, phase: &'static str, done: usize, total: usize) {
        self.tell(phase, done as u64, total as u64);
    }

    /// Does the work, and tells at its begin, each second and at its end how far it is. Nobody knows how far it has to go: the total is 0.
    pub fn ticking<T>(&self, phase: &'static str, done: impl Fn() -> u64 + Sync, work: impl FnOnce() -> T) -> T {
        self.tell(phase, done(), 0);
        thread::scope(|scope| {
            let (working, over) = mpsc::channel::<()>();
            let done = &done;
            scope.spawn(move || {
                while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    self.tell(phase, done(), 0);
                }
            });
            let result = work();
            drop(working);
            self.tell(phase, done(), 0);
            result
        })
    }

    fn tell(&self, phase: &'static str, done: u64, total: u64) {
        let Some(output) = &self.output else { return };
        let mut last = self.last.lock().expect("no holder of this lock can panic");
        if done < total && last.is_some_and(|(before, when)| before == phase && when.elapsed() < AT_MOST_EVERY) {
            return;
        }
        *last = Some((phase, Instant::now()));
        output.line(&Line { id: self.id, progress: Step { phase, done, total } });
    }
}
