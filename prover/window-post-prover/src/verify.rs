use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use window_post_core::Node;

use crate::parameters::Parameters;
use crate::prove::verify_proof;
use crate::task::{Kind, masked, read_task};

/// A proof and the window_post or winning_post task it is to prove, as that was given to its prover.
#[derive(Deserialize)]
struct Line {
    task: Statement,
    proof: String,
}

/// What of a task a proof stands for; the files do not matter.
#[derive(Deserialize)]
struct Statement {
    miner_id: u64,
    proof_type: String,
    seed: Node,
    #[serde(default)]
    replicas: Option<Vec<Sector>>,
}

#[derive(Deserialize)]
struct Sector {
    sector_id: u64,
    comm_r: Node,
}

#[derive(Serialize)]
pub struct Verdict {
    valid: bool,
    reason: Option<String>,
}

impl Verdict {
    fn invalid(reason: String) -> Self {
        Self { valid: false, reason: Some(reason) }
    }
}

/// Judges a proof as the chain would. An error is for what says nothing about the proof: a malformed task or a missing
/// verifying key.
pub fn verify(parameters: &Parameters, request: &RawValue) -> Result<Verdict> {
    let Line { task: statement, proof } = read_task(request)?;
    let kind = Kind::new(statement.miner_id, &statement.proof_type)?;
    let mut sectors = BTreeMap::new();
    for Sector { sector_id, comm_r } in statement.replicas.unwrap_or_default() {
        if sectors.insert(sector_id, comm_r).is_some_and(|former| former != comm_r) {
            bail!("task.task.replicas: sector {sector_id} is there twice, with different comm_r");
        }
    }
    ensure!(!sectors.is_empty(), "task.task.replicas: there is no sector to verify");
    parameters.ensure(kind.post, kind.size)?;
    let proof = match BASE64_STANDARD.decode(proof) {
        Ok(proof) => proof,
        Err(error) => return Ok(Verdict::invalid(format!("task.proof is not base64: {error}"))),
    };
    Ok(match verify_proof(kind, &masked(statement.seed), sectors.into_iter(), &proof) {
        Ok(true) => Verdict { valid: true, reason: None },
        Ok(false) => Verdict::invalid("the proof does not verify".to_owned()),
        Err(error) => Verdict::invalid(format!("{error:#}")),
    })
}
