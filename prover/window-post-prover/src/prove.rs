use std::collections::BTreeMap;
use std::path::Path;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use filecoin_proofs_api::post::{
    generate_single_window_post_with_vanilla, merge_window_post_partition_proofs, verify_window_post,
    verify_winning_post,
};
use filecoin_proofs_api::{PublicReplicaInfo, SectorId};
use serde::Serialize;
use serde_json::value::RawValue;
use window_post_core::{Node, ParameterFiles, Post, challenges, check_partition};

use crate::cpu_time::CpuTime;
use crate::fault::{Class, Detail, Fault};
use crate::memory::Memory;
use crate::panics::guarded;
use crate::parameters::Parameters;
use crate::progress::Progress;
use crate::reading::{Job, Readers, Reading, StoreReport, store_reports};
use crate::task::{Kind, Task};

/// The answer: either `proofs` holds one entry (192 bytes for each partition), or `faults` the sectors that stopped it.
#[derive(Default, Serialize)]
pub struct Output {
    pub proofs: Vec<String>,
    pub faults: Vec<u64>,
    pub details: Vec<Detail>,
    /// An addition of ours, as `details` is.
    pub stores: Vec<StoreReport>,
}

impl Output {
    pub fn faulty(details: Vec<Detail>, stores: Vec<StoreReport>) -> Self {
        let faults = details.iter().map(|detail| detail.sector_id).collect();
        Self { proofs: Vec::new(), faults, details, stores }
    }
}

/// Answers window_post tasks: reads run side by side, SNARKs one at a time.
pub struct Prover {
    parameters: Parameters,
    readers: Readers,
    memory: Memory,
    snark: Mutex<()>,
}

impl Prover {
    pub fn new(parameters: Parameters, readers: Readers, memory: Memory) -> Self {
        Self { parameters, readers, memory, snark: Mutex::new(()) }
    }

    /// Compares the digests of 32GiB and 64GiB parameters now (about a minute) instead of in the first proof, which
    /// waits. A process whose parameters are not the published ones is of no use and ends.
    pub fn check_digests_in_background(self: &Arc<Self>) {
        let mut sizes = self.parameters.sizes(Post::Window);
        sizes.retain(|size| size.is_official());
        if sizes.is_empty() {
            return;
        }
        let prover = Arc::clone(self);
        thread::spawn(move || {
            let _exclusive = prover.exclusive();
            for size in sizes {
                if let Err(error) = ParameterFiles::of(Post::Window, size).and_then(|files| files.check_params_digest())
                {
                    eprintln!("window-post-prover: {error:#}");
                    process::exit(1);
                }
            }
        });
    }

    pub fn prove(&self, task: &RawValue, progress: &Progress) -> Result<Output> {
        let task = Task::read(task, Post::Window)?;
        self.parameters.ensure(Post::Window, task.kind.size)?;
        let readings = read_sectors(&self.readers, &task, progress)?;
        let stores = store_reports(&readings);
        let (vanilla, details) = split(readings);
        if !details.is_empty() {
            return Ok(Output::faulty(details, stores));
        }
        let proof = match self.snark(&task, &vanilla, progress) {
            Ok(proof) => proof,
            // A sector that changed while it was read may fail its partition as a whole: find and name it.
            Err(error) => {
                let details = unfit_sectors(&task, &vanilla);
                return if details.is_empty() { Err(error) } else { Ok(Output::faulty(details, stores)) };
            }
        };
        progress.report("verifying", 0, 1);
        verify_own(&task, &proof)?;
        progress.report("verifying", 1, 1);
        Ok(Output { proofs: vec![BASE64_STANDARD.encode(proof)], stores, ..Output::default() })
    }

    fn snark(&self, task: &Task, vanilla: &[Vec<u8>], progress: &Progress) -> Result<Vec<u8>> {
        let Kind { proof, size, prover_id, .. } = task.kind;
        let _turn = self.turn(progress);
        let _memory = self.memory.admit(size, progress);
        let partitions = vanilla.len().div_ceil(size.partition_sectors());
        let prove_all = || -> Result<Vec<_>> {
            let prove_one = |(index, chunk)| {
                guarded(|| generate_single_window_post_with_vanilla(proof, &task.randomness, prover_id, chunk, index))
                    .with_context(|| format!("partition {index} of {partitions}"))
            };
            vanilla.chunks(size.partition_sectors()).enumerate().map(prove_one).collect()
        };
        let used = CpuTime::from_now();
        let proofs = progress.ticking("proving", || used.seconds(), prove_all)?;
        merge_window_post_partition_proofs(proof, proofs)
    }

    /// Another request's SNARK, or the check of tens of gigabytes of parameters, may come first.
    fn turn(&self, progress: &Progress) -> MutexGuard<'_, ()> {
        match self.snark.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let start = Instant::now();
                progress.ticking("waiting", || start.elapsed().as_secs(), || self.exclusive())
            }
        }
    }

    fn exclusive(&self) -> MutexGuard<'_, ()> {
        self.snark.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Parameters that do not belong together make proofs without an error; only this notices.
pub fn verify_own(task: &Task, proof: &[u8]) -> Result<()> {
    let comm_rs = task.replicas.iter().map(|(&id, replica)| (id, replica.comm_r));
    let fault = match verify_proof(task.kind, &task.randomness, comm_rs, proof) {
        Ok(true) => return Ok(()),
        Ok(false) => "it is not valid".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    let files = ParameterFiles::of(task.kind.post, task.kind.size)?;
    bail!(
        "the proof failed its own verification ({fault}); {} and {} are damaged or changed since the start: put the \
         right files there and start this process again",
        files.params.display(),
        files.vk.display()
    );
}

/// Verifies against the `.vk` file; an error and `false` both mean that the chain would not accept the proof.
pub fn verify_proof(
    kind: Kind,
    randomness: &Node,
    comm_rs: impl Iterator<Item = (u64, Node)>,
    proof: &[u8],
) -> Result<bool> {
    let replicas: BTreeMap<_, _> =
        comm_rs.map(|(id, comm_r)| (SectorId::from(id), PublicReplicaInfo::new(kind.proof, comm_r))).collect();
    guarded(|| match kind.post {
        Post::Window => verify_window_post(randomness, &[(kind.proof, proof)], &replicas, kind.prover_id),
        Post::Winning => verify_winning_post(randomness, proof, &replicas, kind.prover_id),
    })
}

/// Vanilla proofs of all sectors of a task.
pub fn read_sectors(readers: &Readers, task: &Task, progress: &Progress) -> Result<Vec<Reading>> {
    let Kind { proof, prover_id, .. } = task.kind;
    for (id, replica) in &task.replicas {
        let place = replica.files.sealed.display();
        ensure!(readers.may_read(&replica.files), "sector {id} is in no store that is read here: {place}");
    }
    let sectors: Vec<u64> = task.replicas.keys().copied().collect();
    let mut leaves = challenges(proof, &task.randomness, &sectors, prover_id)?;
    let jobs = task.replicas.iter().map(|(&sector_id, replica)| Job {
        proof_type: format!("{proof:?}"),
        sector_id,
        comm_r: replica.comm_r,
        cache_dir: replica.files.cache.clone(),
        sealed_file: replica.files.sealed.clone(),
        challenges: leaves.remove(&sector_id).unwrap_or_default(),
        root: readers.root_above(&replica.files.sealed).map(Path::to_owned),
        again: false,
    });
    progress.report("reading", 0, sectors.len());
    let readings = readers.read(jobs.collect(), |done| progress.report("reading", done, sectors.len()));
    for report in store_reports(&readings).iter().filter(|report| report.slow) {
        let (store, spread) = (&report.store, &report.read_ms);
        eprintln!(
            "window-post-prover: the store {store} is slow: half of its {} sectors took {} ms or more to read (p99 {} ms), far more \
             than those of other stores",
            report.sectors, spread.p50, spread.p99
        );
    }
    Ok(readings)
}

/// The vanilla proofs, ascending by sector, and what is wrong with the sectors that have none.
pub fn split(readings: Vec<Reading>) -> (Vec<Vec<u8>>, Vec<Detail>) {
    let mut vanilla = Vec::with_capacity(readings.len());
    let mut details = Vec::new();
    for Reading { sector_id, vanilla: outcome, .. } in readings {
        match outcome {
            Ok(proof) => vanilla.push(proof),
            Err(fault) => details.push(Detail { sector_id, fault }),
        }
    }
    (vanilla, details)
}

/// The sectors whose vanilla proof does not stand alone. Only for V1_2, where challenges do not depend on the position.
pub fn unfit_sectors(task: &Task, vanilla: &[Vec<u8>]) -> Vec<Detail> {
    let Kind { proof, size, prover_id, .. } = task.kind;
    if proof != size.window_proof() {
        return Vec::new();
    }
    let sectors = task.replicas.keys().zip(vanilla);
    let unfit = sectors.filter_map(|(&sector_id, vanilla)| {
        let check = guarded(|| check_partition(proof, &task.randomness, prover_id, std::slice::from_ref(vanilla), 0));
        let reason = format!("its vanilla proof does not fit the task: {:#}", check.err()?);
        Some(Detail { sector_id, fault: Fault { class: Class::Unknown, reason } })
    });
    unfit.collect()
}
