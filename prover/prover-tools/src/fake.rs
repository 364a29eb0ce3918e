use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use window_post_core::{Node, SectorFiles, SectorSize, T_AUX, ZeroReplica, comm_r_of};

/// File systems limit hard links (ext4: 65,000 to a file); past this many, new files are written.
const LINKS_AT_MOST: u64 = 60_000;
/// CIDv1 of a sealed sector: codec fil-commitment-sealed, hash poseidon-bls12_381-a2-fc1, 32 bytes.
const SEALED_CID_PREFIX: [u8; 8] = [0x01, 0x82, 0xe2, 0x03, 0x81, 0xe8, 0x02, 0x20];

/// Provable sectors of one miner and size in one store. They differ in comm_c, and so in comm_r, only.
pub struct Fleet {
    pub miner: u64,
    pub size: SectorSize,
    pub store: PathBuf,
    pub seed: u64,
    pub links: bool,
}

#[derive(Serialize)]
struct Made {
    sector_id: u64,
    comm_r: String,
    sealed_cid: String,
}

/// The sector whose large files the next ones share.
struct Model {
    files: SectorFiles,
    links: u64,
}

impl Fleet {
    /// Makes what is missing of the sectors `first..first + count`, and prints each sector.
    pub fn make(&self, first: u64, count: u64) -> Result<()> {
        ensure!(count > 0, "--count must be at least 1");
        let end = first.checked_add(count).context("--first and --count: the sector numbers are too large")?;
        let replica = ZeroReplica::new(self.size)?;
        let mut model = None;
        let mut output = io::stdout().lock();
        for sector in first..end {
            let comm_r = self.make_one(&replica, sector, &mut model).with_context(|| format!("sector {sector}"))?;
            let made = Made { sector_id: sector, comm_r: HEXLOWER.encode(&comm_r), sealed_cid: sealed_cid(&comm_r) };
            let line = serde_json::to_string(&made)?;
            writeln!(output, "{line}")?;
        }
        Ok(output.flush()?)
    }

    fn make_one(&self, replica: &ZeroReplica, sector: u64, model: &mut Option<Model>) -> Result<Node> {
        let files = SectorFiles::in_store(&self.store, self.miner, sector);
        let comm_c = self.comm_c(sector);
        let p_aux = [comm_c, replica.comm_r_last].concat();
        make_directory(&files.cache)?;
        make_directory(files.sealed.parent().context("a sealed file without a directory")?)?;
        self.make_large_files(replica, &files, model)?;
        make_file(&files.cache.join(T_AUX), 0, |path| Ok(fs::write(path, [])?))?;
        make_file(&files.p_aux(), p_aux.len() as u64, |path| Ok(fs::write(path, &p_aux)?))?;
        ensure!(fs::read(files.p_aux())? == p_aux, "{} is of another sector: {TAKEN}", files.p_aux().display());
        comm_r_of(&comm_c, &replica.comm_r_last)
    }

    /// Only files written in this run are linked to: older ones may be damaged or full of links.
    fn make_large_files(&self, replica: &ZeroReplica, files: &SectorFiles, model: &mut Option<Model>) -> Result<()> {
        let large = |files: &SectorFiles| [vec![files.sealed.clone()], files.trees(self.size)].concat();
        let source = model.as_ref().filter(|model| self.links && model.links < LINKS_AT_MOST);
        let shared = source.map(|model| large(&model.files));
        let mut written = true;
        for (index, path) in large(files).iter().enumerate() {
            let bytes = if index == 0 { self.size.bytes() } else { self.size.tree_file_bytes() };
            let made = make_file(path, bytes, |path| match &shared {
                // A file system without hard links gets copies, written anew.
                Some(shared) if fs::hard_link(&shared[index], path).is_ok() => Ok(()),
                _ if index == 0 => replica.write_sealed(path),
                _ => replica.write_tree(path),
            })?;
            written &= made;
        }
        match model {
            Some(model) if shared.is_some() => model.links += 1,
            _ if written => *model = Some(Model { files: files.clone(), links: 1 }),
            _ => {}
        }
        Ok(())
    }

    fn comm_c(&self, sector: u64) -> Node {
        let mut key = [0; 32];
        for (part, number) in key.chunks_exact_mut(8).zip([self.seed, self.miner, sector, self.size.bytes()]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        let mut comm_c = [0; 32];
        ChaCha20Rng::from_seed(key).fill_bytes(&mut comm_c);
        // Below the field modulus, as every node.
        comm_c[31] &= 0x3f;
        comm_c
    }
}

const TAKEN: &str = "remove it, or choose another --first or --seed";

fn make_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| path.display().to_string())
}

/// Keeps a file of the right length, refuses to replace another, and else makes it under a temporary name, so that a
/// run that is killed leaves no half of it. Tells whether it was made.
fn make_file(path: &Path, bytes: u64, make: impl Fn(&Path) -> Result<()>) -> Result<bool> {
    if let Ok(there) = fs::symlink_metadata(path) {
        ensure!(
            there.is_file() && there.len() == bytes,
            "{} is there and is not a file of {bytes} bytes: {TAKEN}",
            path.display()
        );
        return Ok(false);
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    // Of a run that was killed.
    let _ = fs::remove_file(&temporary);
    let made = make(&temporary).and_then(|()| Ok(fs::rename(&temporary, path)?));
    made.with_context(|| path.display().to_string())?;
    Ok(true)
}

fn sealed_cid(comm_r: &Node) -> String {
    let bytes = [&SEALED_CID_PREFIX[..], comm_r].concat();
    format!("b{}", BASE32_NOPAD.encode(&bytes).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_cid_has_the_known_prefix() {
        assert!(sealed_cid(&[0; 32]).starts_with("bagboea4b5abcaaaaa"));
    }
}
