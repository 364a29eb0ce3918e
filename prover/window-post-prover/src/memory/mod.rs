//! SNARKs of all provers of a host start only as its memory allows: each holds a reservation while it runs.

mod limits;
mod queue;

use std::env;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use window_post_core::SectorSize;

use crate::environment::LOCK_DIRECTORY;
use crate::progress::Progress;
use limits::Limits;
use queue::Ticket;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Not TMPDIR, which slaves of one host do not share.
const USUAL_DIRECTORIES: [&str; 2] = ["/run/lock/wdpost", "/tmp/wdpost"];

/// Memory of this host, in bytes, that a SNARK of a sector size is taken to need. The library holds all lists of the
/// parameter file in memory as points (58 GB at 32GiB; nothing of it is shared between processes), and four vectors of
/// scalars over the circuit's domain: 62 GiB at 32GiB and 64 GiB at 64GiB, here with a sixth more. The figures of the
/// test sizes are measured peaks, rounded up.
fn usual_need(size: SectorSize) -> u64 {
    match size {
        SectorSize::KiB2 => 64 << 20,
        SectorSize::MiB8 => 128 << 20,
        SectorSize::MiB512 => 192 << 20,
        SectorSize::GiB32 => 72 << 30,
        SectorSize::GiB64 => 76 << 30,
    }
}

/// Admits SNARKs, first come first served over all provers that share the directory.
pub struct Memory {
    per_proof: Option<u64>,
}

impl Memory {
    /// `per_proof`: bytes; absent, the usual need of the sector size; 0 admits at once.
    pub fn new(per_proof: Option<u64>) -> Self {
        Self { per_proof }
    }

    /// Returns when a SNARK may start; what it needs is reserved until the result is dropped, or this process ends in
    /// whatever way. Where reservations cannot be made it says so and admits: a proof matters more.
    pub fn admit(&self, size: SectorSize, progress: &Progress) -> Option<Ticket> {
        let bytes = self.per_proof.unwrap_or_else(|| usual_need(size));
        if bytes == 0 {
            return None;
        }
        wait_for_turn(bytes, progress)
            .inspect_err(|error| eprintln!("window-post-prover: proving without a reservation of memory: {error:#}"))
            .ok()
    }
}

fn wait_for_turn(bytes: u64, progress: &Progress) -> Result<Ticket> {
    let limits = Limits::of_this_process()?;
    let mut ticket = Ticket::draw(&directory()?, bytes, limits.cgroup())?;
    if ticket.is_admitted(&limits)? {
        return Ok(ticket);
    }
    let start = Instant::now();
    progress.ticking(
        "waiting",
        || start.elapsed().as_secs(),
        || {
            loop {
                thread::sleep(LOOK_EVERY);
                if ticket.is_admitted(&limits)? {
                    return Ok(ticket);
                }
            }
        },
    )
}

fn directory() -> Result<PathBuf> {
    if let Some(directory) = env::var_os(LOCK_DIRECTORY).map(PathBuf::from) {
        prepare(&directory).with_context(|| format!("{LOCK_DIRECTORY}={}", directory.display()))?;
        return Ok(directory);
    }
    let mut last = Ok(PathBuf::new());
    for directory in USUAL_DIRECTORIES.map(PathBuf::from) {
        last = prepare(&directory).with_context(|| directory.display().to_string()).map(|()| directory);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Slaves of one host may run as different users.
fn prepare(directory: &Path) -> Result<()> {
    match fs::create_dir(directory) {
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o1777))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    ensure!(fs::symlink_metadata(directory)?.is_dir(), "is not a directory");
    Ok(())
}
