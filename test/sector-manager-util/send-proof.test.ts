import { expect, test } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { newDeadline } from '../../src/filecoin/deadline.ts';
import type { SignedMessage } from '../../src/filecoin/message.ts';
import type { PartitionScope } from '../../src/programs/sector-manager/util/proving/partition-scope.ts';
import { sendProof } from '../../src/programs/sector-manager/util/proving/send-proof.ts';
import type { Sender } from '../../src/programs/sector-manager/util/proving/sender.ts';
import { silentLogger } from '../support/silent-logger.ts';

const deadline = newDeadline(0, 5, 290);
const away = new CodedError('chain-unavailable', 'the node is away');

/** @param calls what the node answers to the pushes, in their order; after the last one the message is on the chain */
function send(calls: readonly (Error | 'pushed')[], posted: readonly number[] = []) {
  const uuids: string[] = [];
  const heads = async function* () {
    for (let height = deadline.open - 1; height <= deadline.close; height++) {
      yield [{ type: 'apply', tipSet: { key: [`${height}`], height, minTimestamp: height } }];
    }
  };
  const chain = {
    heads,
    ticketRandomness: async () => new Uint8Array(32),
    accountKey: async () => idAddress(100),
    deadlines: async () => Array(48).fill({ postSubmissions: Bitfield.of(posted), disputableProofCount: 0 }),
    searchMessage: async (cid) => ({ cid, height: 1, exitCode: 0, gasUsed: 1, tipSet: [] }),
    pushUnsigned: async (message, { uuid }): Promise<SignedMessage> => {
      uuids.push(uuid);
      const answer = calls[uuids.length - 1] ?? away;
      if (answer !== 'pushed') throw answer;
      return { message, signature: { type: 'bls', data: new Uint8Array(96) } };
    },
  } as Partial<{ [K in keyof Chain]: (...args: Parameters<Chain[K]>) => unknown }>;
  const scope = { chain, address: idAddress(1001), deadline, partition: 0, proofType: 10 } as unknown as PartitionScope;
  const sender = { address: idAddress(100), settings: { maxFee: 7n } } as unknown as Sender;
  const proof = { bytes: new Uint8Array(192), skipped: Bitfield.empty };
  const sent = sendProof({ logger: silentLogger }, scope, proof, sender, new AbortController().signal);
  return { sent, uuids };
}

test('what the node does not do is asked again with the next head, and never makes a second message', async () => {
  const { sent, uuids } = send([away, new CodedError('chain-error', 'estimating gas failed'), 'pushed']);
  await expect(sent).resolves.toMatchObject({ landed: { exitCode: 0 } });
  expect(uuids).toHaveLength(3);
  expect(new Set(uuids).size).toBe(1);
});

test('at Close it is over, and the last refusal is told', async () => {
  await expect(send([]).sent).rejects.toMatchObject({
    code: 'too-late',
    message: expect.stringContaining('node is away'),
  });
});

test('nobody insists on what is proven already', async () => {
  const { sent, uuids } = send([away, away], [0]);
  await expect(sent).rejects.toMatchObject({ code: 'already-proven' });
  expect(uuids).toHaveLength(1);
});
