//! The ext-processor child of the benchmarks: does for a task what the peers' handlers do (parse its JSON, hash its text), and
//! answers a proof made of the hash. One request at a time, as a slave gives it.
//!
//! Environment: BENCH_STARTS, a file that gets `<task number> <CLOCK_MONOTONIC ns>` when a request has arrived; BENCH_GATE, a file
//! without which it is not ready; BENCH_MS_PER_SECTOR, how long a sector takes; BENCH_REHEARSE, a prover that is run with
//! `--rehearse` in its place.

mod rehearse;

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

const GATE_LOOK: Duration = Duration::from_millis(5);
const PROOF_BYTES: usize = 192;

#[derive(Deserialize)]
struct Request<'a> {
    id: u64,
    #[serde(borrow)]
    task: &'a RawValue,
}

#[derive(Deserialize)]
struct Task {
    replicas: Vec<Replica>,
    seed: Vec<u8>,
}

#[derive(Deserialize)]
#[allow(dead_code)] // Read as a prover would read them.
struct Replica {
    sector_id: u64,
    comm_r: Vec<u8>,
    cache_dir: String,
    sealed_file: String,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(2).map(String::as_str) {
        Some("window_post") => match env::var_os("BENCH_REHEARSE") {
            Some(prover) => rehearse::run(&prover),
            None => prove(),
        },
        Some("window_post_verify") => verify(),
        _ => Err(io::Error::other("usage: bench-child processor window_post|window_post_verify")),
    }
}

fn prove() -> io::Result<()> {
    if let Some(gate) = env::var_os("BENCH_GATE") {
        while !Path::new(&gate).exists() {
            sleep(GATE_LOOK);
        }
    }
    let mut starts =
        env::var_os("BENCH_STARTS").map(|path| OpenOptions::new().append(true).create(true).open(path)).transpose()?;
    let per_sector = env::var("BENCH_MS_PER_SECTOR").ok().and_then(|text| text.parse::<f64>().ok());
    serve("window_post", |request, arrived| {
        let task: Task = serde_json::from_str(request.task.get())?;
        note(&mut starts, number(&task.seed), arrived)?;
        let hash = Sha256::digest(request.task.get());
        if let Some(ms) = per_sector {
            sleep(Duration::from_secs_f64(ms * task.replicas.len() as f64 / 1000.0));
        }
        let proof: Vec<u8> = hash.iter().copied().cycle().take(PROOF_BYTES).collect();
        Ok(format!("{{\"proofs\":[\"{}\"],\"faults\":[]}}", BASE64_STANDARD.encode(proof)))
    })
}

fn verify() -> io::Result<()> {
    serve("window_post_verify", |_, _| Ok("{\"valid\":true,\"reason\":null}".to_owned()))
}

/// `work` gets the request and when its line had arrived, and gives the output's text.
fn serve(stage: &str, mut work: impl FnMut(&Request, u64) -> io::Result<String>) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{stage} processor ready")?;
    stdout.flush()?;
    let mut stdin = BufReader::with_capacity(1 << 20, io::stdin());
    let mut line = Vec::new();
    while stdin.read_until(b'\n', &mut line)? > 0 {
        let arrived = monotonic_ns();
        let request: Request = serde_json::from_slice(&line)?;
        let answer = format!("{{\"id\":{},\"err_msg\":null,\"output\":{}}}\n", request.id, work(&request, arrived)?);
        stdout.write_all(answer.as_bytes())?;
        stdout.flush()?;
        line.clear();
    }
    Ok(())
}

/// The bench counts its tasks in the first four bytes of their seeds.
fn number(seed: &[u8]) -> u32 {
    seed.iter().take(4).fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

fn note(starts: &mut Option<File>, task: u32, at: u64) -> io::Result<()> {
    starts.as_mut().map_or(Ok(()), |file| file.write_all(format!("{task} {at}\n").as_bytes()))
}

/// What `process.hrtime` of Node reads as well.
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of our own.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
