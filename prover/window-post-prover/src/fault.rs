use serde::{Deserialize, Serialize};

/// What is known about a sector that gave no vanilla proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A file is missing, mis-sized or corrupt, read twice.
    Bad,
    /// The store could not be read: nothing is known about the sector.
    Unknown,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    pub class: Class,
    pub reason: String,
}

/// A fault as it stands in an answer's `details`.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    pub sector_id: u64,
    #[serde(flatten)]
    pub fault: Fault,
}

impl Fault {
    pub fn bad(reason: impl Into<String>) -> Self {
        Self { class: Class::Bad, reason: reason.into() }
    }

    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { class: Class::Unknown, reason: reason.into() }
    }

    /// Judges an error of the file system or of the library. An error of the operating system speaks of the store
    /// (EIO, ESTALE, ETIMEDOUT, EACCES, ENOTCONN, …), not of the sector; only a few say that a file is not what it
    /// should be. The library keeps some of them as text only, `(os error N)`, so the text is what is judged.
    pub fn of(error: &anyhow::Error) -> Self {
        let reason = format!("{error:#}");
        let about_the_file = [libc::ENOENT, libc::ENOTDIR, libc::EISDIR, libc::EINVAL, libc::ELOOP];
        match os_error(&reason) {
            Some(code) if !about_the_file.contains(&code) => Self::unknown(reason),
            _ => Self::bad(reason),
        }
    }
}

fn os_error(text: &str) -> Option<i32> {
    let (_, rest) = text.split_once("(os error ")?;
    rest.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn trouble_of_the_store_is_unknown_and_trouble_of_the_file_is_bad() {
        for code in [libc::EIO, libc::ESTALE, libc::ETIMEDOUT, libc::EACCES, libc::EPERM, libc::ENOTCONN, libc::EMFILE]
        {
            let error = anyhow!(io::Error::from_raw_os_error(code)).context("failed to read 16384 bytes");
            assert_eq!(Fault::of(&error).class, Class::Unknown, "{error:#}");
        }
        for text in ["failed to fill whole buffer", "No such file or directory (os error 2)", "proof is invalid"] {
            assert_eq!(Fault::of(&anyhow!(text)).class, Class::Bad, "{text}");
        }
    }
}
