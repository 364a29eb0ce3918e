//! Vanilla proofs, made by reader processes: this process never opens a file of a persist store, because a thread stuck
//! in a read cannot be given up, and a process can.

mod crew;
mod lanes;
mod pace;
mod process;
mod report;
mod role;
mod sector;
mod stores;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use window_post_core::Node;

use crate::fault::Fault;

pub use lanes::{Readers, Reading};
pub use report::{Spread, StoreReport, milliseconds, spread, store_reports, times};
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
    /// No link may lead out of it; none: any file is read.
    pub root: Option<PathBuf>,
    /// A second reading: past the page cache where the file system allows it.
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
