use serde::{Deserialize, Serialize};

/// What is known about a sector that gave no vanilla proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Its files are there and do not prove it, read twice.
    Bad,
    /// It could not be read here: nothing is known about the sector.
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

    /// Judges an error of the file system or of the library. An error of the operating system speaks of the store (EIO, ESTALE,
    /// ETIMEDOUT, EACCES, ENOTCONN, …) or of how this host sees it, not of the sector. The library keeps some of them as text only,
    /// `(os error N)`, so the text is what is judged.
    pub fn of(error: &anyhow::Error) -> Self {
        let reason = format!("{error:#}");
        match os_error(&reason) {
            Some(_) => Self::unknown(reason),
            None => Self::bad(reason),
        }
    }

    /// Whether it is what a store says that is asked for more than it can give.
    pub fn is_overload(&self) -> bool {
        let errors = [libc::EIO, libc::ETIMEDOUT, libc::EAGAIN, libc::EBUSY, libc::ENOMEM, libc::EREMOTEIO];
        os_error(&self.reason).is_some_and(|code| errors.contains(&code))
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
    fn trouble_of_the_store_is_unknown_and_trouble_of_the_content_is_bad() {
        for code in [libc::EIO, libc::ESTALE, libc::ETIMEDOUT, libc::EACCES, libc::ENOTCONN, libc::EMFILE, libc::ENOENT]
        {
            let error = anyhow!(io::Error::from_raw_os_error(code)).context("failed to read 16384 bytes");
            assert_eq!(Fault::of(&error).class, Class::Unknown, "{error:#}");
        }
        for text in ["failed to fill whole buffer", "proof is invalid"] {
            assert_eq!(Fault::of(&anyhow!(text)).class, Class::Bad, "{text}");
        }
    }

    #[test]
    fn a_store_that_is_overloaded_says_so() {
        assert!(Fault::of(&io::Error::from_raw_os_error(libc::EIO).into()).is_overload());
        assert!(!Fault::of(&io::Error::from_raw_os_error(libc::ENOENT).into()).is_overload());
        assert!(!Fault::unknown("not read").is_overload());
    }
}
