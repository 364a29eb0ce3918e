use std::io::{self, BufRead, Write};
use std::process;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::panics;
use crate::progress::Progress;

#[derive(Deserialize)]
struct Request {
    id: u64,
    /// Kept as text: a full partition's task is most of a megabyte of numbers, read once, into what it means.
    #[serde(default)]
    task: Box<RawValue>,
}

/// Exactly one of `err_msg` and `output` is null.
#[derive(Serialize)]
struct Response<A> {
    id: u64,
    err_msg: Option<String>,
    output: Option<A>,
}

/// Standard output, one whole line at a time.
#[derive(Clone)]
pub struct Output;

impl Output {
    /// A parent that no longer listens ends this process, like the end of input does.
    pub fn line(&self, line: &impl Serialize) {
        let mut text = serde_json::to_vec(line).expect("answers have string keys only");
        text.push(b'\n');
        let mut stdout = io::stdout().lock();
        if stdout.write_all(&text).and_then(|()| stdout.flush()).is_err() {
            process::exit(0);
        }
    }
}

/// Prints the ready line and answers each request in its own thread, each id once, in any order. At the end of input
/// the process exits at once: readers see their own input end, and nobody waits for unfinished answers.
pub fn serve<A, W>(stage: &str, progress: bool, work: W) -> Result<()>
where
    A: Serialize,
    W: Fn(&RawValue, &Progress) -> Result<A> + Send + Sync + 'static,
{
    let work = Arc::new(work);
    println!("{stage} processor ready");
    io::stdout().flush()?;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.context("cannot read standard input")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Request>(&line) {
            Ok(request) => {
                let work = Arc::clone(&work);
                let progress = Progress::new(progress.then_some(Output), request.id);
                thread::Builder::new()
                    .name(format!("request-{}", request.id))
                    .spawn(move || answer(request, &progress, work.as_ref()))
                    .context("cannot start a thread for a request")?;
            }
            Err(error) => match id_of(&line) {
                Some(id) => Output.line(&failure::<A>(id, format!("a request that cannot be read: {error}"))),
                None => eprintln!("window-post-prover: skipped a line that is not a request: {error}"),
            },
        }
    }
    process::exit(0);
}

fn answer<A: Serialize>(request: Request, progress: &Progress, work: impl Fn(&RawValue, &Progress) -> Result<A>) {
    let id = request.id;
    Output.line(&match panics::guarded(|| work(&request.task, progress)) {
        Ok(output) => Response { id, err_msg: None, output: Some(output) },
        Err(error) => failure(id, format!("{error:#}")),
    });
}

fn failure<A>(id: u64, text: String) -> Response<A> {
    Response { id, err_msg: Some(printable(&text)), output: None }
}

/// Of a line that cannot be read; all parents write it first.
fn id_of(line: &[u8]) -> Option<u64> {
    let (_, rest) = std::str::from_utf8(line).ok()?.split_once("{\"id\":")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Parents of the venus-cluster 0.5 line use the text as a format string, so it has no percent sign.
fn printable(text: &str) -> String {
    text.replace('%', " percent")
}
