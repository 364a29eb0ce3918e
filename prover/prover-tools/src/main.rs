//! Parameters and provable sectors for tests, and checks of official parameters.

mod fake;
mod generate;
mod params;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use window_post_core::{Post, SectorSize};

use crate::fake::Fleet;

#[derive(Parser)]
#[command(version, about = "Makes PoSt parameters and sectors for tests, and checks parameters")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Groth16 parameters of window and winning PoSt
    #[command(subcommand)]
    Params(Params),
    /// Sectors in the layout of a persist store
    #[command(subcommand)]
    Sectors(Sectors),
}

#[derive(Subcommand)]
enum Params {
    /// Make test parameters (2KiB, 8MiB, 512MiB) from a fixed seed: the same bytes on every machine
    Generate {
        #[arg(long)]
        size: SectorSize,
        /// Those of winning PoSt, instead of window PoSt
        #[arg(long)]
        winning: bool,
        /// Parameter directory [default: FIL_PROOFS_PARAMETER_CACHE, else /var/tmp/filecoin-proof-parameters]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Another number is another set-up, whose proofs are not valid for this one's verifying key
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Check that parameters are whole and belong together, and compare official ones with their published digests
    Check {
        #[arg(long)]
        size: SectorSize,
        /// Those of winning PoSt, instead of window PoSt
        #[arg(long)]
        winning: bool,
        /// Parameter directory [default: FIL_PROOFS_PARAMETER_CACHE, else /var/tmp/filecoin-proof-parameters]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Print as JSON which files a size needs, with published digests, and which of them are there
    List {
        #[arg(long)]
        size: SectorSize,
        /// Those of winning PoSt, instead of window PoSt
        #[arg(long)]
        winning: bool,
        /// Parameter directory [default: FIL_PROOFS_PARAMETER_CACHE, else /var/tmp/filecoin-proof-parameters]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum Sectors {
    /// Make provable sectors with no data; prints {"sector_id","comm_r","sealed_cid"} for each, one a line
    Fake {
        /// Miner actor id, without t0
        #[arg(long)]
        miner: u64,
        #[arg(long)]
        size: SectorSize,
        #[arg(long)]
        count: u64,
        /// The store: its sealed/ and cache/ are made when missing
        #[arg(long)]
        out: PathBuf,
        /// Number of the first sector
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// The same seed, miner and number give the same comm_r
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Give every sector files of its own instead of hard links, so that one can be damaged alone
        #[arg(long)]
        no_links: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prover-tools: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Params(Params::Generate { size, winning, dir, seed }) => {
            params::generate(post(winning), size, dir, seed)
        }
        Command::Params(Params::Check { size, winning, dir }) => params::check(post(winning), size, dir),
        Command::Params(Params::List { size, winning, dir }) => params::list(post(winning), size, dir),
        Command::Sectors(Sectors::Fake { miner, size, count, out, first, seed, no_links }) => {
            Fleet { miner, size, store: out, seed, links: !no_links }.make(first, count)
        }
    }
}

fn post(winning: bool) -> Post {
    if winning { Post::Winning } else { Post::Window }
}
