use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Answer, Job};

/// Threads of one reader; its ten challenged blocks are read in parallel. With 32 readers on two cores, five
/// threads cost 2 % more CPU and gain nothing.
const THREADS: &str = "2";

/// A reader process that waits for a job.
pub struct Reader {
    child: Child,
    jobs: ChildStdin,
    answers: Receiver<String>,
}

/// How a reader left a job undone; its process is to be given up.
pub struct Failure {
    pub reader: Child,
    pub cause: Cause,
}

pub enum Cause {
    Died(String),
    TimedOut,
}

impl Reader {
    /// By way of /proc it is this very program, also when its file was replaced. Its error output goes nowhere: a stuck one would keep the pipe of our own parent open.
    pub fn start() -> Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .arg0("window-post-prover")
            .arg("read")
            .env("RAYON_NUM_THREADS", THREADS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a reader process")?;
        let jobs = child.stdin.take().context("a reader without input")?;
        let output = child.stdout.take().context("a reader without output")?;
        let (sender, answers) = mpsc::channel();
        thread::Builder::new().name("reader-answers".to_owned()).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { child, jobs, answers })
    }

    /// Hands over one job; the reader comes back with the answer, ready for the next.
    pub fn ask(mut self, job: &Job, limit: Duration) -> Result<(Self, Answer), Failure> {
        match self.exchange(job, limit) {
            Ok(answer) => Ok((self, answer)),
            Err(cause) => Err(Failure { reader: self.child, cause }),
        }
    }

    pub fn into_process(self) -> Child {
        self.child
    }

    fn exchange(&mut self, job: &Job, limit: Duration) -> Result<Answer, Cause> {
        let died = |error: &dyn Display| Cause::Died(format!("the reader process ended: {error}"));
        let mut line = serde_json::to_vec(job).map_err(|error| died(&error))?;
        line.push(b'\n');
        self.jobs.write_all(&line).map_err(|error| died(&error))?;
        match self.answers.recv_timeout(limit) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| died(&error)),
            Err(RecvTimeoutError::Disconnected) => Err(died(&"no answer")),
            Err(RecvTimeoutError::Timeout) => Err(Cause::TimedOut),
        }
    }
}
