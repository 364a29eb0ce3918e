use std::time::Duration;

use anyhow::{Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use filecoin_proofs_api::post::generate_winning_post_with_vanilla;
use serde::Serialize;
use serde_json::value::RawValue;
use window_post_core::{ParameterFiles, Post};

use crate::panics::guarded;
use crate::parameters::Parameters;
use crate::progress::Progress;
use crate::prove::{read_sectors, split, verify_own};
use crate::reading::Readers;
use crate::task::Task;

/// A block has about 25 seconds from the begin of its epoch; a sector that takes longer than this to read is of no use.
pub const READ_LIMIT: Duration = Duration::from_secs(15);

#[derive(Serialize)]
pub struct Output {
    proofs: Vec<String>,
}

/// Answers winning_post tasks, all of them at once: each is one sector and seconds of CPU.
pub struct WinningProver {
    parameters: Parameters,
    readers: Readers,
}

impl WinningProver {
    /// Compares the digests of official parameters, some 200 MB, before the first proof asks for it.
    pub fn new(parameters: Parameters, readers: Readers) -> Result<Self> {
        for size in parameters.sizes(Post::Winning).into_iter().filter(|size| size.is_official()) {
            ParameterFiles::of(Post::Winning, size)?.check_params_digest()?;
        }
        Ok(Self { parameters, readers })
    }

    pub fn prove(&self, task: &RawValue, progress: &Progress) -> Result<Output> {
        let task = Task::read(task, Post::Winning)?;
        self.parameters.ensure(Post::Winning, task.kind.size)?;
        let proof = prove_task(&self.readers, &task, progress)?;
        Ok(Output { proofs: vec![BASE64_STANDARD.encode(proof)] })
    }
}

/// Reads, proves and verifies.
pub fn prove_task(readers: &Readers, task: &Task, progress: &Progress) -> Result<Vec<u8>> {
    let sectors = task.replicas.len();
    // The chain draws one sector for a block (WINNING_POST_SECTOR_COUNT).
    ensure!(sectors == 1, "task.replicas: a winning proof is made of one sector, these are {sectors}");
    let (vanilla, faults) = split(read_sectors(readers, task, progress)?);
    if let Some(detail) = faults.first() {
        let class = format!("{:?}", detail.fault.class).to_lowercase();
        bail!("sector {} is {class}: {}", detail.sector_id, detail.fault.reason);
    }
    let kind = task.kind;
    let mut proofs =
        guarded(|| generate_winning_post_with_vanilla(kind.proof, &task.randomness, kind.prover_id, &vanilla))?;
    let Some((_, proof)) = proofs.pop() else { bail!("the library made no proof") };
    verify_own(task, &proof)?;
    Ok(proof)
}
