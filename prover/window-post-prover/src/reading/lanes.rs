use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use window_post_core::SectorFiles;

use super::crew::{Crew, Ending};
use super::process::{Cause, Reader};
use super::stores::{Store, StuckReaders};
use super::{Answer, Job};
use crate::fault::{Class, Fault};

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
    /// Its last reading.
    pub took: Duration,
    /// The root that its sealed file lies below.
    pub store: PathBuf,
    /// Since the begin of the request.
    pub done_after: Duration,
}

/// One request.
struct Round<'a, D> {
    readers: &'a Readers,
    began: Instant,
    crew: Mutex<Crew>,
    finished: Mutex<Vec<Reading>>,
    done: D,
}

impl Readers {
    /// `lanes`: reader processes for one request; each of its stores has one at least, and one that is behind gets more.
    /// `roots`: directories below which they read; where none is named, any.
    pub fn new(lanes: Option<usize>, limit: Duration, roots: Vec<PathBuf>) -> Self {
        Self { lanes: lanes.unwrap_or(LANES), limit, roots, idle: Mutex::default(), stuck: StuckReaders::default() }
    }

    pub fn lanes(&self) -> usize {
        self.lanes
    }

    pub fn may_read(&self, files: &SectorFiles) -> bool {
        self.roots.is_empty() || [&files.sealed, &files.cache].into_iter().all(|path| self.root_above(path).is_some())
    }

    /// Reads all, ascending by sector; `done` hears how many are finished.
    pub fn read(&self, jobs: Vec<Job>, done: impl Fn(usize) + Sync) -> Vec<Reading> {
        let finished = Mutex::new(Vec::with_capacity(jobs.len()));
        let crew = Mutex::new(Crew::new(jobs, self.lanes, self.limit));
        let round = Round { readers: self, began: Instant::now(), crew, finished, done };
        thread::scope(|scope| round.recruit(scope));
        let mut readings = round.finished.into_inner().expect("no holder of this lock can panic");
        readings.sort_unstable_by_key(|reading: &Reading| reading.sector_id);
        readings
    }

    /// The directory below which a path may be read, told from its name alone.
    pub fn root_above(&self, path: &Path) -> Option<&Path> {
        let climbs = path.components().any(|component| component == Component::ParentDir);
        let root = self.roots.iter().find(|root| path.starts_with(root))?;
        (!climbs).then_some(root)
    }

    fn read_once(&self, store: &Store, job: &Job) -> Result<Vec<u8>, Trouble> {
        if self.stuck.too_many(store) {
            return Err(Trouble::Hangs);
        }
        // An idle reader may have died since; if a fresh one dies as well, it is not by chance.
        let idle = self.idle.lock().expect("no holder of this lock can panic").pop();
        if let Some(reader) = idle {
            match self.ask(store, reader, job) {
                Err(Cause::Died(_)) => {}
                answered => return self.settle(answered),
            }
        }
        let fresh = Reader::start().map_err(|error| Trouble::Fault(Fault::unknown(format!("{error:#}"))))?;
        let answered = self.ask(store, fresh, job);
        self.settle(answered)
    }

    fn ask(&self, store: &Store, reader: Reader, job: &Job) -> Result<Answer, Cause> {
        match reader.ask(job, self.limit) {
            Ok((reader, answer)) => {
                let mut idle = self.idle.lock().expect("no holder of this lock can panic");
                if idle.len() < self.lanes {
                    idle.push(reader);
                } else {
                    self.stuck.give_up(store, reader.into_process());
                }
                Ok(answer)
            }
            Err(failure) => {
                self.stuck.give_up(store, failure.reader);
                Err(failure.cause)
            }
        }
    }

    fn settle(&self, answered: Result<Answer, Cause>) -> Result<Vec<u8>, Trouble> {
        match answered {
            Ok(Answer::Vanilla(text)) => BASE64_STANDARD
                .decode(text)
                .map_err(|error| Trouble::Fault(Fault::unknown(format!("a reader's answer: {error}")))),
            Ok(Answer::Fault(fault)) => Err(Trouble::Fault(fault)),
            Err(Cause::Died(reason)) => Err(Trouble::Fault(Fault::unknown(reason))),
            Err(Cause::TimedOut) => Err(Trouble::TimedOut),
        }
    }
}

/// Why a reading gave no vanilla proof.
enum Trouble {
    Fault(Fault),
    TimedOut,
    Hangs,
}

impl<D: Fn(usize) + Sync> Round<'_, D> {
    /// Starts the lanes that are to work beside those that do.
    fn recruit<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        while let Some((store, job)) = { self.crew().recruit() } {
            scope.spawn(move || self.lane(scope, store, job));
        }
    }

    fn lane<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, store: usize, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            self.read(store, job);
            next = self.crew().take(store);
            self.recruit(scope);
        }
    }

    /// Whatever is wrong with a sector is read again: what is bad at once and past the page cache, anything else when the others
    /// were read, since it may only be too much at once.
    fn read(&self, index: usize, mut job: Job) {
        let began = Instant::now();
        let (store, hangs) = self.look(index);
        let mut outcome = if hangs { Err(Trouble::Hangs) } else { self.readers.read_once(&store, &job) };
        if matches!(&outcome, Err(Trouble::Fault(fault)) if fault.class == Class::Bad) {
            job.again = true;
            outcome = self.readers.read_once(&store, &job);
        }
        let ending = match &outcome {
            Err(Trouble::TimedOut) => Some(Ending::TimedOut),
            Err(Trouble::Hangs) => None,
            Err(Trouble::Fault(fault)) if fault.is_overload() => Some(Ending::Failed),
            _ => Some(Ending::Answered),
        };
        let now = Instant::now();
        let mut crew = self.crew();
        if let Some(ending) = ending {
            crew.ended(index, ending, began, now);
        }
        let may_pass = match &outcome {
            Err(Trouble::Fault(fault)) => fault.class == Class::Unknown,
            Err(Trouble::TimedOut) => true,
            Err(Trouble::Hangs) | Ok(_) => false,
        };
        if may_pass && !job.again && !crew.hangs(index) {
            job.again = true;
            return crew.put_back(index, job);
        }
        drop(crew);
        let vanilla = outcome.map_err(|trouble| match trouble {
            Trouble::Fault(fault) => fault,
            Trouble::TimedOut => Fault::unknown(format!("read timed out after {} s", self.readers.limit.as_secs())),
            Trouble::Hangs => Fault::unknown(format!("not read: the store {} hangs", store.0.display())),
        });
        let reading = Reading {
            sector_id: job.sector_id,
            vanilla,
            took: now - began,
            store: store.0,
            done_after: now - self.began,
        };
        let mut finished = self.finished.lock().expect("no holder of this lock can panic");
        finished.push(reading);
        (self.done)(finished.len());
    }

    fn look(&self, index: usize) -> (Store, bool) {
        let crew = self.crew();
        (crew.store(index).clone(), crew.hangs(index))
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().expect("no holder of this lock can panic")
    }
}
