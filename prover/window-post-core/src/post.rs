use std::fmt;

use filecoin_proofs_api::RegisteredPoStProof;

use crate::SectorSize;

/// The two proofs of spacetime; each has circuits, and so parameters, of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Post {
    Window,
    Winning,
}

impl Post {
    /// The proof type by which its parameter files are named; all types of a size share them.
    pub fn proof(self, size: SectorSize) -> RegisteredPoStProof {
        match self {
            Self::Window => size.window_proof(),
            Self::Winning => size.winning_proof(),
        }
    }
}

impl fmt::Display for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Window => "window",
            Self::Winning => "winning",
        })
    }
}
