import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { readSectors } from '../../src/programs/devnet/options.ts';
import { sealerGroup } from '../../src/programs/sector-manager/util/proving/proving-group.ts';
import { withToolbox } from '../../src/programs/sector-manager/util/toolbox.ts';
import type { Answer, Verb } from '../../src/programs/sector-manager/util/verb.ts';
import { ChainUnderTest, MINER } from '../devnet/chain-under-test.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** A miner with real sectors of 2 KiB on a development chain in this process, and the files of its manager. */
export interface ProvingScene {
  readonly chain: ChainUnderTest;
  /** Folder of the store. */
  readonly store: string;
  readonly home: string;
  sealedFile(sector: number): string;
  /** Runs `util sealer proving <name>`. */
  run(name: string, options?: Readonly<Record<string, unknown>>, ...args: string[]): Promise<Answer>;
}

/** @param cluster lines of [Common.Cluster] */
export async function provingScene(
  at: number,
  init: { readonly sectors: number; readonly cluster?: string; readonly partitionsPerDeadline?: number },
): Promise<ProvingScene> {
  const folder = await mkdtemp(join(tmpdir(), 'proving-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [home, store] = [join(folder, 'manager'), join(folder, 'store')];
  await mkdir(home);
  const args = ['sectors', 'fake', '--miner', MINER, '--size', '2KiB', '--count', init.sectors, '--out', store];
  const tools = join(dirname(proverBinary()), 'prover-tools');
  const { stdout } = await promisify(execFile)(tools, [...args.map(String), '--no-links']);
  await writeFile(join(folder, 'sectors.jsonl'), stdout);
  const sectors = (await readSectors(join(folder, 'sectors.jsonl'), [MINER])).get(MINER) ?? [];
  const verifier = createVerifier({ clock: systemClock, logger: silentLogger });
  onTestFinished(() => verifier.close());
  const { partitionsPerDeadline = 1 } = init;
  const chain = await ChainUnderTest.start(at, {
    miners: new Map([[MINER, sectors]]),
    verifier,
    partitionsPerDeadline,
  });
  const { port, adminToken } = chain.devnet;
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.API]
Chain = "ws://127.0.0.1:${port}/rpc/v1"
Token = "${adminToken}"
${init.cluster === undefined ? '' : `[Common.Cluster]\n${init.cluster}`}
[[Common.PersistStores]]
Name = "store"
Path = "${store}"
ReadOnly = true
[[Miners]]
Actor = ${MINER}
[Miners.PoSt]
Sender = "${chain.worker}"
`,
  );
  return {
    chain,
    store,
    home,
    sealedFile: (sector) => join(store, 'sealed', `s-t0${MINER}-${sector}`),
    run: (name, options = {}, ...written) =>
      withToolbox({ home, confDir: undefined }, (toolbox) => verbOf(name).run(toolbox, { args: written, options })),
  };
}

function verbOf(name: string): Verb {
  const verbs = sealerGroup.members.flatMap((group) => ('members' in group ? group.members : []));
  const verb = verbs.find((one) => one.name === name);
  if (verb === undefined || 'members' in verb) throw new TypeError(`no verb ${name}`);
  return verb;
}
