//! Window and winning PoSt over the ext-processor line protocol: one JSON request a line on stdin, answers on stdout.

mod cpu_time;
mod environment;
mod fault;
mod lines;
mod memory;
mod panics;
mod parameters;
mod progress;
mod prove;
mod reading;
mod rehearse;
mod task;
mod verify;
mod winning;
mod winning_warm_up;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use window_post_core::{Post, SectorSize};

use crate::memory::Memory;
use crate::parameters::{Need, Parameters};
use crate::prove::Prover;
use crate::reading::Readers;
use crate::winning::WinningProver;

#[derive(Parser)]
#[command(version, about = "Makes and verifies PoSt proofs over the ext-processor line protocol")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests on stdin until it ends
    #[command(subcommand)]
    Processor(Processor),
    /// Make vanilla proofs for a parent process (started by `processor window_post` itself)
    #[command(hide = true)]
    Read,
}

#[derive(Subcommand)]
enum Processor {
    /// Prove the sectors of a window_post task
    #[command(name = "window_post")]
    WindowPost(WindowPost),
    /// Prove the one sector of a winning_post task, on the CPU
    #[command(name = "winning_post")]
    WinningPost(WinningPost),
    /// Tell whether a window or winning proof is valid; needs only the verifying keys
    #[command(name = "window_post_verify")]
    WindowPostVerify {
        /// Sector size whose verifying key for window PoSt is checked at start; may be repeated
        #[arg(long = "sector-size")]
        sizes: Vec<SectorSize>,
    },
}

#[derive(Args)]
struct WindowPost {
    /// Print progress lines between the answers
    #[arg(long)]
    progress: bool,
    /// Seconds that one sector may take to read
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    read_timeout: u64,
    /// Sector size whose parameters are checked at start; may be repeated [default: FORCE_SECTOR_SIZE, else all present]
    #[arg(long = "sector-size")]
    sizes: Vec<SectorSize>,
    /// Reader processes for one request, shared out over its stores; one that is behind gets more [default: 32]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    readers: Option<u16>,
    /// Bytes of memory that a SNARK reserves on this host; 0 starts it at once [default: by sector size]
    #[arg(long)]
    memory_per_proof: Option<u64>,
    /// Directory below which sectors are read, and none elsewhere; may be repeated [default: any]
    #[arg(long = "store")]
    stores: Vec<PathBuf>,
    /// Do everything but the SNARK and report timings; needs no parameters
    #[arg(long)]
    rehearse: bool,
}

#[derive(Args)]
struct WinningPost {
    /// Sector size whose parameters are checked at start; may be repeated [default: FORCE_SECTOR_SIZE, else all present]
    #[arg(long = "sector-size")]
    sizes: Vec<SectorSize>,
    /// Make one proof of each size before the ready line, of a sector of zeros in TMPDIR
    #[arg(long)]
    warmup: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("window-post-prover: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Read => {
            panics::install_hook();
            reading::serve_parent()
        }
        Command::Processor(Processor::WindowPost(options)) => window_post(options),
        Command::Processor(Processor::WinningPost(options)) => winning_post(options),
        Command::Processor(Processor::WindowPostVerify { sizes }) => {
            environment::isolate()?;
            panics::install_hook();
            let parameters = Parameters::at_start(Need::Verifying, Post::Window, sizes)?;
            lines::serve("window_post_verify", false, move |task, _| verify::verify(&parameters, task))
        }
    }
}

fn window_post(options: WindowPost) -> Result<()> {
    environment::isolate()?;
    panics::install_hook();
    let readers =
        Readers::new(options.readers.map(usize::from), Duration::from_secs(options.read_timeout), options.stores);
    if options.rehearse {
        return lines::serve("window_post", options.progress, move |task, progress| {
            rehearse::rehearse(&readers, task, progress)
        });
    }
    environment::refuse_home_made_parameters(&options.sizes);
    let parameters = Parameters::at_start(Need::Proving, Post::Window, options.sizes)?;
    let prover = Arc::new(Prover::new(parameters, readers, Memory::new(options.memory_per_proof)));
    prover.check_digests_in_background();
    lines::serve("window_post", options.progress, move |task, progress| prover.prove(task, progress))
}

fn winning_post(options: WinningPost) -> Result<()> {
    environment::isolate()?;
    environment::prefer_cpu();
    panics::install_hook();
    environment::refuse_home_made_parameters(&options.sizes);
    let parameters = Parameters::at_start(Need::Proving, Post::Winning, options.sizes)?;
    let sizes = parameters.sizes(Post::Winning);
    let prover = WinningProver::new(parameters, Readers::new(None, winning::READ_LIMIT, Vec::new()))?;
    if options.warmup {
        for size in sizes {
            winning_warm_up::warm_up(size)?;
        }
    }
    lines::serve("winning_post", false, move |task, progress| prover.prove(task, progress))
}
