/** What the chain needs of the prover: whether a window PoSt holds. */
export interface Verifier {
  verify(proof: {
    readonly minerId: number;
    /** The proofs library's name of the proof type. */
    readonly proofType: string;
    readonly seed: Uint8Array;
    readonly sectors: readonly { readonly sectorId: number; readonly commR: Uint8Array }[];
    readonly proof: Uint8Array;
  }): Promise<{ readonly valid: boolean; readonly reason: string | null }>;
}
