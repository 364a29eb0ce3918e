use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use serde_json::value::RawValue;
use window_post_core::{Post, check_partition};

use crate::fault::Detail;
use crate::panics::guarded;
use crate::progress::Progress;
use crate::prove::{Output, read_sectors, split, unfit_sectors};
use crate::reading::{Readers, Spread, milliseconds, spread, store_reports, times};
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
    readers: usize,
    read_ms: Spread,
    reading_ms: u64,
    checking_ms: u64,
    /// Of each sector, ascending by number.
    sector_ms: Vec<(u64, f64)>,
}

/// Does everything but the SNARK: reads all sectors and lets the library check their vanilla proofs, by partitions as
/// the proof would have them.
pub fn rehearse(readers: &Readers, task: &RawValue, progress: &Progress) -> Result<Rehearsed> {
    let task = Task::read(task, Post::Window)?;
    let start = Instant::now();
    let readings = read_sectors(readers, &task, progress)?;
    let reading_ms = milliseconds(start.elapsed());
    let read_ms = spread(&times(readings.iter().map(|reading| reading.took).collect()));
    let sector_ms = readings.iter().map(|reading| (reading.sector_id, milliseconds(reading.took))).collect();
    let stores = store_reports(&readings);
    let (vanilla, mut details) = split(readings);

    let start = Instant::now();
    if details.is_empty() {
        details = check(&task, &vanilla, progress)?;
    }
    let rehearsal = Rehearsal {
        sectors: task.replicas.len(),
        good: task.replicas.len() - details.len(),
        readers: readers.lanes(),
        read_ms,
        reading_ms: reading_ms as u64,
        checking_ms: milliseconds(start.elapsed()) as u64,
        sector_ms,
    };
    Ok(Rehearsed { output: Output::faulty(details, stores), rehearsal })
}

fn check(task: &Task, vanilla: &[Vec<u8>], progress: &Progress) -> Result<Vec<Detail>> {
    let Kind { proof, size, prover_id, .. } = task.kind;
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
