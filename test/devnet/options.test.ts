import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { windowPoStProofType } from '../../src/filecoin/proof-types.ts';
import { listenAddress, minerId, readSectors } from '../../src/programs/devnet/options.ts';
import { genesisMiner } from '../../src/programs/devnet/state/genesis-miner.ts';
import { numberedSectors } from './chain-under-test.ts';

async function sectorsFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devnet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'sectors.jsonl'), text);
  return join(folder, 'sectors.jsonl');
}

const line = (more: object = {}) => JSON.stringify({ sector_id: 1, comm_r: '00'.repeat(32), ...more });

test('a sector without a miner belongs to the first one', async () => {
  const path = await sectorsFile(`${line()}\n\n${line({ miner: 1002, deadline: 7 })}\n`);
  const sectors = await readSectors(path, [1001, 1002]);
  expect(sectors.get(1001)?.map(({ number }) => number)).toEqual([1]);
  expect(sectors.get(1002)?.map(({ deadline }) => deadline)).toEqual([7]);
});

test.each([
  [line({ comm_r: 'xyz' }), 'line 1: ✖ expected 64 hexadecimal digits → at comm_r'],
  ['{', 'line 1: '],
  [line({ miner: 9 }), 'line 1: miner 9 is not named with --miner'],
])('%s is refused with its line', async (text, message) => {
  await expect(readSectors(await sectorsFile(text), [1001])).rejects.toThrow(message);
});

test('options that mean nothing are refused', () => {
  expect(minerId('f01001')).toBe(1001);
  expect(() => minerId('t3abc')).toThrow('--miner t3abc');
  expect(listenAddress('[::1]:80')).toEqual({ host: '::1', port: 80 });
  expect(() => listenAddress('80')).toThrow('--listen 80');
});

test('sectors fill a deadline before the next one; too many find no room', () => {
  const init = { id: 1001, owner: 100, worker: 101, proofType: windowPoStProofType(2048), partitionsPerDeadline: 2 };
  const miner = genesisMiner({ ...init, sectors: numberedSectors(7) }, 0);
  expect(miner.deadlines.slice(0, 3).map(({ partitions }) => partitions.map(({ all }) => [...all]))).toEqual([
    [
      [0, 1],
      [2, 3],
    ],
    [[4, 5], [6]],
    [],
  ]);
  expect(() => genesisMiner({ ...init, sectors: numberedSectors(193) }, 0)).toThrow('finds no deadline');
  expect(() => genesisMiner({ ...init, sectors: [...numberedSectors(1), ...numberedSectors(1)] }, 0)).toThrow(
    'given twice',
  );
});
