use std::io::{self, BufRead, Write};
use std::process;
use std::sync::mpsc;
use std::thread;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Answer, Job, sector};

/// The `read` role: answers each job line with one line, in order. Ends with its parent, also while a read is stuck.
pub fn serve_parent() -> Result<()> {
    let (sender, jobs) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        process::exit(0);
    });
    for line in jobs {
        let job: Job = serde_json::from_str(&line)?;
        let answer = match sector::vanilla_proof(&job) {
            Ok(vanilla) => Answer::Vanilla(BASE64_STANDARD.encode(vanilla)),
            Err(fault) => Answer::Fault(fault),
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&text)?;
        stdout.flush()?;
    }
    Ok(())
}
