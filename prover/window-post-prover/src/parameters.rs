use std::collections::HashSet;
use std::env;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use window_post_core::{ParameterFiles, Post, SectorSize, parameter_dir};

use crate::environment::FORCED_SIZE;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Proving,
    Verifying,
}

/// The parameter sizes that were found to be usable. The library itself would find out at the first proof, with a
/// panic for a file that is cut short and with an invalid proof for one of another set-up.
pub struct Parameters {
    need: Need,
    checked: Mutex<HashSet<(Post, SectorSize)>>,
}

impl Parameters {
    /// Checks the sizes asked for, else the one of FORCE_SECTOR_SIZE, else all that are in the parameter directory: of
    /// those, damaged ones are told and left out as long as one is sound.
    pub fn at_start(need: Need, post: Post, sizes: Vec<SectorSize>) -> Result<Self> {
        let parameters = Self { need, checked: Mutex::default() };
        let asked = if sizes.is_empty() { forced_size()?.into_iter().collect() } else { sizes };
        for &size in &asked {
            parameters.ensure(post, size)?;
        }
        if asked.is_empty() {
            parameters.ensure_some(post)?;
        }
        Ok(parameters)
    }

    fn ensure_some(&self, post: Post) -> Result<()> {
        let damaged: Vec<_> =
            self.present(post)?.into_iter().filter_map(|size| self.ensure(post, size).err()).collect();
        let none_is_sound = self.checked.lock().expect("no holder of this lock can panic").is_empty();
        for (index, error) in damaged.into_iter().enumerate() {
            if none_is_sound && index == 0 {
                return Err(error);
            }
            eprintln!("window-post-prover: {error:#}; sectors of this size are not proven");
        }
        Ok(())
    }

    /// Checks a size unless that was done before.
    pub fn ensure(&self, post: Post, size: SectorSize) -> Result<()> {
        let mut checked = self.checked.lock().expect("no holder of this lock can panic");
        if !checked.contains(&(post, size)) {
            let files = ParameterFiles::of(post, size)?;
            match self.need {
                Need::Proving => files.check()?,
                Need::Verifying => files.check_vk()?,
            }
            checked.insert((post, size));
        }
        Ok(())
    }

    /// The sizes checked so far.
    pub fn sizes(&self, post: Post) -> Vec<SectorSize> {
        let checked = self.checked.lock().expect("no holder of this lock can panic");
        checked.iter().filter(|(of, _)| *of == post).map(|&(_, size)| size).collect()
    }

    fn present(&self, post: Post) -> Result<Vec<SectorSize>> {
        let present = match self.need {
            Need::Proving => ParameterFiles::present(post, |files| &files.params)?,
            Need::Verifying => ParameterFiles::present(post, |files| &files.vk)?,
        };
        ensure!(
            !present.is_empty(),
            "there are no {post} PoSt parameters in {}; set FIL_PROOFS_PARAMETER_CACHE, or make test parameters with \
             `prover-tools params generate`, or fetch official ones with `lotus fetch-params`",
            parameter_dir().display()
        );
        Ok(present)
    }
}

fn forced_size() -> Result<Option<SectorSize>> {
    let Ok(size) = env::var(FORCED_SIZE) else { return Ok(None) };
    Ok(Some(size.parse().map_err(anyhow::Error::msg).context(FORCED_SIZE)?))
}
