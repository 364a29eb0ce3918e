import type { Clock } from '../clock/clock.ts';
import { formatAddress, sameAddress } from '../filecoin/address.ts';
import { messageToJson, signedMessageToJson } from '../filecoin/message-json.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Chain } from './chain.ts';
import { headStream } from './head-stream.ts';
import { LotusClient } from './lotus-client.ts';
import { socketUrl } from './socket-url.ts';
import type { TipSetKey } from './tipset.ts';

export interface ChainInit {
  /** `ws(s)://…` or `http(s)://…`. */
  readonly url: string;
  readonly token?: string | undefined;
}

/**
 * A Lotus-compatible node over WebSocket (JSON-RPC v1). Returns at once; the connection is made and kept in the background.
 */
export function connectChain(components: { readonly clock: Clock; readonly logger: Logger }, init: ChainInit): Chain {
  const client = new LotusClient(components, { url: socketUrl(init.url), token: init.token });
  // Every parameter is given: Lotus refuses a call with fewer than the method has.
  return {
    head: () => client.call('ChainHead', []),
    tipSetByHeight: (height, key) => client.call('ChainGetTipSetByHeight', [height, tsk(key)]),
    heads: (signal) => headStream(components, client, signal),

    networkName: () => client.call('StateNetworkName', []),
    networkVersion: (key) => client.call('StateNetworkVersion', [tsk(key)]),

    minerInfo: (miner, key) => client.call('StateMinerInfo', [formatAddress(miner), tsk(key)]),
    provingDeadline: (miner, key) => client.call('StateMinerProvingDeadline', [formatAddress(miner), tsk(key)]),
    deadlines: (miner, key) => client.call('StateMinerDeadlines', [formatAddress(miner), tsk(key)]),
    partitions: (miner, deadline, key) =>
      client.call('StateMinerPartitions', [formatAddress(miner), deadline, tsk(key)]),
    sectors: (miner, numbers, key) =>
      client.call('StateMinerSectors', [formatAddress(miner), numbers?.toJsonRuns() ?? null, tsk(key)]),

    beaconRandomness: (tag, epoch, entropy, key) =>
      client.call('StateGetRandomnessFromBeacon', [tag, epoch, base64(entropy), tsk(key)]),
    ticketRandomness: (tag, epoch, entropy, key) =>
      client.call('StateGetRandomnessFromTickets', [tag, epoch, entropy && base64(entropy), tsk(key)]),

    lookupId: (address, key) => client.call('StateLookupID', [formatAddress(address), tsk(key)]),
    accountKey: (address, key) => client.call('StateAccountKey', [formatAddress(address), tsk(key)]),
    actorNonce: async (address, key) => (await client.call('StateGetActor', [formatAddress(address), tsk(key)])).Nonce,

    walletHas: (address) => client.call('WalletHas', [formatAddress(address)]),
    walletSignMessage: (signer, message) =>
      client.call('WalletSignMessage', [formatAddress(signer), messageToJson(message)]),

    estimateGas: (message, { maxFee }, key) =>
      client.call('GasEstimateMessageGas', [messageToJson(message), { MaxFee: maxFee.toString() }, tsk(key)]),
    nonce: (address) => client.call('MpoolGetNonce', [formatAddress(address)]),
    pending: async (sender) =>
      (await client.call('MpoolPending', [tsk([])])).filter(({ message }) => sameAddress(message.from, sender)),
    push: (message) => client.call('MpoolPush', [signedMessageToJson(message)]),
    searchMessage: (cid, { from, lookback, allowReplaced }) =>
      client.call('StateSearchMsg', [tsk(from ?? []), { '/': cid.toString() }, lookback, allowReplaced]),

    close: () => client.close(),
  };
}

function tsk(key: TipSetKey): { readonly '/': string }[] {
  return key.map((cid) => ({ '/': cid }));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
