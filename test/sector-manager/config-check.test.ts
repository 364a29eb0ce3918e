import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { MINER } from '../../src/programs/quickstart/scene.ts';
import { useScene } from '../e2e/use-scene.ts';
import { createTestDatabase } from '../support/database.ts';

const program = fileURLToPath(new URL('../../bin/sector-manager', import.meta.url));
const world = useScene(1);

interface Answer {
  readonly files: { readonly values: { readonly path: string; readonly [fact: string]: unknown }[] }[];
  readonly findings: { readonly check: string; readonly verdict: string; readonly text: string }[];
}

function check(home: string, ...more: string[]): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, ['--home', home, 'util', 'config', 'check', ...more], (_, out) =>
      resolve({ code: child.exitCode ?? -1, out }),
    );
  });
}

test('config check says of everything that posting needs whether it is there, and what to do', async () => {
  const { scene, daemons } = world();
  const schema = await createTestDatabase();
  const chain = new DevChain();
  const home = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
  daemons.start('chain', 'wdpost-devnet', [...home, '--block-time', '500ms'], (line) => chain.onLine(line));
  const { rpc, token, worker } = await chain.listening;
  const manager = join(scene.home, 'checked');
  await mkdir(manager);
  await writeFile(
    join(manager, 'sector-manager.cfg'),
    `[Common.API]
Chain = "${rpc}"
Token = "${token}"

[Common.Cluster]
Database = "${schema.url}"
Master = "127.0.0.1:1"

[[Common.PersistStores]]
Name = "good"
Path = "${scene.store}"

[[Common.PersistStores]]
Name = "lost"
Path = "${scene.home}/lost"

[[Miners]]
Actor = ${MINER}

[Miners.PoSt]
Sender = "${worker}"
`,
  );

  const { code, out } = await check(manager, '--json');
  const { files, findings }: Answer = JSON.parse(out);
  const values = new Map(files[0]?.values.map((value) => [value.path, value]));
  expect(values.get('Common.API.Chain')).toMatchObject({ value: rpc, from: 'file', line: 2 });
  expect(values.get('Common.API.Token')).toMatchObject({ value: 'not shown', from: 'file' });
  expect(values.get('Miners[0].PoSt.ChallengeConfidence')).toMatchObject({
    value: '0 (stands for 10)',
    from: 'default',
  });
  expect(out).not.toContain(token);
  expect(Object.fromEntries(findings.map(({ check: name, verdict }) => [name, verdict]))).toMatchObject({
    [`sender of t0${MINER}`]: 'ok',
    [`parameters of t0${MINER}`]: 'ok',
    'store good': 'ok',
    'store lost': 'fail',
    stores: 'warn',
    database: 'ok',
    master: 'fail',
    capacity: 'fail',
  });
  expect(findings.find(({ check: name }) => name === `sender of t0${MINER}`)?.text).toMatch(/and it has \d+ FIL$/);
  expect(findings.find(({ check: name }) => name === 'capacity')?.text).toContain(
    '1 partition at 30 s a proof (assumed: none was made yet): 2 GPU slots are wanted, one of them to spare; 0 ready',
  );
  expect(code).toBe(1);

  await daemons.kill('chain');
  const without = await check(manager);
  expect(without.code).toBe(1);
  expect(without.out).toMatch(/^fail +chain node +\S/m);
  expect(without.out).toMatch(/^ok +store good +\S/m);
  await schema.drop();
}, 120_000);

test('a home as daemon init leaves it is explained, and what it lacks is said below', async () => {
  const home = join(world().scene.home, 'fresh');
  await promisify(execFile)(program, ['--home', home, 'daemon', 'init']);
  const text = await check(home);
  expect(text.code).toBe(1);
  expect(text.out).toMatch(/^Common\.API\.ChainEventInterval +'1m0s' +/m);
  expect(text.out).toMatch(/^fail +configuration +\S+sector-manager\.cfg names no miner to post for: /m);
  const { out } = await check(home, '--json');
  expect(JSON.parse(out).findings).toMatchObject([{ check: 'configuration', verdict: 'fail' }]);

  const winning = '[[Miners]]\nActor = 1\n[Miners.PoSt]\nEnabled = false\n[Miners.Proof]\nEnabled = true\n';
  await writeFile(join(home, 'sector-manager.cfg'), `[Common.API]\nGateway = ["/ip4/127.0.0.1/tcp/1"]\n${winning}`);
  expect((await check(home)).out).toMatch(/^fail +gateway ws:\/\/127\.0\.0\.1:1 .*connection refused/m);
});
