use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::lines::Output;

const AT_MOST_EVERY: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Line {
    id: u64,
    progress: Step,
}

#[derive(Serialize)]
struct Step {
    phase: &'static str,
    done: usize,
    total: usize,
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
        let Some(output) = &self.output else { return };
        let mut last = self.last.lock().expect("no holder of this lock can panic");
        if done < total && last.is_some_and(|(before, when)| before == phase && when.elapsed() < AT_MOST_EVERY) {
            return;
        }
        *last = Some((phase, Instant::now()));
        output.line(&Line { id: self.id, progress: Step { phase, done, total } });
    }
}
