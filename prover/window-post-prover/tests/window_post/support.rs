use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub const MINER: u64 = 1000;
pub const PROOF: &str = "StackedDrgWindow2KiBV1_2";
/// For what takes a second or two on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_window-post-prover"))
}

pub fn tools(args: &[&str]) -> String {
    let program = program().with_file_name("prover-tools");
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace", program.display());
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Parameters of 2KiB (of winning PoSt too) and 8MiB, and under `other-seed/` of 2KiB from another set-up.
pub fn parameters() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let home = || PathBuf::from(env::var_os("HOME").unwrap()).join(".cache/wdpost-cluster/params");
        let dir = env::var_os("WDPOST_TEST_PARAMS").map_or_else(home, PathBuf::from);
        let text = dir.to_str().unwrap();
        tools(&["params", "generate", "--size", "2KiB", "--dir", text]);
        tools(&["params", "generate", "--size", "2KiB", "--winning", "--dir", text]);
        tools(&["params", "generate", "--size", "8MiB", "--dir", text]);
        tools(&["params", "generate", "--size", "2KiB", "--seed", "8", "--dir", &format!("{text}/other-seed")]);
        dir
    })
}

/// The file of a size and kind (`params`, `vk`) in a parameter directory.
pub fn parameter_file(dir: &Path, size: &str, kind: &str) -> PathBuf {
    let id = match size {
        "2KiB" => "0170db1f394b35d995252228ee359194b13199d259380541dc529fb0099096b0",
        "8MiB" => "5294475db5237a2e83c3e52fd6c2b03859a1831d45ed08c4f35dbf9a803165a9",
        _ => panic!("no tests with {size}"),
    };
    dir.join(format!("v28-proof-of-spacetime-fallback-merkletree-poseidon_hasher-8-0-0-{id}.{kind}"))
}

/// A store with sectors of its own, numbered from 0.
pub struct Store {
    pub dir: TempDir,
    pub comm_rs: Vec<Value>,
}

impl Store {
    pub fn new(count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Self { dir, comm_rs: Vec::new() };
        let (root, count) = (store.root(), count.to_string());
        let args = ["sectors", "fake", "--miner", "1000", "--size", "2KiB", "--no-links", "--count", &count, "--out"];
        let lines = tools(&[&args[..], &[root.to_str().unwrap()]].concat());
        let comm_r = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let hex = line["comm_r"].as_str().unwrap().as_bytes().to_vec();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            hex.chunks(2).map(byte).collect::<Vec<_>>().into()
        };
        let comm_rs = lines.lines().map(comm_r).collect();
        Self { comm_rs, ..store }
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub fn sealed(&self, sector: usize) -> PathBuf {
        self.root().join(format!("sealed/s-t0{MINER}-{sector}"))
    }

    pub fn cache(&self, sector: usize) -> PathBuf {
        self.root().join(format!("cache/s-t0{MINER}-{sector}"))
    }

    pub fn replica(&self, sector: usize) -> Value {
        json!({
            "sector_id": sector,
            "comm_r": self.comm_rs[sector],
            "cache_dir": self.cache(sector),
            "sealed_file": self.sealed(sector),
        })
    }

    pub fn task(&self, sectors: &[usize]) -> Value {
        let replicas: Vec<_> = sectors.iter().map(|&sector| self.replica(sector)).collect();
        json!({"miner_id": MINER, "proof_type": PROOF, "replicas": replicas, "seed": seed()})
    }

    pub fn verify_task(&self, sectors: &[usize], proof: &Value) -> Value {
        json!({"proof": proof, "task": self.task(sectors)})
    }

    /// Every file and directory with its length.
    pub fn listing(&self) -> Vec<(PathBuf, u64)> {
        fn walk(dir: &Path, found: &mut Vec<(PathBuf, u64)>) {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let metadata = entry.metadata().unwrap();
                found.push((entry.path(), metadata.len()));
                if metadata.is_dir() {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.root(), &mut found);
        found.sort();
        found
    }
}

/// A challenge seed whose two top bits are set, as the chain's may be.
pub fn seed() -> Vec<u8> {
    (0..32).map(|i| i * 7 + 1).map(|byte: u8| if byte == 218 { 0xff } else { byte }).collect()
}

/// A running child, past its ready line.
pub struct Prover {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Prover {
    pub fn command(args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("processor").args(args).env("FIL_PROOFS_PARAMETER_CACHE", parameters());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    pub fn start(args: &[&str]) -> Self {
        Self::spawn(&mut Self::command(args), &format!("{} processor ready", args[0]))
    }

    pub fn spawn(command: &mut Command, ready: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let prover = Self { stdin: child.stdin.take(), child, lines };
        assert_eq!(prover.line(), ready);
        prover
    }

    pub fn send(&mut self, id: u64, task: &Value) {
        self.send_line(&json!({"id": id, "task": task}).to_string());
    }

    pub fn send_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    pub fn next(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// The whole answer to one task.
    pub fn answer(&mut self, task: &Value) -> Value {
        self.send(1, task);
        let answer = self.next();
        assert_eq!(answer["id"], 1);
        answer
    }

    pub fn output(&mut self, task: &Value) -> Value {
        let answer = self.answer(task);
        assert_eq!(answer["err_msg"], Value::Null, "{answer}");
        answer["output"].clone()
    }

    pub fn error(&mut self, task: &Value) -> String {
        let answer = self.answer(task);
        assert_eq!(answer["output"], Value::Null, "{answer}");
        answer["err_msg"].as_str().unwrap().to_owned()
    }

    /// The one proof of a task that has no faults, as base64.
    pub fn proof(&mut self, task: &Value) -> Value {
        let output = self.output(task);
        assert_eq!(output["faults"], json!([]), "{output}");
        assert_eq!(output["proofs"].as_array().unwrap().len(), 1);
        output["proofs"][0].clone()
    }

    pub fn close_input(&mut self) -> ExitStatus {
        self.stdin = None;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            thread::yield_now();
        }
    }

    /// The process ids of its readers.
    pub fn readers(&self) -> Vec<i32> {
        let parent = format!("PPid:\t{}\n", self.child.id());
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let pids = processes.filter_map(|name| name.parse().ok());
        pids.filter(|pid| fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| text.contains(&parent)))
            .collect()
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Base64 of so many bytes has this length.
pub fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}
