use anyhow::Result;
use filecoin_proofs::parameters::{window_post_public_params, winning_post_public_params};
use filecoin_proofs::{PoStConfig, with_shape};
use filecoin_proofs_api::MerkleTreeTrait;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_core::parameter_cache::CacheableParameters;
use storage_proofs_post::fallback::{FallbackPoSt, FallbackPoStCircuit, FallbackPoStCompound};
use window_post_core::{Post, SectorSize};

/// Writes the three files of a proof and size into the library's parameter directory: the same bytes for the same seed.
///
/// The secret of such a set-up is public: whoever knows it can forge proofs, which is fine on a test network.
pub fn generate(post: Post, size: SectorSize, seed: u64) -> Result<()> {
    with_shape!(size.bytes(), write, post, &post.proof(size).as_v1_config(), seed,)
}

fn write<Tree: 'static + MerkleTreeTrait>(post: Post, config: &PoStConfig, seed: u64) -> Result<()> {
    type Compound<Tree> = FallbackPoStCompound<Tree>;
    let public = match post {
        Post::Window => window_post_public_params::<Tree>(config)?,
        Post::Winning => winning_post_public_params::<Tree>(config)?,
    };
    let circuit =
        <Compound<Tree> as CompoundProof<FallbackPoSt<'_, Tree>, FallbackPoStCircuit<Tree>>>::blank_circuit(&public);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Compound::<Tree>::get_param_metadata(circuit.clone(), &public)?;
    Compound::<Tree>::get_groth_params(Some(&mut rng), circuit.clone(), &public)?;
    Compound::<Tree>::get_verifying_key(Some(&mut rng), circuit, &public)?;
    Ok(())
}
