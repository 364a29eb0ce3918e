use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use filecoin_proofs_api::post::generate_single_vanilla_proof;
use filecoin_proofs_api::{PrivateReplicaInfo, SectorId};
use window_post_core::{SectorFiles, p_aux_comm_r};

use super::Job;
use crate::fault::Fault;
use crate::panics::guarded;
use crate::task::Kind;

/// Reads one sector and makes its vanilla proof, which the library checks against the trees before it returns it.
///
/// The files are checked first: the library creates a missing `tree-r-last` as a huge sparse file, does not notice a
/// comm_r that does not belong to `p_aux`, and accepts a short sealed file where its end is not challenged. What is missing or of
/// another size here was there for the one who made the task, so this host's view of the store is in doubt, not the sector.
pub fn vanilla_proof(job: &Job) -> Result<Vec<u8>, Fault> {
    let files = SectorFiles { sealed: job.sealed_file.clone(), cache: job.cache_dir.clone() };
    let made = guarded(|| check(job, &files)).map_err(|error| Fault::unknown(format!("{error:#}")));
    made.and_then(|()| guarded(|| make(job, &files)).map_err(|error| Fault::of(&error))).map_err(|fault| {
        match missing_store_directory(&files) {
            Some(reason) => Fault::unknown(reason),
            None => fault,
        }
    })
}

fn check(job: &Job, files: &SectorFiles) -> Result<()> {
    let kind = Kind::new(0, &job.proof_type)?;
    let root = job.root.as_deref().map(fs::canonicalize).transpose()?;
    for (path, bytes) in files.expected(kind.size) {
        check_file(&path, bytes, root.as_deref()).with_context(|| path.display().to_string())?;
        if job.again {
            forget_cached_pages(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn make(job: &Job, files: &SectorFiles) -> Result<Vec<u8>> {
    let kind = Kind::new(0, &job.proof_type)?;
    let p_aux = fs::read(files.p_aux()).with_context(|| files.p_aux().display().to_string())?;
    let comm_r = p_aux_comm_r(&p_aux).with_context(|| files.p_aux().display().to_string())?;
    ensure!(comm_r == job.comm_r, "comm_r of the task does not belong to {}", files.p_aux().display());
    let replica = PrivateReplicaInfo::new(kind.proof, job.comm_r, files.cache.clone(), files.sealed.clone());
    generate_single_vanilla_proof(kind.proof, SectorId::from(job.sector_id), &replica, &job.challenges)
}

fn check_file(path: &Path, bytes: u64, root: Option<&Path>) -> Result<()> {
    let metadata = fs::metadata(path)?;
    if let Some(root) = root {
        ensure!(fs::canonicalize(path)?.starts_with(root), "a link leads out of {}", root.display());
    }
    ensure!(metadata.is_file(), "is not a regular file");
    ensure!(metadata.len() == bytes, "has {} bytes instead of {bytes}", metadata.len());
    Ok(())
}

/// The store's root, `sealed` and `cache` are there in every store; where one is not, the store is not mounted.
fn missing_store_directory(files: &SectorFiles) -> Option<String> {
    let parents = [files.sealed.parent(), files.cache.parent()];
    parents.into_iter().flatten().flat_map(|parent| parent.parent().into_iter().chain([parent])).find_map(|directory| {
        let error = fs::metadata(directory).err()?;
        Some(format!("the store is not there: {}: {error}", directory.display()))
    })
}

fn forget_cached_pages(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // SAFETY: the descriptor is open for the whole call. The advice may be ignored, so its result does not matter.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    Ok(())
}
