use std::path::{Path, PathBuf};

use crate::SectorSize;

/// `p_aux` is comm_c followed by comm_r_last, 32 bytes each.
const P_AUX_BYTES: u64 = 64;
/// Written by sealing and kept in persist stores; window PoSt never opens it.
pub const T_AUX: &str = "t_aux";

/// Where a sector's files are: `<store>/sealed/s-t0M-N` and `<store>/cache/s-t0M-N/`.
#[derive(Clone, Debug)]
pub struct SectorFiles {
    pub sealed: PathBuf,
    pub cache: PathBuf,
}

impl SectorFiles {
    pub fn in_store(store: &Path, miner: u64, sector: u64) -> Self {
        let name = format!("s-t0{miner}-{sector}");
        Self { sealed: store.join("sealed").join(&name), cache: store.join("cache").join(&name) }
    }

    pub fn p_aux(&self) -> PathBuf {
        self.cache.join("p_aux")
    }

    pub fn trees(&self, size: SectorSize) -> Vec<PathBuf> {
        match size.tree_files() {
            1 => vec![self.cache.join("sc-02-data-tree-r-last.dat")],
            count => (0..count).map(|i| self.cache.join(format!("sc-02-data-tree-r-last-{i}.dat"))).collect(),
        }
    }

    /// Every file that the proofs library opens, with its exact length in bytes.
    pub fn expected(&self, size: SectorSize) -> Vec<(PathBuf, u64)> {
        let mut files = vec![(self.sealed.clone(), size.bytes()), (self.p_aux(), P_AUX_BYTES)];
        files.extend(self.trees(size).into_iter().map(|tree| (tree, size.tree_file_bytes())));
        files
    }
}
