import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLotusRpc } from './check-lotus-rpc.ts';

const data = join(import.meta.dirname, 'data', 'lotus-rpc');

/** One value of a recorded exchange changed. */
async function failureOf(
  name: string,
  path: readonly (string | number)[],
  value: unknown,
): Promise<string | undefined> {
  const json: Record<string, unknown> = JSON.parse(await readFile(join(data, `${name}.json`), 'utf8'));
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), json);
  Reflect.set(Object(parent), path.at(-1) ?? '', value);
  const [result] = await checkLotusRpc([{ file: name, json }]);
  return result?.failure;
}

test.each([
  ['state-miner-info', ['response', 'result', 'ControlAddresses'], 7],
  ['state-miner-info', ['response', 'result', 'Worker'], 'somebody'],
  ['state-miner-info', ['response', 'result', 'Extra'], 1],
  ['state-miner-partitions-none', ['response', 'result'], []],
  ['state-miner-partitions-recovering', ['response', 'result', 0, 'ActiveSectors'], [2, 1]],
  ['state-miner-deadlines-posted', ['response', 'result', 0, 'DisputableProofCount'], 1],
  ['error-submit-wrong-deadline', ['response', 'error', 'message'], 'invalid deadline'],
  ['error-submit-wrong-deadline', ['response', 'error', 'code'], 1],
  ['error-submit-wrong-deadline', ['response', 'error', 'data'], null],
  ['error-method-not-found', ['httpStatus'], 200],
  ['auth-wrong-token', ['authorization'], 'read'],
  ['auth-wrong-token-websocket', ['httpStatus'], 403],
  ['state-wait-msg-exit-16', ['response', 'result', 'Receipt', 'Return'], 'AA=='],
  ['protocol-string-id', ['response', 'id'], 'abcd'],
  ['chain-notify-frames', ['frames', 2, 'data', 'params', 1, 0, 'Type'], 'apply'],
  ['chain-notify-frames', ['frames', 7, 'data', 'method'], 'xrpc.ch.val'],
])('%s with another %s is noticed', async (name, path, value) => {
  expect(await failureOf(name, path, value)).toBeDefined();
});
