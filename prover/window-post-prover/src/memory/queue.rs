use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use super::limits::{Limits, Reserved};

const GATE: &str = "gate";
const GATE_LIMIT: Duration = Duration::from_secs(30);
/// A waiting prover looks five times a second; one that does not for so long is stopped, and holds up nobody.
const SILENT_AFTER: Duration = Duration::from_secs(5);

/// A place in the queue of all provers: a file with a rising number, locked for as long as its prover lives, since the
/// kernel unlocks it however that ends. Its text is `waiting|admitted BYTES CGROUP`.
pub struct Ticket {
    directory: PathBuf,
    number: u64,
    file: File,
    mine: Reserved,
    admitted: bool,
}

/// The ticket of another prover that lives.
struct Other {
    number: u64,
    admitted: bool,
    silent: bool,
    reserved: Reserved,
}

impl Ticket {
    pub fn draw(directory: &Path, bytes: u64, cgroup: &str) -> Result<Self> {
        let _gate = pass_gate(directory)?;
        let last = numbers(directory)?.into_iter().max().unwrap_or(0);
        let number = last + 1;
        let path = path_of(directory, number);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.with_context(|| path.display().to_string())?;
        // Of another user, too, it is read.
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.lock()?;
        let mine = Reserved { bytes, cgroup: cgroup.to_owned() };
        let mut ticket = Self { directory: directory.to_owned(), number, file, mine, admitted: false };
        ticket.write()?;
        Ok(ticket)
    }

    /// Admits it if it is its turn and there is room.
    pub fn is_admitted(&mut self, limits: &Limits) -> Result<bool> {
        let _gate = pass_gate(&self.directory)?;
        self.file.set_modified(SystemTime::now())?;
        let others = self.others()?;
        let first = !others.iter().any(|other| !other.admitted && !other.silent && other.number < self.number);
        let reserved: Vec<_> = others.into_iter().filter(|other| other.admitted).map(|other| other.reserved).collect();
        if first && limits.allow(self.mine.bytes, &reserved) {
            self.admitted = true;
            self.write()?;
        }
        Ok(self.admitted)
    }

    fn write(&mut self) -> Result<()> {
        let state = if self.admitted { "admitted" } else { "waiting" };
        let Reserved { bytes, cgroup } = &self.mine;
        self.file.set_len(0)?;
        self.file.rewind()?;
        write!(self.file, "{state} {bytes} {cgroup}")?;
        Ok(())
    }

    fn others(&self) -> Result<Vec<Other>> {
        let mut others = Vec::new();
        for number in numbers(&self.directory)?.into_iter().filter(|&number| number != self.number) {
            let path = path_of(&self.directory, number);
            others.extend(Other::read(&path, number).with_context(|| path.display().to_string())?);
        }
        Ok(others)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _ = fs::remove_file(path_of(&self.directory, self.number));
    }
}

impl Other {
    /// Nothing for one whose prover has ended.
    fn read(path: &Path, number: u64) -> Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Ok(()) => {
                // Its own user's provers can, whoever else cannot.
                let _ = fs::remove_file(path);
                return Ok(None);
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut words = text.splitn(3, ' ');
        let (Some(state), Some(bytes), Some(cgroup)) = (words.next(), words.next(), words.next()) else {
            bail!("is not a reservation: {text:?}");
        };
        let bytes = bytes.parse().with_context(|| format!("is not a reservation: {text:?}"))?;
        let silent = file.metadata()?.modified()?.elapsed().is_ok_and(|since| since > SILENT_AFTER);
        let reserved = Reserved { bytes, cgroup: cgroup.to_owned() };
        Ok(Some(Self { number, admitted: state == "admitted", silent, reserved }))
    }
}

fn path_of(directory: &Path, number: u64) -> PathBuf {
    directory.join(number.to_string())
}

fn numbers(directory: &Path) -> Result<Vec<u64>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// One prover at a time draws or looks, for less than a millisecond; one that was stopped just there is not waited for
/// without end.
fn pass_gate(directory: &Path) -> Result<File> {
    let path = directory.join(GATE);
    let gate = open_gate(&path).with_context(|| path.display().to_string())?;
    let start = Instant::now();
    loop {
        match gate.try_lock() {
            Ok(()) => return Ok(gate),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| path.display().to_string()),
            Err(TryLockError::WouldBlock) => {}
        }
        ensure!(start.elapsed() < GATE_LIMIT, "{} is held by another process", path.display());
        thread::sleep(Duration::from_millis(2));
    }
}

/// Created only where it is not there: in a directory that all may write, Linux refuses O_CREAT for another user's file.
fn open_gate(path: &Path) -> io::Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let gate = OpenOptions::new().append(true).create(true).open(path)?;
            gate.set_permissions(Permissions::from_mode(0o644))?;
            Ok(gate)
        }
        opened => opened,
    }
}
