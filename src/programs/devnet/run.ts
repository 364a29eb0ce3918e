import { mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import ms, { type StringValue } from 'ms';
import { untilSignal } from '../../cli/until-signal.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import { parseSectorSize } from '../../filecoin/sector-size.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Devnet, type DevnetInit, startDevnet } from './devnet.ts';
import type { DevnetEvent } from './events.ts';
import { listenAddress, minerId, readSectors } from './options.ts';

/** The command line as it was typed. */
export interface DevnetOptions {
  readonly home: string;
  readonly miner: readonly string[];
  readonly sectors: string;
  readonly sectorSize: string;
  readonly partitionsPerDeadline: string;
  readonly listen: string;
  readonly blockTime: string;
  readonly startEpoch: string;
  readonly skipQuiet?: boolean;
  readonly quietBefore: string;
  readonly quietAfter: string;
  readonly seed: string;
}

// Whoever read the events may be gone; the chain goes on.
process.stdout.on('error', () => {});

const printLine = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Runs the chain until a signal ends it; rejects where a proof turned out bad. */
export async function runDevnet(options: DevnetOptions): Promise<void> {
  const init = await readOptions(options);
  const signal = untilSignal();
  const logger = createLogger('wdpost-devnet');
  logger.warn({ home: options.home }, 'for development and tests only: this chain keeps nothing and secures nothing');
  const verifier = createVerifier({ clock: systemClock, logger });
  try {
    const emit = (event: DevnetEvent): void => printLine(event);
    const devnet = await startDevnet({ clock: systemClock, logger, verifier, emit }, init);
    await announce(devnet, init, options.home);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await devnet.close();
    await devnet.disputer.finish();
    const verdict = devnet.disputer.verdict();
    printLine({ event: 'verdict', ...verdict });
    if (!verdict.ok) throw new CodedError('bad-proofs', `${verdict.disputed} of the recorded proofs did not hold`);
  } finally {
    await verifier.close();
  }
}

async function readOptions(options: DevnetOptions): Promise<DevnetInit> {
  const miners = options.miner.map(minerId);
  return {
    seed: options.seed,
    sectorSize: parseSectorSize(options.sectorSize),
    miners: await readSectors(options.sectors, miners),
    partitionsPerDeadline: whole('--partitions-per-deadline', options.partitionsPerDeadline, 1),
    startEpoch: whole('--start-epoch', options.startEpoch, 0),
    listen: listenAddress(options.listen),
    blockTimeMs: duration('--block-time', options.blockTime),
    ...(options.skipQuiet && {
      skipQuiet: {
        beforeOpen: whole('--quiet-before', options.quietBefore, 0),
        afterMessage: whole('--quiet-after', options.quietAfter, 0),
      },
    }),
  };
}

/** Says where it listens: one JSON line, and the two files from which programs beside a node learn it. */
async function announce(devnet: Devnet, init: DevnetInit, home: string): Promise<void> {
  const { host } = init.listen;
  const { port, adminToken: token, workers } = devnet;
  await mkdir(home, { recursive: true });
  await writeFile(
    join(home, 'api'),
    `/ip${isIP(host) === 6 ? 6 : 4}/${host === 'localhost' ? '127.0.0.1' : host}/tcp/${port}/http`,
  );
  await writeFile(join(home, 'token'), token, { mode: 0o600 });
  const miners = [...workers].map(([id, worker]) => ({ miner: `t0${id}`, worker }));
  const url = `ws://${host.includes(':') ? `[${host}]` : host}:${port}/rpc/v1`;
  printLine({ rpc: url, token, ...miners[0], miners });
}

function whole(name: string, text: string, lowest: number): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < lowest)
    throw new CodedError('usage', `${name} ${text}: expected a whole number from ${lowest} up`);
  return value;
}

function duration(name: string, text: string): number {
  const value = text === '0' ? 0 : ms(text as StringValue);
  if (value === undefined || !(value >= 0))
    throw new CodedError('usage', `${name} ${text}: expected a duration such as 1s or 250ms`);
  return value;
}
