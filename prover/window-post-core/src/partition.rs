use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use filecoin_hashers::{Domain, Hasher};
use filecoin_proofs::parameters::window_post_public_params;
use filecoin_proofs::{single_partition_vanilla_proofs, with_shape};
use filecoin_proofs_api::post::generate_fallback_sector_challenges;
use filecoin_proofs_api::{
    ChallengeSeed, FallbackPoStSectorProof, MerkleTreeTrait, ProverId, RegisteredPoStProof, SectorId,
};
use storage_proofs_post::fallback::{PublicInputs, PublicSector};

/// The prover id of a miner: its actor id as LEB128, padded with zeros.
pub fn prover_id(miner: u64) -> ProverId {
    let mut id = [0; 32];
    let mut rest = miner;
    for byte in &mut id {
        *byte = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            break;
        }
        *byte |= 0x80;
    }
    id
}

/// The challenged leaves of each sector (ten each). For proof types before V1_2 they depend on a sector's position, so
/// all sectors of the proof must be given, ascending.
pub fn challenges(
    proof: RegisteredPoStProof,
    randomness: &ChallengeSeed,
    sectors: &[u64],
    prover_id: ProverId,
) -> Result<BTreeMap<u64, Vec<u64>>> {
    let ids: Vec<SectorId> = sectors.iter().copied().map(SectorId::from).collect();
    let challenges = generate_fallback_sector_challenges(proof, randomness, &ids, prover_id)?;
    Ok(challenges.into_iter().map(|(id, leaves)| (id.into(), leaves)).collect())
}

/// Everything the library checks before it starts the SNARK of one partition: that the vanilla proofs fit the
/// randomness, the sectors' comm_r and each other. `vanilla` holds at most one partition, ascending by sector.
pub fn check_partition(
    proof: RegisteredPoStProof,
    randomness: &ChallengeSeed,
    prover_id: ProverId,
    vanilla: &[Vec<u8>],
    partition_index: usize,
) -> Result<()> {
    ensure!(!vanilla.is_empty(), "a partition without sectors");
    with_shape!(u64::from(proof.sector_size()), check_shape, proof, randomness, prover_id, vanilla, partition_index,)
}

fn check_shape<Tree: 'static + MerkleTreeTrait>(
    proof: RegisteredPoStProof,
    randomness: &ChallengeSeed,
    prover_id: ProverId,
    vanilla: &[Vec<u8>],
    partition_index: usize,
) -> Result<()> {
    type Node<Tree> = <<Tree as MerkleTreeTrait>::Hasher as Hasher>::Domain;
    let proofs = vanilla
        .iter()
        .map(|bytes| Ok(bincode::deserialize::<FallbackPoStSectorProof<Tree>>(bytes)?))
        .collect::<Result<Vec<_>>>()?;
    let config = proof.as_v1_config();
    let inputs = PublicInputs {
        randomness: Node::<Tree>::try_from_bytes(randomness)?,
        prover_id: Node::<Tree>::try_from_bytes(&prover_id)?,
        sectors: proofs.iter().map(|proof| PublicSector { id: proof.sector_id, comm_r: proof.comm_r }).collect(),
        k: Some(partition_index),
    };
    single_partition_vanilla_proofs::<Tree>(&config, &window_post_public_params::<Tree>(&config)?, &inputs, &proofs)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::prover_id;

    #[test]
    fn a_prover_id_is_the_actor_id_as_leb128() {
        assert_eq!(prover_id(1000)[..3], [0xe8, 0x07, 0]);
        assert_eq!(prover_id(0), [0; 32]);
        assert_eq!(prover_id(u64::MAX)[..10], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    }
}
