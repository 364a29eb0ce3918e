import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { formatAddress } from '../../src/filecoin/address.ts';
import { sendingInit } from '../../src/programs/sector-manager/sending-init.ts';

async function read({ api = '', post = '' }) {
  const folder = await mkdtemp(join(tmpdir(), 'sending-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'sector-manager.cfg');
  await writeFile(
    file,
    `[Common.API]\n${api}\n[[Miners]]\nActor = 1000\n[Miners.PoSt]\nSender = ["t0100", "t0101"]\n${post}\n` +
      '[Miners.Commitment.Pre]\nSender = "t0101"\n',
  );
  const { config } = await loadManagerConfig(file);
  return sendingInit({ clock: systemClock }, config, 'cfg');
}

it.each([
  ['', 'own'],
  ['Messager = "/ip4/127.0.0.1/tcp/39812"', 'messager'],
  ['Messager = "/ip4/127.0.0.1/tcp/39812"\nCarrier = "own"', 'own'],
  ['Carrier = "node"', 'node'],
])('%j lets the nonces be given by %s', async (api, kind) => {
  expect((await read({ api })).carrier.kind).toBe(kind);
});

it('a messager that is wanted and not named is an error that says what to do', async () => {
  await expect(read({ api: 'Carrier = "messager"' })).rejects.toMatchObject({
    code: 'no-messager',
    message: expect.stringContaining('set Messager'),
  });
});

it('a word that is no carrier is refused', async () => {
  await expect(read({ api: 'Carrier = "pigeon"' })).rejects.toMatchObject({ code: 'bad-config' });
});

it('a miner has its senders, those of its sealing, and its fees', async () => {
  const [miner] = (await read({})).miners;
  expect(miner?.senders.map((sender) => formatAddress(sender))).toEqual(['t0100', 't0101']);
  expect(miner?.sealingSenders.map((sender) => formatAddress(sender))).toEqual(['t0101']);
  expect(miner?.fees).toEqual({
    gasOverEstimation: 1.2,
    gasOverPremium: 0,
    gasFeeCap: 5_000_000_000n,
    maxRecoveryFee: 5n * 10n ** 18n,
  });
});

it('MaxFeeCap counts where GasFeeCap is 0', async () => {
  const capOf = async (post: string) => (await read({ post })).miners[0]?.fees.gasFeeCap;
  expect(await capOf('MaxFeeCap = "7 nanoFIL"')).toBe(5_000_000_000n);
  expect(await capOf('GasFeeCap = 0\nMaxFeeCap = "7 nanoFIL"')).toBe(7_000_000_000n);
  expect(await capOf('GasFeeCap = 0')).toBe(0n);
});
