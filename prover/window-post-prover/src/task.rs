use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use filecoin_proofs_api::{ProverId, RegisteredPoStProof};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use window_post_core::{Node, Post, SectorFiles, SectorSize, prover_id};

#[derive(Deserialize)]
struct Line {
    miner_id: u64,
    proof_type: String,
    #[serde(default)]
    replicas: Option<Vec<ReplicaLine>>,
    seed: Node,
}

#[derive(Deserialize)]
struct ReplicaLine {
    sector_id: u64,
    comm_r: Node,
    cache_dir: PathBuf,
    sealed_file: PathBuf,
}

pub struct Replica {
    pub comm_r: Node,
    pub files: SectorFiles,
}

/// A proving task. The map merges repeated sectors and keeps them ascending, as the verifier wants them.
pub struct Task {
    pub kind: Kind,
    pub randomness: Node,
    pub replicas: BTreeMap<u64, Replica>,
}

/// What is common to proving and verifying.
#[derive(Clone, Copy)]
pub struct Kind {
    pub post: Post,
    pub proof: RegisteredPoStProof,
    pub size: SectorSize,
    pub prover_id: ProverId,
}

impl Kind {
    pub fn new(miner_id: u64, proof_type: &str) -> Result<Self> {
        let types = |size: SectorSize| {
            [
                (Post::Window, size, size.window_proof()),
                (Post::Window, size, size.window_proof_v1()),
                (Post::Winning, size, size.winning_proof()),
            ]
        };
        let (post, size, proof) = SectorSize::ALL
            .into_iter()
            .flat_map(types)
            .find(|(_, _, proof)| format!("{proof:?}") == proof_type)
            .with_context(|| format!("task.proof_type: {proof_type:?} is not a PoSt proof type"))?;
        Ok(Self { post, proof, size, prover_id: prover_id(miner_id) })
    }
}

impl Task {
    pub fn read(task: &RawValue, post: Post) -> Result<Self> {
        let line: Line = read_task(task)?;
        let mut replicas = BTreeMap::new();
        for replica in line.replicas.unwrap_or_default() {
            let id = replica.sector_id;
            let files = SectorFiles { sealed: replica.sealed_file, cache: replica.cache_dir };
            ensure!(
                files.sealed.is_absolute() && files.cache.is_absolute(),
                "task.replicas: sealed_file and cache_dir of sector {id} must be absolute paths"
            );
            let former = replicas.insert(id, Replica { comm_r: replica.comm_r, files });
            if former.is_some_and(|former| former.comm_r != replica.comm_r) {
                bail!("task.replicas: sector {id} is there twice, with different comm_r");
            }
        }
        ensure!(!replicas.is_empty(), "task.replicas: there is no sector to prove");
        let kind = Kind::new(line.miner_id, &line.proof_type)?;
        ensure!(kind.post == post, "task.proof_type: {:?} is not a {post} PoSt proof type", line.proof_type);
        Ok(Self { kind, randomness: masked(line.seed), replicas })
    }
}

/// Reads a task and names the field that is wrong. To follow the path through a megabyte of numbers takes its time, so
/// that is done only for a task that cannot be read.
pub fn read_task<T: DeserializeOwned>(task: &RawValue) -> Result<T> {
    serde_json::from_str(task.get()).or_else(|_| {
        let mut text = serde_json::Deserializer::from_str(task.get());
        serde_path_to_error::deserialize(&mut text).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "task".to_owned() } else { format!("task.{path}") };
            anyhow!("{field}: {}", error.into_inner())
        })
    })
}

/// The chain clears the two top bits, so that the randomness is a field element; the library does not.
pub fn masked(mut seed: Node) -> Node {
    seed[31] &= 0x3f;
    seed
}
