import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CodedError } from '../../errors/coded-error.ts';

const run = promisify(execFile);

/** The miner whose first deadline opens soonest after genesis. */
export const MINER = 1001;

/** Exit code of attach where the file of a sector is away. */
const SOME_LEFT_OUT = 3;

/** Files of one quickstart. */
export interface Scene {
  readonly home: string;
  readonly store: string;
  readonly logs: string;
  /** JSON lines, one for each sector: what the development chain is told. */
  readonly sectorsFile: string;
  readonly masterPort: number;
}

export function installedProgram(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** An empty home with real sectors in a persist store. */
export async function makeScene(home: string, sectorSize: string, sectors: number): Promise<Scene> {
  await rm(home, { recursive: true, force: true });
  const scene = {
    home,
    store: join(home, 'store'),
    logs: join(home, 'logs'),
    sectorsFile: join(home, 'sectors.jsonl'),
    masterPort: await freePort(),
  };
  for (const folder of [scene.store, scene.logs, join(home, 'manager'), join(home, 'chain')]) {
    await mkdir(folder, { recursive: true });
  }
  const args = [
    'sectors',
    'fake',
    '--miner',
    MINER,
    '--size',
    sectorSize,
    '--count',
    sectors,
    '--out',
    scene.store,
    '--no-links',
  ];
  const { stdout } = await run(installedProgram('dist/bin/prover-tools'), args.map(String), { maxBuffer: 64 << 20 });
  await writeFile(scene.sectorsFile, stdout);
  return scene;
}

export async function writeConfigs(
  scene: Scene,
  chain: { readonly rpc: string; readonly token: string; readonly sender: string },
): Promise<void> {
  await writeFile(
    join(scene.home, 'manager', 'sector-manager.cfg'),
    `[Common.API]
Chain = "${chain.rpc}"
Token = "${chain.token}"

[Common.Cluster]
Master = "127.0.0.1:${scene.masterPort}"

[[Common.PersistStores]]
Name = "store"
Path = "${scene.store}"
ReadOnly = true

[[Miners]]
Actor = ${MINER}

[Miners.PoSt]
Sender = "${chain.sender}"
Confidence = 3
ChallengeConfidence = 4
# A partition has two sectors here, and one of them is going to be lost.
MaxSkipShare = 0.5
`,
  );
  await writeFile(
    join(scene.home, 'slave.toml'),
    `[master]
server_addr = '127.0.0.1:${scene.masterPort}'
reconnect_interval = '1s'
heartbeat_interval = '1s'

[slave]
concurrent = 1
pull_interval = '5s'
`,
  );
}

/** As its operator does once, while the manager runs. */
export async function attachStore(scene: Scene): Promise<void> {
  const args = ['--home', join(scene.home, 'manager'), 'util', 'storage', 'attach', '--name=store', scene.store];
  try {
    await run(installedProgram('bin/sector-manager'), args);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === SOME_LEFT_OUT)) throw error;
  }
}

/** Pids of the daemons of another quickstart in this home, running or left running with --keep: their command lines name it. */
export async function livingProcesses(home: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => commands[index]?.includes(`${home}/`)).map(Number);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new CodedError('no-port', 'no free TCP port was found');
  return address.port;
}
