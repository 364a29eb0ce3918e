use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Result, anyhow};

/// Texts of the panics since the last `guarded` call began; workers of a pool panic more than once for one cause.
static FIRST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Panic messages of the library carry source paths of the build machine: keep the file's name and line only.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let text = describe(info);
        eprintln!("window-post-prover: panic: {text}");
        FIRST_PANIC.lock().unwrap_or_else(|lock| lock.into_inner()).get_or_insert(text);
    }));
}

/// Runs `work`; a panic anywhere in it, also in the library's worker threads, becomes an error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    take_first();
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let text = take_first().unwrap_or_else(|| "no message".to_owned());
        Err(anyhow!("the proofs library panicked: {text}"))
    })
}

fn take_first() -> Option<String> {
    FIRST_PANIC.lock().unwrap_or_else(|lock| lock.into_inner()).take()
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    match info.location() {
        Some(place) => {
            let file = Path::new(place.file()).file_name().unwrap_or_default().to_string_lossy();
            format!("{message} ({file}:{})", place.line())
        }
        None => message,
    }
}
