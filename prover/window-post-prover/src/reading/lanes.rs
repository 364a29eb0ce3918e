use std::collections::{BTreeMap, VecDeque};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use window_post_core::SectorFiles;

use super::process::{Cause, Reader};
use super::stores::{Store, StuckReaders};
use super::{Answer, Job};
use crate::fault::{Class, Fault};

/// Time-outs of one request in one store after which its other sectors are not tried.
const TIMEOUTS_AT_MOST: usize = 4;

/// More than cores: a sector is sixty reads, more than half of which wait for one another (340 ms where each takes 10 ms),
/// and 33 ms of CPU, so that it takes two dozen to keep two cores busy. One costs 20 ms of CPU at its start and 1 MB.
const LANES: usize = 32;

/// Reads sectors in reader processes, those of each store in lanes of its own, so that a store that hangs costs only
/// its own sectors.
pub struct Readers {
    lanes: usize,
    limit: Duration,
    roots: Vec<PathBuf>,
    idle: Mutex<Vec<Reader>>,
    stuck: StuckReaders,
}

/// What came of one sector.
pub struct Reading {
    pub sector_id: u64,
    pub vanilla: Result<Vec<u8>, Fault>,
    pub took: Duration,
}

/// The sectors of one store that nobody reads yet, and how often a reader was given up there in this request.
struct Queue {
    store: Store,
    jobs: Mutex<VecDeque<Job>>,
    timeouts: AtomicUsize,
}

impl Readers {
    /// `lanes`: reader processes for one request; each of its stores has one at least, so there may be a few more.
    /// `roots`: directories below which they read; where none is named, any.
    pub fn new(lanes: Option<usize>, limit: Duration, roots: Vec<PathBuf>) -> Self {
        Self { lanes: lanes.unwrap_or(LANES), limit, roots, idle: Mutex::default(), stuck: StuckReaders::default() }
    }

    pub fn may_read(&self, files: &SectorFiles) -> bool {
        let is_below = |path: &Path| {
            let climbs = path.components().any(|component| component == Component::ParentDir);
            !climbs && self.roots.iter().any(|root| path.starts_with(root))
        };
        self.roots.is_empty() || [&files.sealed, &files.cache].into_iter().all(|path| is_below(path))
    }

    /// Reads all, ascending by sector; `done` hears how many are finished.
    pub fn read(&self, jobs: Vec<Job>, done: impl Fn(usize) + Sync) -> Vec<Reading> {
        let finished = Mutex::new(Vec::with_capacity(jobs.len()));
        let total = jobs.len();
        let queues = queues(jobs);
        thread::scope(|scope| {
            for queue in &queues {
                let waiting = queue.jobs.lock().expect("no holder of this lock can panic").len();
                for _ in 0..share(self.lanes, waiting, total) {
                    scope.spawn(|| {
                        while let Some(reading) = self.next(queue) {
                            let mut finished = finished.lock().expect("no holder of this lock can panic");
                            finished.push(reading);
                            done(finished.len());
                        }
                    });
                }
            }
        });
        let mut readings = finished.into_inner().expect("no holder of this lock can panic");
        readings.sort_unstable_by_key(|reading: &Reading| reading.sector_id);
        readings
    }

    fn next(&self, queue: &Queue) -> Option<Reading> {
        let job = queue.jobs.lock().expect("no holder of this lock can panic").pop_front()?;
        let start = Instant::now();
        let sector_id = job.sector_id;
        let vanilla = self.read_twice_if_bad(queue, job);
        Some(Reading { sector_id, vanilla, took: start.elapsed() })
    }

    fn read_twice_if_bad(&self, queue: &Queue, mut job: Job) -> Result<Vec<u8>, Fault> {
        let first = self.read_once(queue, &job);
        match first {
            Err(fault) if fault.class == Class::Bad => {
                job.again = true;
                self.read_once(queue, &job)
            }
            other => other,
        }
    }

    fn read_once(&self, queue: &Queue, job: &Job) -> Result<Vec<u8>, Fault> {
        if queue.timeouts.load(Ordering::Relaxed) >= TIMEOUTS_AT_MOST || self.stuck.too_many(&queue.store) {
            return Err(Fault::unknown(format!("not read: the store {} hangs", queue.store.0.display())));
        }
        // An idle reader may have died since; if a fresh one dies as well, it is not by chance.
        let idle = self.idle.lock().expect("no holder of this lock can panic").pop();
        if let Some(reader) = idle {
            match self.ask(queue, reader, job) {
                Err(Cause::Died(_)) => {}
                answered => return self.settle(queue, answered),
            }
        }
        let fresh = Reader::start().map_err(|error| Fault::unknown(format!("{error:#}")))?;
        let answered = self.ask(queue, fresh, job);
        self.settle(queue, answered)
    }

    fn ask(&self, queue: &Queue, reader: Reader, job: &Job) -> Result<Answer, Cause> {
        match reader.ask(job, self.limit) {
            Ok((reader, answer)) => {
                let mut idle = self.idle.lock().expect("no holder of this lock can panic");
                if idle.len() < self.lanes {
                    idle.push(reader);
                } else {
                    self.stuck.give_up(&queue.store, reader.into_process());
                }
                Ok(answer)
            }
            Err(failure) => {
                self.stuck.give_up(&queue.store, failure.reader);
                Err(failure.cause)
            }
        }
    }

    fn settle(&self, queue: &Queue, answered: Result<Answer, Cause>) -> Result<Vec<u8>, Fault> {
        match answered {
            Ok(Answer::Vanilla(text)) => {
                BASE64_STANDARD.decode(text).map_err(|error| Fault::unknown(format!("a reader's answer: {error}")))
            }
            Ok(Answer::Fault(fault)) => Err(fault),
            Err(Cause::Died(reason)) => Err(Fault::unknown(reason)),
            Err(Cause::TimedOut) => {
                queue.timeouts.fetch_add(1, Ordering::Relaxed);
                Err(Fault::unknown(format!("read timed out after {} s", self.limit.as_secs())))
            }
        }
    }
}

fn queues(jobs: Vec<Job>) -> Vec<Queue> {
    let mut by_store: BTreeMap<Store, VecDeque<Job>> = BTreeMap::new();
    for job in jobs {
        let store = (root_of(&job.sealed_file), root_of(&job.cache_dir));
        by_store.entry(store).or_default().push_back(job);
    }
    let queue = |(store, jobs)| Queue { store, jobs: Mutex::new(jobs), timeouts: AtomicUsize::new(0) };
    by_store.into_iter().map(queue).collect()
}

/// Lanes of a store that has so many of all sectors: in proportion, so that stores of one speed are done at the same time.
fn share(lanes: usize, waiting: usize, total: usize) -> usize {
    (lanes * waiting / total).clamp(1, waiting)
}

/// `<root>/sealed/<sector>` and `<root>/cache/<sector>` both have their store's root two levels up.
fn root_of(path: &Path) -> PathBuf {
    path.ancestors().nth(2).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_have_lanes_by_their_sectors() {
        assert_eq!(share(16, 2349, 2349), 16);
        assert_eq!([1500, 500, 348, 1].map(|waiting| share(16, waiting, 2349)), [10, 3, 2, 1]);
        assert_eq!(share(16, 3, 3), 3, "none without a sector");
    }
}
