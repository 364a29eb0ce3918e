use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use storage_proofs_core::parameter_cache::get_parameter_data_from_id;
use window_post_core::{ParameterFiles, Post, SectorSize, parameter_dir};

use crate::generate;

const PARAMETER_CACHE: &str = "FIL_PROOFS_PARAMETER_CACHE";
const DEFAULT_DIR: &str = "/var/tmp/filecoin-proof-parameters";

/// Makes the parameters of a test size beside their final place and moves them there when they are complete.
pub fn generate(post: Post, size: SectorSize, dir: Option<PathBuf>, seed: u64) -> Result<()> {
    if size.is_official() {
        bail!(
            "parameters for {size} cannot be made at home: they come from the public trusted set-up; fetch them with \
             `lotus fetch-params {size}` or `paramfetch`, then run `prover-tools params check --size {size}`"
        );
    }
    let dir = parameter_directory(dir)?;
    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let workshop = tempfile::Builder::new().prefix(".generating-").tempdir_in(&dir).context("parameter directory")?;
    use_directory(workshop.path());

    let made = ParameterFiles::of(post, size)?;
    let names = [&made.vk, &metadata_path(&made.vk), &made.params].map(|path| path.file_name().map(PathBuf::from));
    let names = names.into_iter().collect::<Option<Vec<_>>>().context("a parameter file without a name")?;
    let there = ParameterFiles { post, size, params: dir.join(&names[2]), vk: dir.join(&names[0]) };
    if there.params.exists() && there.vk.exists() {
        there.check().context("there already, and not usable: remove both files first")?;
        println!("{size} {post} parameters are there already: {}", dir.display());
        return Ok(());
    }
    generate::generate(post, size, seed)?;
    made.check()?;
    // A verifying key that came alone may be the one that a network goes by.
    for (new, old) in [(&made.vk, &there.vk), (&made.params, &there.params)] {
        if old.exists() && fs::read(old)? != fs::read(new)? {
            bail!("{} is there already and is of another set-up: remove it, or use another --dir", old.display());
        }
    }
    // The .params file comes last: who finds it finds the others.
    for name in &names {
        fs::rename(workshop.path().join(name), dir.join(name)).with_context(|| dir.join(name).display().to_string())?;
    }
    println!("{size} {post} parameters made: {}", dir.display());
    Ok(())
}

pub fn check(post: Post, size: SectorSize, dir: Option<PathBuf>) -> Result<()> {
    let dir = parameter_directory(dir)?;
    ensure!(dir.is_dir(), "{} is not a directory", dir.display());
    use_directory(&dir);
    let files = ParameterFiles::of(post, size)?;
    files.check()?;
    if size.is_official() {
        files.check_params_digest()?;
        println!("{size} {post} parameters are the published ones: {}", parameter_dir().display());
    } else {
        println!("{size} {post} parameters are whole and belong together: {}", parameter_dir().display());
    }
    Ok(())
}

/// Prints `{"size","directory","official","files":[{"name","bytes","digest"}]}`; `bytes` is null for a file that is not
/// there, `digest` where none is published.
pub fn list(post: Post, size: SectorSize, dir: Option<PathBuf>) -> Result<()> {
    let dir = parameter_directory(dir)?;
    use_directory(&dir);
    let ParameterFiles { params, vk, .. } = ParameterFiles::of(post, size)?;
    let files = [vk, params].map(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let bytes = fs::metadata(&path).ok().map(|metadata| metadata.len());
        let digest = get_parameter_data_from_id(&name).map(|data| data.digest.as_str());
        json!({ "name": name, "bytes": bytes, "digest": digest })
    });
    println!(
        "{}",
        json!({ "size": size.to_string(), "directory": dir, "official": size.is_official(), "files": files })
    );
    Ok(())
}

fn parameter_directory(dir: Option<PathBuf>) -> Result<PathBuf> {
    let dir = dir.or_else(|| env::var_os(PARAMETER_CACHE).map(PathBuf::from)).unwrap_or_else(|| DEFAULT_DIR.into());
    Ok(std::path::absolute(dir)?)
}

/// The library reads this variable once, at its first use of the parameter directory.
fn use_directory(dir: &Path) {
    // SAFETY: no other thread runs yet.
    unsafe { env::set_var(PARAMETER_CACHE, dir) };
}

/// The third file of a set, which only the generator needs.
fn metadata_path(vk: &Path) -> PathBuf {
    vk.with_extension("meta")
}
