use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use storage_proofs_core::parameter_cache::{get_parameter_data_from_id, parameter_cache_dir, verify_production_entry};

use crate::{Post, SectorSize, params_layout, vk_bytes};

/// The two files of a proof and size that the library reads, in `FIL_PROOFS_PARAMETER_CACHE`.
#[derive(Clone, Debug)]
pub struct ParameterFiles {
    pub post: Post,
    pub size: SectorSize,
    pub params: PathBuf,
    pub vk: PathBuf,
}

impl ParameterFiles {
    pub fn of(post: Post, size: SectorSize) -> Result<Self> {
        let proof = post.proof(size);
        Ok(Self { post, size, params: proof.cache_params_path()?, vk: proof.cache_verifying_key_path()? })
    }

    /// The sizes whose file of this kind is in the parameter directory.
    pub fn present(post: Post, pick: fn(&Self) -> &Path) -> Result<Vec<SectorSize>> {
        let mut sizes = Vec::new();
        for size in SectorSize::ALL {
            if pick(&Self::of(post, size)?).exists() {
                sizes.push(size);
            }
        }
        Ok(sizes)
    }

    /// Checks what a verifier needs: the `.vk` file, by length, and by published digest where there is one.
    pub fn check_vk(&self) -> Result<()> {
        self.vk_fault().with_context(|| self.advice(&self.vk))
    }

    /// Checks what a prover needs, in milliseconds: both files whole, of this circuit, and belonging together.
    pub fn check(&self) -> Result<()> {
        self.check_vk()?;
        self.params_fault().with_context(|| self.advice(&self.params))
    }

    /// Reads the whole `.params` file of an official size and compares its published digest (about a minute for 32GiB).
    /// The library, which asks for the same check, then does not repeat it.
    pub fn check_params_digest(&self) -> Result<()> {
        let key = file_name(&self.params)?;
        verify_production_entry(&self.params, key, get_parameter_data_from_id)
            .context("its digest is not the published one")
            .with_context(|| self.advice(&self.params))?;
        Ok(())
    }

    fn vk_fault(&self) -> Result<()> {
        let length = fs::metadata(&self.vk).context("cannot be read")?.len();
        File::open(&self.vk).context("cannot be opened")?;
        let expected = vk_bytes(self.post, self.size);
        ensure!(length == expected, "has {length} bytes instead of {expected}");
        if self.size.is_official() {
            verify_production_entry(&self.vk, file_name(&self.vk)?, get_parameter_data_from_id)
                .context("its digest is not the published one")?;
        }
        Ok(())
    }

    fn params_fault(&self) -> Result<()> {
        params_layout(&self.params, self.post, self.size)?;
        let vk = fs::read(&self.vk)?;
        let mut head = vec![0; vk.len()];
        File::open(&self.params)?.read_exact(&mut head)?;
        if head != vk {
            bail!("does not belong to the verifying key {}: they come from different set-ups", self.vk.display());
        }
        Ok(())
    }

    fn advice(&self, path: &Path) -> String {
        let source = if self.size.is_official() {
            format!("fetch it with `lotus fetch-params {}`", self.size)
        } else {
            let winning = if self.post == Post::Winning { " --winning" } else { "" };
            format!("make both again with `prover-tools params generate --size {}{winning}`", self.size)
        };
        format!("parameter file {} ({source})", path.display())
    }
}

/// The directory in which the library looks for parameters.
pub fn parameter_dir() -> PathBuf {
    parameter_cache_dir()
}

fn file_name(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(name.context("a parameter file without a name")?.to_owned())
}
