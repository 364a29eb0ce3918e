import type { Clock } from '../../clock/clock.ts';
import type { Verifier } from '../../ext-processor/verifier.ts';
import { formatAddress } from '../../filecoin/address.ts';
import { windowPoStProofType } from '../../filecoin/proof-types.ts';
import type { SectorSize } from '../../filecoin/sector-size.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Chain } from './chain/chain.ts';
import { derive } from './chain/entropy.ts';
import { Control, type ControlInit } from './control.ts';
import { Disputer } from './disputer.ts';
import type { DevnetEvent } from './events.ts';
import type { Node } from './node.ts';
import { permissions, Tokens } from './rpc/permissions.ts';
import { type DevnetServer, startServer } from './rpc/server.ts';
import type { Account } from './state/chain-state.ts';
import { type GenesisSector, genesisMiner } from './state/genesis-miner.ts';
import { Wallet } from './wallet.ts';

export interface DevnetInit extends ControlInit {
  /** Decides keys, tokens and all randomness. */
  readonly seed: string;
  readonly sectorSize: SectorSize;
  /** Sectors by miner. */
  readonly miners: ReadonlyMap<number, readonly GenesisSector[]>;
  readonly partitionsPerDeadline: number;
  readonly startEpoch: number;
  readonly listen: { readonly host: string; readonly port: number };
}

/** A running development chain. */
export interface Devnet {
  readonly node: Node;
  readonly disputer: Disputer;
  readonly port: number;
  readonly adminToken: string;
  /** Key addresses of the miners' workers, by miner. */
  readonly workers: ReadonlyMap<number, string>;
  close(): Promise<void>;
}

const NETWORK = 'wdpost-devnet';
/** attoFIL: 50 million FIL for everybody. */
const BALANCE = 50_000_000n * 10n ** 18n;
/** Ids below belong to the system's actors on a real chain. */
const FIRST_ACCOUNT = 100;

export async function startDevnet(
  components: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly verifier: Pick<Verifier, 'verify'>;
    readonly emit: (event: DevnetEvent) => void;
  },
  init: DevnetInit,
): Promise<Devnet> {
  const { clock, logger } = components;
  const wallet = new Wallet(init.seed);
  const accounts = new Map<number, Account>();
  const createAccount = (type: 'secp256k1' | 'bls', name: string): Account => {
    const account = { id: FIRST_ACCOUNT + accounts.size, key: wallet.create(type, name), nonce: 0, balance: BALANCE };
    accounts.set(account.id, account);
    return account;
  };
  const disputerAccount = createAccount('secp256k1', 'disputer');
  const workers = new Map<number, string>();
  const miners = [...init.miners].map(([id, sectors]) => {
    const owner = createAccount('bls', `owner ${id}`);
    const worker = createAccount('secp256k1', `worker ${id}`);
    workers.set(id, formatAddress(worker.key));
    const { partitionsPerDeadline, sectorSize, startEpoch } = init;
    const proofType = windowPoStProofType(sectorSize);
    return genesisMiner(
      { id, owner: owner.id, worker: worker.id, proofType, sectors, partitionsPerDeadline },
      startEpoch,
    );
  });

  const blockDelay = Math.max(1, Math.ceil(init.blockTimeMs / 1000));
  const chain = new Chain(components, {
    seed: init.seed,
    genesis: { accounts, miners: new Map(miners.map((miner) => [miner.id, miner])) },
    startEpoch: init.startEpoch,
    blockDelay,
    timestamp: Math.floor(clock.now() / 1000) - init.startEpoch * blockDelay,
  });
  const disputer = new Disputer({ chain, wallet, logger, emit: components.emit }, disputerAccount.key);
  const control = new Control({ clock, chain, disputer }, init);
  const tokens = new Tokens(derive(32, init.seed, 'token secret'));
  const node: Node = { chain, wallet, tokens, control, networkName: NETWORK };
  const server: DevnetServer = await startServer({ node, logger }, init.listen);

  const ending = new AbortController();
  const mining = control.run(ending.signal);
  return {
    node,
    disputer,
    port: server.port,
    adminToken: tokens.issue(permissions),
    workers,
    async close() {
      ending.abort();
      await mining;
      await server.close();
    },
  };
}
