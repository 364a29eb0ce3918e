//! Vanilla proofs, made by reader processes: this process never opens a file of a persist store, because a thread stuck
//! in a read cannot be given up, and a process can.

mod lanes;
mod process;
mod role;
mod sector;
mod stores;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use window_post_core::Node;

use crate::fault::Fault;

pub use lanes::{Readers, Reading};
pub use role::serve_parent;

/// One sector to read, as a line to a reader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub proof_type: String,
    pub sector_id: u64,
    pub comm_r: Node,
    pub cache_dir: PathBuf,
    pub sealed_file: PathBuf,
    pub challenges: Vec<u64>,
    /// A second reading, to confirm a bad sector: past the page cache where the file system allows it.
    pub again: bool,
}

/// A reader's line back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The vanilla proof, base64.
    Vanilla(String),
    Fault(Fault),
}
