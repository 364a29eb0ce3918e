use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use window_post_core::SectorSize;

const PARAMETER_CACHE: &str = "FIL_PROOFS_PARAMETER_CACHE";
const OFFICIAL_ONLY: &str = "FIL_PROOFS_VERIFY_PRODUCTION_PARAMS";
const NO_GPU: &str = "BELLMAN_NO_GPU";
pub const FORCED_SIZE: &str = "FORCE_SECTOR_SIZE";
pub const LOCK_DIRECTORY: &str = "WDPOST_LOCK_DIR";

const KEPT: [&str; 12] = [
    PARAMETER_CACHE,
    OFFICIAL_ONLY,
    FORCED_SIZE,
    LOCK_DIRECTORY,
    "FIL_PROOFS_WINDOW_POST_SYNTHESIS_NUM_CPUS",
    "RAYON_NUM_THREADS",
    "TMPDIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "HOME",
    "PATH",
    "LD_LIBRARY_PATH",
];
const KEPT_PREFIXES: [&str; 7] = ["CUDA_", "NVIDIA_", "OCL_", "BELLMAN_", "BELLPERSON_", "EC_GPU_", "NEPTUNE_"];

/// Shields the proofs library, which takes settings from FIL_PROOFS_* and from a file in the working directory: keeps
/// only the variables it should see, and moves to an empty directory that is already removed, so that nothing can
/// appear in it and nothing is left behind, however the process ends.
///
/// Must run before any other thread starts.
pub fn isolate() -> Result<()> {
    let directories = [PARAMETER_CACHE, LOCK_DIRECTORY].map(|name| (name, env::var_os(name)));
    for (name, _) in env::vars_os() {
        if !name.to_str().is_some_and(is_kept) {
            // SAFETY: no other thread runs yet.
            unsafe { env::remove_var(&name) };
        }
    }
    for (name, directory) in directories.into_iter().filter_map(|(name, directory)| Some((name, directory?))) {
        let absolute = std::path::absolute(directory).context(name)?;
        // SAFETY: as above.
        unsafe { env::set_var(name, absolute) };
    }
    enter_removed_directory().context("cannot make an empty working directory")
}

/// Lets the library refuse every parameter file that is not a published one, where only those can be meant.
///
/// Must run before any other thread starts, and before the library reads its settings.
pub fn refuse_home_made_parameters(sizes: &[SectorSize]) {
    let forced = env::var(FORCED_SIZE).ok().and_then(|size| size.parse::<SectorSize>().ok());
    let official = sizes.iter().copied().chain(forced.filter(|_| sizes.is_empty())).any(SectorSize::is_official);
    if official && env::var_os(OFFICIAL_ONLY).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { env::set_var(OFFICIAL_ONLY, "1") };
    }
}

/// A winning proof is small and in a hurry: on the GPU it would wait for a window proof to be done. BELLMAN_NO_GPU=0 says
/// otherwise.
///
/// Must run before any other thread starts.
pub fn prefer_cpu() {
    if env::var_os(NO_GPU).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { env::set_var(NO_GPU, "1") };
    }
}

fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn enter_removed_directory() -> Result<()> {
    let directory = env::temp_dir().join(format!("window-post-prover-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| directory.display().to_string())?;
    let entered = env::set_current_dir(Path::new(&directory));
    fs::remove_dir(&directory)?;
    Ok(entered?)
}
