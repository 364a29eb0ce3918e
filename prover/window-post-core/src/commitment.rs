use anyhow::{Result, ensure};
use blstrs::Scalar;
use filecoin_hashers::poseidon::{PoseidonDomain, PoseidonFunction};
use filecoin_hashers::{Domain, HashFunction};
use merkletree::hash::Algorithm;

/// One node of a Poseidon tree: a field element, 32 bytes little-endian.
pub type Node = [u8; 32];

/// Poseidon of the children, for the arities of the sector trees (2 and 8).
pub fn hash_children(children: &[Node]) -> Result<Node> {
    let children = children.iter().map(|node| domain(node)).collect::<Result<Vec<_>>>()?;
    node_of(PoseidonFunction::default().multi_node(&children, 0))
}

/// comm_r = Poseidon(comm_c, comm_r_last).
pub fn comm_r_of(comm_c: &Node, comm_r_last: &Node) -> Result<Node> {
    node_of(PoseidonFunction::hash2(&domain(comm_c)?, &domain(comm_r_last)?))
}

/// comm_r as the content of a `p_aux` file gives it.
pub fn p_aux_comm_r(p_aux: &[u8]) -> Result<Node> {
    ensure!(p_aux.len() == 64, "p_aux holds {} bytes instead of 64", p_aux.len());
    let (comm_c, comm_r_last) = p_aux.split_at(32);
    comm_r_of(comm_c.try_into()?, comm_r_last.try_into()?)
}

/// The library panics on a node above the field modulus.
fn domain(node: &[u8]) -> Result<PoseidonDomain> {
    let scalar = Scalar::from_bytes_le(node.try_into()?);
    ensure!(bool::from(scalar.is_some()), "a node is not a field element");
    PoseidonDomain::try_from_bytes(node)
}

fn node_of(domain: PoseidonDomain) -> Result<Node> {
    let mut node = [0; 32];
    domain.write_bytes(&mut node)?;
    Ok(node)
}
