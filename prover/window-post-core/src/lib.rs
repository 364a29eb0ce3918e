//! What `window-post-prover` and `prover-tools` share.
//!
//! Everything here that is generic over the tree shape is instantiated here, behind plain functions, so that the two
//! binaries rebuild in seconds.

mod commitment;
mod parameter_files;
mod parameter_layout;
mod partition;
mod post;
mod sector_files;
mod sector_size;
mod zero_replica;

pub use commitment::{Node, comm_r_of, hash_children, p_aux_comm_r};
pub use parameter_files::{ParameterFiles, parameter_dir};
pub use parameter_layout::{params_layout, vk_bytes};
pub use partition::{challenges, check_partition, prover_id};
pub use post::Post;
pub use sector_files::{SectorFiles, T_AUX};
pub use sector_size::SectorSize;
pub use zero_replica::ZeroReplica;
