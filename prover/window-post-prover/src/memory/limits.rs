use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const CGROUPS: &str = "/sys/fs/cgroup";
const WHOLE_HOST: &str = "/";

/// What may be reserved on this host, and in each control group (version 2) that this process is in and that has a
/// limit. A tenth is left to everything else.
pub struct Limits {
    cgroup: String,
    levels: Vec<Level>,
}

struct Level {
    cgroup: String,
    usable: u64,
}

/// A reservation: its bytes and the control group it was made in.
pub struct Reserved {
    pub bytes: u64,
    pub cgroup: String,
}

impl Limits {
    pub fn of_this_process() -> Result<Self> {
        let path = "/proc/self/cgroup";
        let groups = fs::read_to_string(path).context(path)?;
        let cgroup = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or(WHOLE_HOST);
        let mut limits = vec![(WHOLE_HOST.to_owned(), host_memory()?)];
        for group in Path::new(cgroup).ancestors() {
            let files = Path::new(CGROUPS).join(group.strip_prefix(WHOLE_HOST).unwrap_or(group));
            let limit = fs::read_to_string(files.join("memory.max")).ok().and_then(|text| text.trim().parse().ok());
            limits.extend(limit.map(|bytes| (group.display().to_string(), bytes)));
        }
        Ok(Self::new(cgroup, limits))
    }

    fn new(cgroup: &str, limits: Vec<(String, u64)>) -> Self {
        let levels = limits.into_iter().map(|(cgroup, bytes)| Level { cgroup, usable: bytes - bytes / 10 });
        Self { cgroup: cgroup.to_owned(), levels: levels.collect() }
    }

    pub fn cgroup(&self) -> &str {
        &self.cgroup
    }

    /// Whether so many bytes go beside what is reserved. Where nothing else is reserved they always do: a proof that
    /// may fail for want of memory is better than none.
    pub fn allow(&self, bytes: u64, reserved: &[Reserved]) -> bool {
        self.levels.iter().all(|level| {
            let within = || reserved.iter().filter(|other| Path::new(&other.cgroup).starts_with(&level.cgroup));
            let sum = within().fold(bytes, |sum, other| sum.saturating_add(other.bytes));
            sum <= level.usable || within().next().is_none()
        })
    }
}

fn host_memory() -> Result<u64> {
    let path = "/proc/meminfo";
    let text = fs::read_to_string(path).context(path)?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kilobytes: u64 = total.with_context(|| format!("{path}: there is no MemTotal"))?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(bytes: u64, cgroup: &str) -> Reserved {
        Reserved { bytes, cgroup: cgroup.to_owned() }
    }

    #[test]
    fn nine_tenths_of_the_host_may_be_reserved_and_the_first_always_goes() {
        let limits = Limits::new("/", vec![("/".to_owned(), 1000)]);
        assert!(limits.allow(400, &[reserved(500, "/")]));
        assert!(!limits.allow(401, &[reserved(500, "/a")]));
        assert!(limits.allow(2000, &[]));
        assert!(!limits.allow(u64::MAX, &[reserved(1, "/")]));
    }

    #[test]
    fn the_limit_of_a_control_group_counts_what_is_reserved_in_it() {
        let limits = Limits::new("/gpu/a", vec![("/".to_owned(), 1000), ("/gpu".to_owned(), 500)]);
        assert!(limits.allow(250, &[reserved(200, "/gpu/b"), reserved(400, "/gpu2")]));
        assert!(!limits.allow(251, &[reserved(200, "/gpu/b")]));
        assert!(!limits.allow(250, &[reserved(200, "/gpu/b"), reserved(451, "/gpu2")]));
        assert!(limits.allow(600, &[reserved(300, "/gpu2")]));
    }

    #[test]
    fn this_host_has_memory() {
        assert!(Limits::of_this_process().unwrap().levels.iter().all(|level| level.usable > 0));
    }
}
