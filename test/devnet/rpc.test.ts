import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { EventQueue } from '../support/event-queue.ts';
import { ChainUnderTest, OPEN } from './chain-under-test.ts';

interface Frame {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly params?: [number, { readonly Type: string; readonly Val: { readonly Height: number } }[]];
}

async function call(test: ChainUnderTest, method: string, params: readonly unknown[], token = test.devnet.adminToken) {
  const response = await fetch(`http://127.0.0.1:${test.devnet.port}/rpc/v1`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = JSON.parse(await response.text());
  return { status: response.status, result, error };
}

async function connect(test: ChainUnderTest): Promise<{ socket: WebSocket; frames: EventQueue<Frame> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${test.devnet.port}/rpc/v1`, {
    headers: { authorization: `Bearer ${test.devnet.adminToken}` },
  });
  const frames = new EventQueue<Frame>();
  socket.on('message', (data) => frames.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  onTestFinished(() => socket.terminate());
  return { socket, frames };
}

const send = (socket: WebSocket, message: object): void => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));

const changes = (frame: Frame): string[] => (frame.params?.[1] ?? []).map(({ Type, Val }) => `${Type} ${Val.Height}`);

test('two subscriptions of a connection see each head, and end each by its request', async () => {
  const test = await ChainUnderTest.start(20);
  const { socket, frames } = await connect(test);
  send(socket, { id: 7, method: 'Filecoin.ChainNotify', params: [] });
  expect(await frames.next()).toMatchObject({ id: 7, result: 1 });
  expect(changes(await frames.next())).toEqual(['current 20']);
  send(socket, { id: 8, method: 'Filecoin.ChainNotify', params: [] });
  expect(await frames.next()).toMatchObject({ id: 8, result: 2 });
  expect(changes(await frames.next())).toEqual(['current 20']);

  await test.chain.mine();
  const seen = [await frames.next(), await frames.next()];
  expect(seen.map((frame) => [frame.params?.[0], ...changes(frame)])).toEqual([
    [1, 'apply 21'],
    [2, 'apply 21'],
  ]);

  send(socket, { method: 'xrpc.cancel', params: [7] });
  expect(await frames.next()).toMatchObject({ method: 'xrpc.ch.close', params: [1] });
  await test.chain.reorg(1, false);
  const last = await frames.next();
  expect([last.params?.[0], ...changes(last)]).toEqual([2, 'revert 21', 'apply 21', 'apply 22']);
});

test('the chain is led by calls that need the admin token', async () => {
  const test = await ChainUnderTest.start(20);
  const { result: token } = await call(test, 'Filecoin.AuthNew', [['read', 'write', 'sign']]);
  const refused = await call(test, 'Devnet.Mine', [1], Buffer.from(token, 'base64').toString());
  expect(refused.error.message).toBe("missing permission to invoke 'Mine' (need 'admin')");
  expect((await call(test, 'Devnet.Mine', [5])).result).toBe(25);
  expect((await call(test, 'Devnet.NullRounds', [3])).result).toBe(29);
  expect((await call(test, 'Devnet.AddBlock', [])).result).toBe(29);
  expect((await call(test, 'Devnet.Rewind', [2])).result).toBe(24);
  expect((await call(test, 'Devnet.Verdict', [])).result).toEqual({
    ok: true,
    verified: 0,
    disputed: 0,
    missed: 0,
    unverified: 0,
  });
});

test('a waiting call is answered when its message has the confidence', async () => {
  const test = await ChainUnderTest.start(OPEN);
  const cid = { '/': test.submit(0) };
  const waiting = call(test, 'Filecoin.StateWaitMsg', [cid, 2, -1, true]);
  expect((await call(test, 'Devnet.Mine', [4])).result).toBe(OPEN + 4);
  expect((await waiting).result).toMatchObject({ Message: cid, Receipt: { ExitCode: 0 }, Height: OPEN + 2 });
});

test('two pushes at once get two nonces; both land', async () => {
  const test = await ChainUnderTest.start(20);
  const message = {
    Version: 0,
    To: test.worker,
    From: test.worker,
    Nonce: 0,
    Value: '1',
    GasLimit: 0,
    GasFeeCap: '0',
    GasPremium: '0',
    Method: 0,
    Params: '',
  };
  const pushed = await Promise.all([1, 2].map(() => call(test, 'Filecoin.MpoolPushMessage', [message, null])));
  expect(pushed.map(({ result }) => result.Message.Nonce).sort()).toEqual([0, 1]);
  await test.chain.mine();
  expect(test.chain.head.messages).toHaveLength(2);
});

test('an older tipset answers from its own state', async () => {
  const test = await ChainUnderTest.start(OPEN);
  const key = test.chain.head.key.map((cid) => ({ '/': cid }));
  await test.land(test.submit(0, { skipped: [1] }));
  const faults = async (at: unknown) => (await call(test, 'Filecoin.StateMinerFaults', ['t01001', at])).result;
  expect(await faults(null)).toEqual([1, 1]);
  expect(await faults(key)).toEqual([0]);
});

test('a message signed by somebody else is refused', async () => {
  const test = await ChainUnderTest.start(20);
  const { wallet } = test.devnet.node;
  const stranger = (await call(test, 'Filecoin.WalletDefaultAddress', [])).result;
  const message = {
    Version: 0,
    To: 't01001',
    From: test.worker,
    Nonce: 0,
    Value: '0',
    GasLimit: 5_000_000,
    GasFeeCap: '200',
    GasPremium: '100',
    Method: 0,
    Params: '',
  };
  const signed = (await call(test, 'Filecoin.WalletSignMessage', [stranger, message])).result;
  expect((await call(test, 'Filecoin.MpoolPush', [signed])).error.message).toContain('signature did not match');
  const own = (await call(test, 'Filecoin.WalletSignMessage', [test.worker, message])).result;
  expect((await call(test, 'Filecoin.MpoolPush', [own])).result).toEqual(own.CID);
  expect(wallet.addresses()).toHaveLength(3);
});

test('a BLS wallet key signs messages that the chain takes', async () => {
  const test = await ChainUnderTest.start(20);
  const owner = (await call(test, 'Filecoin.WalletList', [])).result.find((address: string) =>
    address.startsWith('t3'),
  );
  const message = {
    Version: 0,
    To: test.worker,
    From: owner,
    Nonce: 0,
    Value: '1',
    GasLimit: 0,
    GasFeeCap: '0',
    GasPremium: '0',
    Method: 0,
    Params: '',
  };
  const { result } = await call(test, 'Filecoin.MpoolPushMessage', [message, null]);
  expect(result.Signature.Type).toBe(2);
  expect(result.CID).toEqual(result.Message.CID);
  await test.chain.mine();
  expect(test.chain.head.messages.map(({ cid }) => ({ '/': cid }))).toEqual([result.CID]);
});
