use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Reading;
use crate::fault::Class;

/// A store is slow when its sectors take so many times longer than those of the others, and are enough to tell.
const SLOWER: u32 = 3;
const ENOUGH_SECTORS: usize = 3;

/// What reading was like in one store; times in milliseconds.
#[derive(Debug, Serialize)]
pub struct StoreReport {
    /// The root that its sealed files lie below.
    pub store: String,
    pub sectors: usize,
    pub bad: usize,
    pub unknown: usize,
    /// Of one sector.
    pub read_ms: Spread,
    /// From the begin of the request to its last sector.
    pub reading_ms: u64,
    /// Far slower than the other stores.
    pub slow: bool,
}

#[derive(Debug, Serialize)]
pub struct Spread {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// One for each store, by name.
pub fn store_reports(readings: &[Reading]) -> Vec<StoreReport> {
    let mut by_store: BTreeMap<&Path, Vec<&Reading>> = BTreeMap::new();
    for reading in readings {
        by_store.entry(&reading.store).or_default().push(reading);
    }
    let report = |(&store, own): (&&Path, &Vec<&Reading>)| {
        let count =
            |class| own.iter().filter(|one| one.vanilla.as_ref().is_err_and(|fault| fault.class == class)).count();
        let others = readings.iter().filter(|one| one.store != store).map(|one| one.took).collect();
        let here = times(own.iter().map(|one| one.took).collect());
        StoreReport {
            store: store.display().to_string(),
            sectors: own.len(),
            bad: count(Class::Bad),
            unknown: count(Class::Unknown),
            reading_ms: own.iter().map(|one| one.done_after).max().unwrap_or_default().as_millis() as u64,
            slow: own.len() >= ENOUGH_SECTORS && is_far_above(&here, &times(others)),
            read_ms: spread(&here),
        }
    };
    by_store.iter().map(report).collect()
}

pub fn spread(sorted: &[Duration]) -> Spread {
    Spread {
        p50: milliseconds(at(sorted, 0.5)),
        p99: milliseconds(at(sorted, 0.99)),
        max: milliseconds(at(sorted, 1.0)),
    }
}

pub fn times(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

/// To a tenth of a millisecond.
pub fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn is_far_above(here: &[Duration], others: &[Duration]) -> bool {
    !others.is_empty() && at(here, 0.5) > at(others, 0.5) * SLOWER
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn reading(store: &str, took_ms: u64) -> Reading {
        let took = Duration::from_millis(took_ms);
        Reading { sector_id: 1, vanilla: Ok(Vec::new()), took, store: store.into(), done_after: took * 2 }
    }

    #[test]
    fn the_slow_store_is_named_and_no_other() {
        let mut readings = Vec::new();
        for sector in 0..20 {
            readings.extend(["/a", "/b", "/c"].map(|store| reading(store, 100 + sector)));
            readings.push(reading("/d", 400 + sector));
        }
        readings.push(reading("/one", 5_000));
        readings.push(Reading { vanilla: Err(Fault::unknown("gone")), ..reading("/two", 1) });
        let reports = store_reports(&readings);
        let slow: Vec<_> = reports.iter().filter(|report| report.slow).map(|report| report.store.as_str()).collect();
        assert_eq!(slow, ["/d"], "one sector says nothing of a store");
        let d = &reports[3];
        assert_eq!((d.sectors, d.read_ms.p50, d.read_ms.max, d.reading_ms), (20, 410.0, 419.0, 838));
        assert_eq!((reports[5].unknown, reports[5].bad), (1, 0));
    }

    #[test]
    fn a_store_alone_is_not_slow() {
        assert!(!store_reports(&[reading("/a", 9_000), reading("/a", 9_000), reading("/a", 9_000)])[0].slow);
    }
}
