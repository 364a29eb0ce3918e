import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { proofSeed } from '../../src/filecoin/randomness.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { MINER, type Scene } from '../../src/programs/quickstart/scene.ts';
import { createWinningProver } from '../../src/winning/winning-prover.ts';
import { useScene } from '../e2e/use-scene.ts';
import { proverEnv } from '../ext-processor/real-prover.ts';
import { createTestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { GatewayStandIn, proofsOf } from './gateway-stand-in.ts';
import { computeProof } from './requests.ts';

interface LogLine {
  readonly msg: string;
}

const world = useScene(1);

async function startManager(home: string, flags: readonly string[], log: EventQueue<LogLine>): Promise<ChildProcess> {
  const args = ['--home', home, 'daemon', 'run', ...flags];
  const child = spawn(join('bin', 'sector-manager'), args, { stdio: ['ignore', 'ignore', 'pipe'], env: proverEnv });
  child.stderr.pipe(createWriteStream(join(home, 'manager.log')));
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('{')) log.push(JSON.parse(line));
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return child;
}

const LIMIT_MS = 240_000;

/** A proof of sector 0 for what `computeProof` asks. */
async function prove({ store }: Scene, commR: Uint8Array): Promise<string> {
  const prover = createWinningProver(
    { clock: systemClock, logger: silentLogger },
    { env: proverEnv, limitMs: LIMIT_MS },
  );
  const name = `s-t0${MINER}-0`;
  const replica = {
    sector_id: 0,
    comm_r: [...commR],
    cache_dir: `${store}/cache/${name}`,
    sealed_file: `${store}/sealed/${name}`,
  };
  const seed = [...proofSeed(new Uint8Array(32).fill(0xff))];
  const task = { miner_id: MINER, proof_type: 'StackedDrgWinning2KiBV1', replicas: [replica], seed };
  try {
    const [proof] = (await prover.prove(task, new AbortController().signal)).proofs;
    return proof ?? '';
  } finally {
    await prover.close();
  }
}

/** A [[WinPost]] that has the proof already: the manager's own limit is not made for a host that is busy with other tests. */
async function writeProver(file: string, proof: string): Promise<void> {
  await writeFile(
    file,
    `#!/bin/sh
echo 'winning_post processor ready'
while read -r line; do
  id=\${line#*'"id":'}
  echo '{"id":'"\${id%%,*}"',"err_msg":null,"output":{"proofs":["${proof}"]}}'
done
`,
  );
  await chmod(file, 0o755);
}

test('a manager with --miner serves its gateways with proofs that it verified, and with --shadow none', {
  timeout: LIMIT_MS,
}, async () => {
  const { scene, daemons } = world();
  const schema = await createTestDatabase();
  onTestFinished(() => schema.drop());
  const gateway = await GatewayStandIn.start({ token: 'secret' });
  onTestFinished(() => gateway.close());
  const chain = new DevChain();
  const chainHome = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
  daemons.start('chain', 'wdpost-devnet', [...chainHome, '--block-time', '1s'], (line) => chain.onLine(line));
  const { rpc, token } = await chain.listening;
  const home = join(scene.home, 'winning');
  await mkdir(home);
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.API]
Chain = "${rpc}"
Token = "${token}"
Gateway = ["secret:/ip4/127.0.0.1/tcp/${gateway.port}"]

[Common.Cluster]
Database = "${schema.url}"
Master = "127.0.0.1:${scene.masterPort}"

[[Common.PersistStores]]
Name = "store"
Path = "${scene.store}"

[[Miners]]
Actor = ${MINER}

[Miners.Proof]
Enabled = true
`,
  );
  const [line] = (await readFile(scene.sectorsFile, 'utf8')).split('\n');
  const { comm_r } = JSON.parse(line ?? '') as { comm_r: string };
  const commR = Uint8Array.from(Buffer.from(comm_r, 'hex'));
  const proof = await prove(scene, commR);
  const bin = join(home, 'prover');
  await writeProver(bin, proof);
  await writeFile(join(home, 'ext-prover.cfg'), `[[WinPost]]\nBin = "${bin}"\nReadyTimeoutSecs = 60\n`);
  const log = new EventQueue<LogLine>();
  const manager = await startManager(home, ['--miner', '--ext-prover'], log);
  expect(await gateway.listeners.next()).toMatchObject({ miner: `t0${MINER}`, path: '/rpc/v2' });
  const answer = await gateway.ask(`t0${MINER}`, computeProof({ number: 0, commR }));
  expect(proofsOf(answer)).toEqual([{ PoStProof: 0, ProofBytes: proof }]);
  const other = await gateway.ask(
    `t0${MINER}`,
    computeProof({ number: 0, commR }, { Rand: Buffer.alloc(32).toString('base64') }),
  );
  expect(other.Error).toContain('does not verify');
  await log.until(({ msg }) => msg === 'winning post: proof answered');
  manager.kill('SIGTERM');
  await once(manager, 'exit');
  expect(manager.exitCode).toBe(0);

  const shadow = await startManager(home, ['--miner', '--shadow'], log);
  await once(shadow, 'exit');
  expect(shadow.exitCode).toBe(1);
});
