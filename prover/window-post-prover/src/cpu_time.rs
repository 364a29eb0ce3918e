use std::mem::MaybeUninit;
use std::time::Duration;

/// CPU time of all threads of this process since a moment: a SNARK that stands still uses none.
pub struct CpuTime {
    before: Duration,
}

impl CpuTime {
    pub fn from_now() -> Self {
        Self { before: used() }
    }

    pub fn seconds(&self) -> u64 {
        used().saturating_sub(self.before).as_secs()
    }
}

fn used() -> Duration {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for the call, and all zeros are a valid rusage, should it fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
