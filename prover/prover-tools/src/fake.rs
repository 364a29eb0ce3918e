use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde_json::json;
use window_post_core::{Node, P_AUX_BYTES, SectorFiles, SectorSize, T_AUX, comm_r_of};

use crate::replica::ZeroReplica;

/// File systems limit hard links (ext4: 65,000 to a file); past this many a new file is begun.
const LINKS_AT_MOST: u64 = 60_000;

/// Provable sectors of one miner and size in one store. They differ in comm_c, and so in comm_r, only.
pub struct Fleet {
    pub miner: u64,
    pub size: SectorSize,
    pub store: PathBuf,
    pub seed: u64,
    pub links: bool,
}

impl Fleet {
    /// Makes the sectors `first..first + count` that are not there yet, and prints each.
    pub fn make(&self, first: u64, count: u64) -> Result<()> {
        ensure!(count > 0, "--count must be at least 1");
        let end = first.checked_add(count).context("--first and --count: sector numbers are too large")?;
        let replica = ZeroReplica::new(self.size)?;
        for directory in ["sealed", "cache"] {
            let directory = self.store.join(directory);
            fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        }
        let mut model: Option<SectorFiles> = None;
        let mut linked = 0;
        let mut output = io::stdout().lock();
        for sector in first..end {
            let files = SectorFiles::in_store(&self.store, self.miner, sector);
            let comm_r = self
                .make_one(&replica, sector, &files, model.as_ref().filter(|_| self.links && linked < LINKS_AT_MOST))
                .with_context(|| format!("sector {sector}"))?;
            // Only a sector whose files are of this run is linked to: an older one may be damaged, or full of links.
            match comm_r.1 {
                Made::Linked => linked += 1,
                Made::Written => (model, linked) = (Some(files), 1),
                Made::Kept => {}
            }
            let line = json!({"sector_id": sector, "comm_r": hex::encode(comm_r.0), "sealed_cid": sealed_cid(&comm_r.0)});
            writeln!(output, "{line}")?;
        }
        Ok(output.flush()?)
    }
}
