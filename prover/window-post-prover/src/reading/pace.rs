use std::time::{Duration, Instant};

/// Rounds of readings in a row in which a store answered nothing, after which it hangs.
const SILENT_ROUNDS: usize = 2;
/// A sector that takes this share of its time limit, and twice as long as the quickest one there, tells of a store that is
/// asked for too much: it gets less before anything fails.
const SLOW_SHARE: u32 = 4;

/// How many readers at once a store bears. It has all that it is given until its readings become slow, fail or time out; then half
/// of those that it had, or a quarter, and one more after each round without trouble.
pub struct Pace {
    limit: usize,
    most: usize,
    time_limit: Duration,
    quickest: Option<Duration>,
    /// Sectors read since the limit was changed.
    calm: usize,
    /// Readings that began before tell nothing new.
    slowed_at: Option<Instant>,
    silent_rounds: usize,
}

impl Pace {
    pub fn new(most: usize, time_limit: Duration) -> Self {
        Self { limit: most, most, time_limit, quickest: None, calm: 0, slowed_at: None, silent_rounds: 0 }
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Nothing came back in time, whatever was tried: it is left alone.
    pub fn hangs(&self) -> bool {
        self.silent_rounds >= SILENT_ROUNDS
    }

    pub fn answered(&mut self, lanes: usize, began: Instant, now: Instant) {
        self.silent_rounds = 0;
        let took = now - began;
        let quickest = self.quickest.map_or(took, |before| before.min(took));
        self.quickest = Some(quickest);
        if took > self.time_limit / SLOW_SHARE && took > quickest * 2 {
            self.slow_down(lanes / 2, began, now);
            return;
        }
        self.calm += 1;
        if self.calm >= self.limit && self.limit < self.most {
            self.limit += 1;
            self.calm = 0;
        }
    }

    pub fn failed(&mut self, lanes: usize, began: Instant, now: Instant) {
        self.slow_down(lanes / 2, began, now);
    }

    pub fn timed_out(&mut self, lanes: usize, began: Instant, now: Instant) {
        if self.slow_down(lanes / 4, began, now) {
            self.silent_rounds += 1;
        }
    }

    /// False where the reading began before the last time.
    fn slow_down(&mut self, limit: usize, began: Instant, now: Instant) -> bool {
        if self.slowed_at.is_some_and(|at| began < at) {
            return false;
        }
        self.limit = limit.clamp(1, self.limit);
        self.calm = 0;
        self.slowed_at = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn errors_of_one_round_halve_it_once_and_calm_rounds_bring_it_back() {
        let (mut pace, start) = (Pace::new(32, LIMIT), Instant::now());
        for _ in 0..32 {
            pace.failed(32, start, at(start, 1));
        }
        assert_eq!(pace.limit(), 16);
        pace.failed(16, at(start, 2), at(start, 3));
        assert_eq!(pace.limit(), 8);
        for _ in 0..8 {
            pace.answered(8, at(start, 4), at(start, 5));
        }
        assert_eq!(pace.limit(), 9);
        for _ in 0..1000 {
            pace.answered(9, at(start, 4), at(start, 5));
        }
        assert_eq!(pace.limit(), 32, "never more than it was given");
    }

    #[test]
    fn a_store_that_answers_nothing_for_two_rounds_hangs() {
        let (mut pace, start) = (Pace::new(32, LIMIT), Instant::now());
        for _ in 0..32 {
            pace.timed_out(32, start, at(start, 60));
        }
        assert_eq!((pace.limit(), pace.hangs()), (8, false));
        pace.timed_out(8, at(start, 61), at(start, 121));
        assert!(pace.hangs());
    }

    #[test]
    fn one_that_answers_in_between_does_not_hang() {
        let (mut pace, start) = (Pace::new(4, LIMIT), Instant::now());
        for round in 0..10 {
            pace.timed_out(1, at(start, 100 * round), at(start, 100 * round + 60));
            pace.answered(1, at(start, 100 * round + 61), at(start, 100 * round + 62));
        }
        assert!(!pace.hangs());
        assert_eq!(pace.limit(), 2);
    }

    #[test]
    fn it_slows_down_before_sectors_time_out_but_not_where_they_always_take_long() {
        let (mut pace, start) = (Pace::new(32, LIMIT), Instant::now());
        pace.answered(32, start, at(start, 30));
        pace.answered(32, start, at(start, 40));
        assert_eq!(pace.limit(), 32, "a store far away is not an overloaded one");
        let mut pace = Pace::new(32, LIMIT);
        pace.answered(32, start, at(start, 2));
        pace.answered(32, start, at(start, 20));
        assert_eq!(pace.limit(), 16);
    }
}
