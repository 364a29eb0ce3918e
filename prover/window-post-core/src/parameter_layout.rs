use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{Post, SectorSize};

const G1_BYTES: u64 = 96;
const G2_BYTES: u64 = 192;
/// alpha, beta, delta in G1; beta, gamma, delta in G2; the number of public inputs.
const VK_HEAD_BYTES: u64 = 3 * G1_BYTES + 3 * G2_BYTES + 4;

/// Challenges of a winning proof, all of its one sector; its circuit takes them as so many sectors of one challenge.
const WINNING_CHALLENGES: u64 = 66;

/// Length in bytes of the verifying key of a PoSt circuit; the same bytes open the `.params` file.
pub fn vk_bytes(post: Post, size: SectorSize) -> u64 {
    VK_HEAD_BYTES + verifier_points(post, size) * G1_BYTES
}

/// Public inputs plus one: a sector of a window proof has comm_r and ten packed challenge paths, one of a winning proof
/// comm_r and one.
fn verifier_points(post: Post, size: SectorSize) -> u64 {
    match post {
        Post::Window => 11 * size.partition_sectors() as u64 + 1,
        Post::Winning => 2 * WINNING_CHALLENGES + 1,
    }
}

/// Points of the `h` query: the circuit's domain less one.
/// Domains of window proofs: 21,866, 64,266, 85,466, 125,279,217 and 129,887,900 constraints rounded up to a power of
/// two; of winning proofs 90,750, 230,670, 300,630, 370,590 and 391,314.
fn h_points(post: Post, size: SectorSize) -> u64 {
    let log2 = match (post, size) {
        (Post::Window, SectorSize::KiB2) => 15,
        (Post::Window, SectorSize::MiB8) => 16,
        (Post::Window, SectorSize::MiB512) | (Post::Winning, SectorSize::KiB2) => 17,
        (Post::Window, SectorSize::GiB32 | SectorSize::GiB64) => 27,
        (Post::Winning, SectorSize::MiB8) => 18,
        (Post::Winning, SectorSize::MiB512 | SectorSize::GiB32 | SectorSize::GiB64) => 19,
    };
    (1 << log2) - 1
}

/// Checks that a `.params` file is whole and of the circuit of this proof and size: number of public inputs, domain, and the
/// lengths of its five point lists, which must end exactly at the end of the file.
pub fn params_layout(path: &Path, post: Post, size: SectorSize) -> Result<()> {
    let mut file = File::open(path).context("cannot be opened")?;
    let length = file.metadata()?.len();
    let mut offset = VK_HEAD_BYTES - 4;
    let public = count_at(&mut file, &mut offset)?;
    ensure!(
        public == verifier_points(post, size),
        "belongs to another circuit: {public} public inputs, not {}",
        verifier_points(post, size)
    );
    offset += public * G1_BYTES;
    for (list, bytes) in [("h", G1_BYTES), ("l", G1_BYTES), ("a", G1_BYTES), ("b_g1", G1_BYTES), ("b_g2", G2_BYTES)] {
        let points = count_at(&mut file, &mut offset)?;
        ensure!(
            list != "h" || points == h_points(post, size),
            "belongs to another circuit: {points} points in h, not {}",
            h_points(post, size)
        );
        offset += points * bytes;
    }
    ensure!(offset == length, "has {length} bytes where its own lists need {offset}: cut short or damaged");
    Ok(())
}

fn count_at(file: &mut File, offset: &mut u64) -> Result<u64> {
    let mut count = [0; 4];
    file.seek(SeekFrom::Start(*offset))?;
    file.read_exact(&mut count).context("is cut short")?;
    *offset += 4;
    Ok(u32::from_be_bytes(count).into())
}
