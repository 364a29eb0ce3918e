use std::fmt;
use std::str::FromStr;

use filecoin_proofs_api::RegisteredPoStProof;

/// The sector sizes that have PoSt proof types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectorSize {
    KiB2,
    MiB8,
    MiB512,
    GiB32,
    GiB64,
}

impl SectorSize {
    pub const ALL: [Self; 5] = [Self::KiB2, Self::MiB8, Self::MiB512, Self::GiB32, Self::GiB64];

    pub fn bytes(self) -> u64 {
        match self {
            Self::KiB2 => 2 << 10,
            Self::MiB8 => 8 << 20,
            Self::MiB512 => 512 << 20,
            Self::GiB32 => 32 << 30,
            Self::GiB64 => 64 << 30,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::KiB2 => "2KiB",
            Self::MiB8 => "8MiB",
            Self::MiB512 => "512MiB",
            Self::GiB32 => "32GiB",
            Self::GiB64 => "64GiB",
        }
    }

    /// The proof type of network version 19 and later (`V1P1` on the chain).
    pub fn window_proof(self) -> RegisteredPoStProof {
        match self {
            Self::KiB2 => RegisteredPoStProof::StackedDrgWindow2KiBV1_2,
            Self::MiB8 => RegisteredPoStProof::StackedDrgWindow8MiBV1_2,
            Self::MiB512 => RegisteredPoStProof::StackedDrgWindow512MiBV1_2,
            Self::GiB32 => RegisteredPoStProof::StackedDrgWindow32GiBV1_2,
            Self::GiB64 => RegisteredPoStProof::StackedDrgWindow64GiBV1_2,
        }
    }

    /// The proof type before network version 19; it uses the same parameter files.
    pub fn window_proof_v1(self) -> RegisteredPoStProof {
        match self {
            Self::KiB2 => RegisteredPoStProof::StackedDrgWindow2KiBV1,
            Self::MiB8 => RegisteredPoStProof::StackedDrgWindow8MiBV1,
            Self::MiB512 => RegisteredPoStProof::StackedDrgWindow512MiBV1,
            Self::GiB32 => RegisteredPoStProof::StackedDrgWindow32GiBV1,
            Self::GiB64 => RegisteredPoStProof::StackedDrgWindow64GiBV1,
        }
    }

    pub fn winning_proof(self) -> RegisteredPoStProof {
        match self {
            Self::KiB2 => RegisteredPoStProof::StackedDrgWinning2KiBV1,
            Self::MiB8 => RegisteredPoStProof::StackedDrgWinning8MiBV1,
            Self::MiB512 => RegisteredPoStProof::StackedDrgWinning512MiBV1,
            Self::GiB32 => RegisteredPoStProof::StackedDrgWinning32GiBV1,
            Self::GiB64 => RegisteredPoStProof::StackedDrgWinning64GiBV1,
        }
    }

    /// Sectors in one proof partition; shorter ones are padded by the library.
    pub fn partition_sectors(self) -> usize {
        self.window_proof().sector_count()
    }

    /// Sizes whose parameters come from the public ceremony and cannot be made at home.
    pub fn is_official(self) -> bool {
        matches!(self, Self::GiB32 | Self::GiB64)
    }

    /// Number of `sc-02-data-tree-r-last` files: one for each base tree of the sector.
    pub fn tree_files(self) -> u64 {
        match self {
            Self::KiB2 | Self::MiB8 | Self::MiB512 => 1,
            Self::GiB32 => 8,
            Self::GiB64 => 16,
        }
    }

    /// Rows of a base tree above the leaves that are not stored (`rows_to_discard`).
    pub fn discarded_rows(self) -> u32 {
        if self == Self::KiB2 { 1 } else { 2 }
    }

    /// Leaves (32-byte nodes) under one `tree-r-last` file.
    pub fn base_tree_leaves(self) -> u64 {
        self.bytes() / 32 / self.tree_files()
    }

    /// Nodes in each stored row of a `tree-r-last` file, lowest row first, the root last.
    pub fn stored_rows(self) -> Vec<u64> {
        let mut nodes = self.base_tree_leaves() >> (3 * (self.discarded_rows() + 1));
        let mut rows = Vec::new();
        while nodes > 1 {
            rows.push(nodes);
            nodes >>= 3;
        }
        rows.push(1);
        rows
    }

    pub fn tree_file_bytes(self) -> u64 {
        self.stored_rows().iter().sum::<u64>() * 32
    }
}

impl fmt::Display for SectorSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SectorSize {
    type Err = String;

    /// Takes a name (`32GiB`) or a number of bytes (`34359738368`).
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|size| size.name().eq_ignore_ascii_case(text) || size.bytes().to_string() == text)
            .ok_or_else(|| format!("unknown sector size {text:?}; use 2KiB, 8MiB, 512MiB, 32GiB or 64GiB"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_files_have_the_sizes_found_in_real_stores() {
        let sizes = SectorSize::ALL.map(SectorSize::tree_file_bytes);
        assert_eq!(sizes, [32, 18_720, 1_198_368, 9_586_976, 9_586_976]);
    }

    #[test]
    fn a_size_is_read_from_its_name_or_bytes() {
        for size in SectorSize::ALL {
            assert_eq!(size.name().parse(), Ok(size));
            assert_eq!(size.bytes().to_string().parse(), Ok(size));
        }
        assert!("3KiB".parse::<SectorSize>().is_err_and(|text| text.contains("3KiB")));
    }
}
