use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use window_post_core::{Post, SectorFiles, SectorSize, ZeroReplica, comm_r_of};

use crate::progress::Progress;
use crate::reading::Readers;
use crate::task::{Kind, Replica, Task};
use crate::winning::{READ_LIMIT, prove_task};

const MINER: u64 = 1000;
const SECTOR: u64 = 0;

/// Makes and verifies one proof of an all-zero sector of this size in a temporary directory: what the first real proof
/// needs is then in memory, and parameters that do not work are found out before a block is lost to them.
///
/// It takes some 77 MB of TMPDIR at 32GiB, twice that at 64GiB, for as long as it runs.
pub fn warm_up(size: SectorSize) -> Result<()> {
    let start = Instant::now();
    let directory = tempfile::Builder::new().prefix("winning-warm-up-").tempdir().context("TMPDIR")?;
    let task = make_task(directory.path(), size)?;
    let readers = Readers::new(Some(1), READ_LIMIT, Vec::new());
    prove_task(&readers, &task, &Progress::new(None, 0)).with_context(|| format!("warm-up of {size}"))?;
    eprintln!("window-post-prover: warmed up for winning PoSt of {size} in {} ms", start.elapsed().as_millis());
    Ok(())
}

fn make_task(store: &Path, size: SectorSize) -> Result<Task> {
    let files = SectorFiles::in_store(store, MINER, SECTOR);
    let replica = ZeroReplica::new(size)?;
    let comm_c = [0; 32];
    fs::create_dir_all(&files.cache)?;
    fs::create_dir_all(store.join("sealed"))?;
    replica.write_sealed(&files.sealed)?;
    for tree in files.trees(size) {
        replica.write_tree(&tree)?;
    }
    fs::write(files.p_aux(), [comm_c, replica.comm_r_last].concat())?;
    let comm_r = comm_r_of(&comm_c, &replica.comm_r_last)?;
    Ok(Task {
        kind: Kind::new(MINER, &format!("{:?}", Post::Winning.proof(size)))?,
        randomness: [0; 32],
        replicas: BTreeMap::from([(SECTOR, Replica { comm_r, files })]),
    })
}
