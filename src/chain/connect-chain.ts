import type { Clock } from '../clock/clock.ts';
import { formatAddress, sameAddress } from '../filecoin/address.ts';
import { messageToJson, signedMessageToJson } from '../filecoin/message-json.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Chain } from './chain.ts';
import { ChainNodes } from './chain-nodes.ts';
import type { NodeHealth } from './node-health.ts';
import { socketUrl } from './socket-url.ts';
import type { TipSetKey } from './tipset.ts';

export interface ChainInit {
  /** `ws(s)://…` or `http(s)://…`. */
  readonly url: string;
  readonly token?: string | undefined;
}

/** Where heads stay away for so long the node is asked. */
const SILENCE_MS = 60_000;

/** Chain nodes that serve as one. */
export interface ConnectedChain extends Chain {
  /** The CID of the genesis block. */
  genesis(): Promise<string>;
  /** From now on nodes with another genesis block are not used; before, the first one that was reached tells the network. */
  pin(genesis: string): void;
  health(): NodeHealth[];
}

/**
 * Lotus-compatible nodes over WebSocket (JSON-RPC v1), in order of preference: one is used and the others stand by. Returns at
 * once; the connections are made and kept in the background.
 */
export function connectChain(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: ChainInit | readonly ChainInit[],
  { silenceMs = SILENCE_MS }: { readonly silenceMs?: number } = {},
): ConnectedChain {
  const nodes = [init].flat().map(({ url, token }) => ({ url: socketUrl(url), token }));
  const chain = new ChainNodes(components, { nodes, silenceMs });
  // Every parameter is given: Lotus refuses a call with fewer than the method has.
  return {
    head: () => chain.read('ChainHead', []),
    tipSetByHeight: (height, key) => chain.read('ChainGetTipSetByHeight', [height, tsk(key)]),
    heads: (signal) => chain.heads(signal),

    networkName: () => chain.read('StateNetworkName', []),
    networkVersion: (key) => chain.read('StateNetworkVersion', [tsk(key)]),

    minerInfo: (miner, key) => chain.read('StateMinerInfo', [formatAddress(miner), tsk(key)]),
    minerAvailableBalance: (miner, key) => chain.read('StateMinerAvailableBalance', [formatAddress(miner), tsk(key)]),
    provingDeadline: (miner, key) => chain.read('StateMinerProvingDeadline', [formatAddress(miner), tsk(key)]),
    deadlines: (miner, key) => chain.read('StateMinerDeadlines', [formatAddress(miner), tsk(key)]),
    partitions: (miner, deadline, key) =>
      chain.read('StateMinerPartitions', [formatAddress(miner), deadline, tsk(key)]),
    sectors: (miner, numbers, key) =>
      chain.read('StateMinerSectors', [formatAddress(miner), numbers?.toJsonRuns() ?? null, tsk(key)]),

    beaconRandomness: (tag, epoch, entropy, key) =>
      chain.read('StateGetRandomnessFromBeacon', [tag, epoch, base64(entropy), tsk(key)]),
    ticketRandomness: (tag, epoch, entropy, key) =>
      chain.read('StateGetRandomnessFromTickets', [tag, epoch, entropy && base64(entropy), tsk(key)]),

    lookupId: (address, key) => chain.read('StateLookupID', [formatAddress(address), tsk(key)]),
    accountKey: (address, key) => chain.read('StateAccountKey', [formatAddress(address), tsk(key)]),
    actorNonce: async (address, key) => (await chain.read('StateGetActor', [formatAddress(address), tsk(key)])).Nonce,

    actorBalance: async (address, key) =>
      (await chain.read('StateGetActor', [formatAddress(address), tsk(key)])).Balance,

    walletHas: (address) => chain.first('WalletHas', [formatAddress(address)], (has) => has),
    walletSignMessage: (signer, message) =>
      chain.first('WalletSignMessage', [formatAddress(signer), messageToJson(message)]),

    estimateGasLimit: (message, key) => chain.read('GasEstimateGasLimit', [messageToJson(message), tsk(key)]),
    estimateGas: (message, { maxFee }, key) =>
      chain.read('GasEstimateMessageGas', [messageToJson(message), { MaxFee: maxFee.toString() }, tsk(key)]),
    nonce: (address) => chain.read('MpoolGetNonce', [formatAddress(address)]),
    pending: async (sender) =>
      (await chain.read('MpoolPending', [tsk([])])).filter(({ message }) => sameAddress(message.from, sender)),
    push: (message) => chain.write('MpoolPush', [signedMessageToJson(message)]),
    pushUnsigned: (message, { uuid, maxFee }) =>
      chain.once('MpoolPushMessage', [messageToJson(message), { MaxFee: maxFee.toString(), MsgUuid: uuid }]),
    sentMessages: async ({ from, to }, key, fromHeight) => {
      const match = { From: formatAddress(from), To: formatAddress(to) };
      const cids = await chain.read('StateListMessages', [match, tsk(key), fromHeight]);
      return await Promise.all(
        cids.map(async (cid) => ({
          cid,
          message: await chain.read('ChainGetMessage', [{ '/': cid.toString() }]),
        })),
      );
    },
    searchMessage: (cid, { from, lookback, allowReplaced }) =>
      chain.read('StateSearchMsg', [tsk(from ?? []), { '/': cid.toString() }, lookback, allowReplaced]),

    close: () => chain.close(),
    genesis: async () => (await chain.read('ChainGetGenesis', [])).key.join(),
    pin: (genesis) => chain.pin(genesis),
    health: () => chain.health(),
  };
}

function tsk(key: TipSetKey): { readonly '/': string }[] {
  return key.map((cid) => ({ '/': cid }));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
