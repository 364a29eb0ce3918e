use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Job;
use super::pace::Pace;
use super::stores::Store;

/// A store whose sectors take so many times longer than they usually do is slow: what its lanes do is mostly to wait.
const SLOW: u32 = 2;

/// Who reads what next. Each store has lanes of its own, in proportion to its sectors, that nobody takes away: one that hangs costs the
/// others nothing. Lanes of stores that are done go to the one that would be done last. A slow one would be, always: it gets up to as
/// many lanes beside the others' as there are.
pub struct Crew {
    /// Shared out over the stores.
    lanes: usize,
    stores: Vec<Waiting>,
}

/// The sectors of one store that nobody reads yet.
struct Waiting {
    store: Store,
    jobs: VecDeque<Job>,
    share: usize,
    lanes: usize,
    pace: Pace,
    read: u32,
    took: Duration,
}

/// How a reading ended, as far as its store is concerned.
pub enum Ending {
    Answered,
    /// The store gave an error that tells of too much work.
    Failed,
    TimedOut,
}

impl Crew {
    pub fn new(jobs: Vec<Job>, lanes: usize, time_limit: Duration) -> Self {
        let mut by_store: BTreeMap<Store, VecDeque<Job>> = BTreeMap::new();
        for job in jobs {
            by_store.entry((root_of(&job.sealed_file), root_of(&job.cache_dir))).or_default().push_back(job);
        }
        let shares = shares(lanes, &by_store.values().map(VecDeque::len).collect::<Vec<_>>());
        let stores = by_store.into_iter().zip(shares).map(|((store, jobs), share)| Waiting {
            store,
            jobs,
            share,
            lanes: 0,
            pace: Pace::new(2 * lanes, time_limit),
            read: 0,
            took: Duration::ZERO,
        });
        Self { lanes, stores: stores.collect() }
    }

    pub fn store(&self, index: usize) -> &Store {
        &self.stores[index].store
    }

    pub fn hangs(&self, index: usize) -> bool {
        self.stores[index].pace.hangs()
    }

    /// A store that is to have one lane more, which counts from now on, and its first sector.
    pub fn recruit(&mut self) -> Option<(usize, Job)> {
        let index = self.next()?;
        let job = self.stores[index].jobs.pop_front()?;
        self.stores[index].lanes += 1;
        Some((index, job))
    }

    /// The next sector for a lane of this store; none: the lane ends, and another store may have one more.
    pub fn take(&mut self, index: usize) -> Option<Job> {
        let waiting = &mut self.stores[index];
        let is_borrowed = waiting.lanes > waiting.share;
        waiting.lanes -= 1;
        if waiting.lanes >= waiting.pace.limit() || (is_borrowed && self.next().is_some_and(|other| other != index)) {
            return None;
        }
        let waiting = &mut self.stores[index];
        let job = waiting.jobs.pop_front()?;
        waiting.lanes += 1;
        Some(job)
    }

    /// A sector to be read again when all others were.
    pub fn put_back(&mut self, index: usize, job: Job) {
        self.stores[index].jobs.push_back(job);
    }

    pub fn ended(&mut self, index: usize, ending: Ending, began: Instant, now: Instant) {
        let Waiting { pace, lanes, read, took, .. } = &mut self.stores[index];
        *read += 1;
        *took += now - began;
        match ending {
            Ending::Answered => pace.answered(*lanes, began, now),
            Ending::Failed => pace.failed(*lanes, began, now),
            Ending::TimedOut => pace.timed_out(*lanes, began, now),
        }
    }

    fn next(&self) -> Option<usize> {
        let stores = || self.stores.iter().enumerate().filter(|(_, waiting)| waiting.may_grow());
        if let Some((own, _)) = stores().find(|(_, waiting)| waiting.lanes < waiting.share) {
            return Some(own);
        }
        let usual = self.usual();
        let is_slow = |waiting: &Waiting| waiting.each().is_some_and(|each| each > usual * SLOW);
        let working: usize = self.stores.iter().map(|waiting| waiting.lanes).sum();
        let slow_ones = self.stores.iter().filter(|waiting| is_slow(waiting));
        let beside: usize = slow_ones.map(|waiting| waiting.lanes.saturating_sub(waiting.share)).sum();
        let (has_lane, has_lane_beside) = (working - beside < self.lanes, beside < self.lanes);
        let others_wait = stores().any(|(_, waiting)| !is_slow(waiting));
        // Of one that has not answered yet nothing is known, and it may hang.
        let known = stores().filter_map(|(index, waiting)| Some((index, is_slow(waiting), waiting.left()?)));
        known
            .filter(|(_, is_slow, _)| if *is_slow { has_lane_beside || (has_lane && !others_wait) } else { has_lane })
            .max_by_key(|(_, _, left)| *left)
            .map(|(index, ..)| index)
    }

    /// What a sector takes, by the median of the stores that have answered.
    fn usual(&self) -> Duration {
        let mut each: Vec<_> = self.stores.iter().filter_map(Waiting::each).collect();
        each.sort_unstable();
        each.get(each.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    }
}

impl Waiting {
    fn may_grow(&self) -> bool {
        !self.jobs.is_empty() && self.lanes < self.pace.limit()
    }

    fn each(&self) -> Option<Duration> {
        (self.read > 0).then(|| self.took / self.read)
    }

    /// How long its lanes will take.
    fn left(&self) -> Option<Duration> {
        let sectors = self.jobs.len() + self.lanes;
        Some(self.each()?.mul_f64(sectors as f64 / self.lanes.max(1) as f64))
    }
}

/// Lanes of stores that have so many sectors: in proportion, so that stores of one speed are done at the same time, but one at least.
fn shares(lanes: usize, sectors: &[usize]) -> Vec<usize> {
    let total: usize = sectors.iter().sum();
    let mut shares: Vec<_> = sectors.iter().map(|&own| (lanes * own / total).clamp(1, own)).collect();
    let mut by_rest: Vec<_> = (0..sectors.len()).filter(|&index| shares[index] < sectors[index]).collect();
    by_rest.sort_by_key(|&index| std::cmp::Reverse(lanes * sectors[index] % total));
    let left = lanes.saturating_sub(shares.iter().sum());
    for index in by_rest.into_iter().take(left) {
        shares[index] += 1;
    }
    shares
}

/// `<root>/sealed/<sector>` and `<root>/cache/<sector>` both have their store's root two levels up.
fn root_of(path: &Path) -> PathBuf {
    path.ancestors().nth(2).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME_LIMIT: Duration = Duration::from_secs(60);

    fn jobs(store: &str, count: u64) -> Vec<Job> {
        let job = |sector_id| Job {
            proof_type: String::new(),
            sector_id,
            comm_r: [0; 32],
            cache_dir: PathBuf::from(format!("{store}/cache/s-t01000-{sector_id}")),
            sealed_file: PathBuf::from(format!("{store}/sealed/s-t01000-{sector_id}")),
            challenges: Vec::new(),
            root: None,
            again: false,
        };
        (0..count).map(job).collect()
    }

    /// Milliseconds until each store is done, by order of name, where a sector of theirs takes so long, whatever else is read.
    fn simulate(stores: &[(u64, u64)], lanes: usize) -> (Vec<u64>, usize) {
        let all = stores.iter().enumerate().flat_map(|(index, (count, _))| jobs(&format!("/{index:02}"), *count));
        let mut crew = Crew::new(all.collect(), lanes, TIME_LIMIT);
        let (start, mut now, mut most) = (Instant::now(), 0, 0);
        let mut done = vec![0; stores.len()];
        let mut running: Vec<(u64, u64, usize)> = Vec::new();
        loop {
            while let Some((index, _)) = crew.recruit() {
                running.push((now + stores[index].1, now, index));
            }
            most = most.max(running.len());
            running.sort_unstable_by_key(|(end, ..)| std::cmp::Reverse(*end));
            let Some((end, began, index)) = running.pop() else { return (done, most) };
            now = end;
            done[index] = now;
            let at = |ms| start + Duration::from_millis(ms);
            crew.ended(index, Ending::Answered, at(began), at(now));
            if crew.take(index).is_some() {
                running.push((now + stores[index].1, now, index));
            }
        }
    }

    #[test]
    fn stores_have_lanes_by_their_sectors() {
        assert_eq!(shares(16, &[2349]), [16]);
        assert_eq!(shares(16, &[1500, 500, 348, 1]), [10, 3, 2, 1]);
        assert_eq!(shares(32, &[117; 20]), [vec![2; 12], vec![1; 8]].concat());
        assert_eq!(shares(4, &[117; 6]), [1; 6], "one at least");
        assert_eq!(shares(16, &[3]), [3], "none without a sector");
    }

    #[test]
    fn stores_of_one_speed_take_no_more_lanes_than_there_are() {
        let (done, most) = simulate(&[(100, 500); 8], 32);
        assert_eq!((done, most), (vec![12_500; 8], 32));
    }

    #[test]
    fn one_slow_store_of_twenty_gets_more_lanes_and_costs_the_others_nothing() {
        let mut stores = [(117, 300); 20];
        let (usual, _) = simulate(&stores, 32);
        stores[7].1 = 2_000;
        let (done, most) = simulate(&stores, 32);
        let last_of = |done: &[u64]| done.iter().enumerate().filter(|(index, _)| *index != 7).map(|(_, ms)| *ms).max();
        assert!(last_of(&done) <= last_of(&usual), "{done:?} instead of {usual:?}");
        assert!(done[7] <= usual[0] * 11 / 10, "{} ms, usually {} ms", done[7], usual[0]);
        assert!(most <= 64, "{most} lanes");
    }

    #[test]
    fn lanes_that_others_do_not_need_go_to_a_single_slow_one() {
        let (done, most) = simulate(&[(16, 100), (320, 1_000)], 32);
        assert!(done[1] <= 11_000, "{} ms", done[1]);
        assert!((32..=64).contains(&most), "{most} lanes");
    }

    #[test]
    fn a_store_that_never_answers_has_its_share_only() {
        let mut crew = Crew::new([jobs("/a", 16), jobs("/b", 16)].concat(), 8, TIME_LIMIT);
        let mut recruits = Vec::new();
        while let Some((index, _)) = crew.recruit() {
            recruits.push(index);
        }
        assert_eq!(recruits, [0, 0, 0, 0, 1, 1, 1, 1]);
        let now = Instant::now();
        for _ in 0..16 {
            crew.ended(0, Ending::Answered, now, now);
            if crew.take(0).is_some() {
                assert!(crew.recruit().is_none(), "its own lanes are enough");
            }
        }
        assert!(crew.recruit().is_none(), "nothing is known of /b");
    }
}
