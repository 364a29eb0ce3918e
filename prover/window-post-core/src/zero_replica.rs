use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Node, SectorSize, hash_children};
use anyhow::Result;

/// The trees of an all-zero replica, in which every node of a row is the same, so that a sector of any size can be
/// written in a fraction of a second.
pub struct ZeroReplica {
    size: SectorSize,
    /// One node for each stored row of a `tree-r-last` file, the root last.
    rows: Vec<Node>,
    pub comm_r_last: Node,
}

impl ZeroReplica {
    pub fn new(size: SectorSize) -> Result<Self> {
        let levels = size.base_tree_leaves().ilog2() / 3;
        let mut values = vec![[0; 32]];
        for _ in 0..levels {
            let children = [values[values.len() - 1]; 8];
            values.push(hash_children(&children)?);
        }
        let rows = values.split_off(values.len() - size.stored_rows().len());
        // Base trees are joined by eight, and for 64GiB the two results by two.
        let mut comm_r_last = rows[rows.len() - 1];
        let mut trees = size.tree_files();
        while trees > 1 {
            let arity = trees.min(8);
            comm_r_last = hash_children(&vec![comm_r_last; arity as usize])?;
            trees /= arity;
        }
        Ok(Self { size, rows, comm_r_last })
    }

    pub fn write_tree(&self, path: &Path) -> Result<()> {
        let mut file = BufWriter::new(File::create_new(path)?);
        for (value, nodes) in self.rows.iter().zip(self.size.stored_rows()) {
            for _ in 0..nodes {
                file.write_all(value)?;
            }
        }
        file.flush()?;
        Ok(())
    }

    /// A sparse file: it takes no space.
    pub fn write_sealed(&self, path: &Path) -> Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.set_len(self.size.bytes())?;
        Ok(())
    }
}
