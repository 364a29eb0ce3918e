use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use serde_json::value::RawValue;
use window_post_core::check_partition;

use crate::fault::Detail;
use crate::panics::guarded;
use crate::progress::Progress;
use crate::prove::{Output, read_sectors, split, unfit_sectors};
use crate::reading::Readers;
use crate::task::{Kind, Task};

#[derive(Serialize)]
pub struct Rehearsed {
    #[serde(flatten)]
    output: Output,
    rehearsal: Rehearsal,
}

/// Times in milliseconds; `read_ms` is for one sector, as its reader's lane saw it.
#[derive(Serialize)]
struct Rehearsal {
    sectors: usize,
    good: usize,
    read_ms: Spread,
    reading_ms: u64,
    checking_ms: u64,
}

#[derive(Serialize)]
struct Spread {
    p50: f64,
    p99: f64,
    max: f64,
}

/// Does everything but the SNARK: reads all sectors and lets the library check their vanilla proofs, by partitions as
/// the proof would have them.
pub fn rehearse(readers: &Readers, task: &RawValue, progress: &Progress) -> Result<Rehearsed> {
    let task = Task::read(task)?;
    let start = Instant::now();
    let readings = read_sectors(readers, &task, progress)?;
    let reading_ms = milliseconds(start.elapsed());
    let read_ms = spread(readings.iter().map(|reading| reading.took).collect());
    let (vanilla, mut details) = split(readings);

    let start = Instant::now();
    if details.is_empty() {
        details = check(&task, &vanilla, progress)?;
    }
    let rehearsal = Rehearsal {
        sectors: task.replicas.len(),
        good: task.replicas.len() - details.len(),
        read_ms,
        reading_ms: reading_ms as u64,
        checking_ms: milliseconds(start.elapsed()) as u64,
    };
    Ok(Rehearsed { output: Output::faulty(details), rehearsal })
}

fn check(task: &Task, vanilla: &[Vec<u8>], progress: &Progress) -> Result<Vec<Detail>> {
    let Kind { proof, size, prover_id } = task.kind;
    let partitions = vanilla.len().div_ceil(size.partition_sectors());
    for (index, chunk) in vanilla.chunks(size.partition_sectors()).enumerate() {
        progress.report("verifying", index, partitions);
        if let Err(error) = guarded(|| check_partition(proof, &task.randomness, prover_id, chunk, index)) {
            let unfit = unfit_sectors(task, vanilla);
            return if unfit.is_empty() { Err(error) } else { Ok(unfit) };
        }
    }
    progress.report("verifying", partitions, partitions);
    Ok(Vec::new())
}

fn spread(mut times: Vec<Duration>) -> Spread {
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share).round() as usize).copied().unwrap_or_default();
    Spread { p50: milliseconds(at(0.5)), p99: milliseconds(at(0.99)), max: milliseconds(at(1.0)) }
}

/// To a tenth of a millisecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
