import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { createWinningProver } from '../../src/winning/winning-prover.ts';
import { WinningService } from '../../src/winning/winning-service.ts';
import { prover as bin, fakeTask, proverEnv } from '../ext-processor/real-prover.ts';
import { buildCheckProcess, TestStores } from '../stores/test-stores.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { GatewayStandIn, proofsOf } from './gateway-stand-in.ts';
import { computeProof, MINER } from './requests.ts';

/** A proof takes 7 s of CPU, and others may be running. */
const LIMIT_MS = 300_000;

test('a gateway that asks gets a proof that verifies', { timeout: LIMIT_MS }, async () => {
  await buildCheckProcess();
  const stores = await TestStores.make();
  onTestFinished(() => stores.remove());
  const store = await stores.store('a');
  const { replicas } = await fakeTask(store.path, 2);
  const components = { clock: systemClock, logger: silentLogger, alerts: new RecordedAlerts(), metrics: new Metrics() };
  const checker = new StoreChecker(components, { stores: [store] });
  onTestFinished(() => checker.close());
  const verifier = createVerifier(components, { bin, env: proverEnv });
  onTestFinished(() => verifier.close());
  const prover = createWinningProver(components, { env: proverEnv, limitMs: LIMIT_MS });
  onTestFinished(() => prover.close());
  const gateway = await GatewayStandIn.start();
  onTestFinished(() => gateway.close());
  const service = new WinningService(
    { ...components, checker, verifier, prover },
    { gateways: [{ url: gateway.url }], minerIds: [MINER], limitMs: LIMIT_MS },
  );
  service.start();
  onTestFinished(() => service.close());
  await gateway.listeners.next();

  const [first, second] = replicas.map(({ comm_r }) => Uint8Array.from(comm_r));
  if (first === undefined || second === undefined) throw new Error('no sectors');
  const [proof] = proofsOf(await gateway.ask(`t0${MINER}`, computeProof({ number: 1, commR: second })));
  expect(proof?.PoStProof).toBe(0);
  const verdict = (seed: number, commR: Uint8Array) =>
    verifier.verify({
      minerId: MINER,
      proofType: 'StackedDrgWinning2KiBV1',
      seed: new Uint8Array(32).fill(seed),
      sectors: [{ sectorId: 1, commR }],
      proof: Buffer.from(proof?.ProofBytes ?? '', 'base64'),
    });
  expect(await verdict(0xff, second)).toEqual({ valid: true, reason: null });
  expect(await verdict(0xfe, second)).toMatchObject({ valid: false });
  expect(await verdict(0xff, first)).toMatchObject({ valid: false });

  const wrong = await gateway.ask(`t0${MINER}`, computeProof({ number: 1, commR: first }));
  expect(wrong.Error).toContain('sector 1 is bad: comm_r of the task');
  await rm(`${store.path}/sealed/s-t0${MINER}-0`);
  const missing = await gateway.ask(`t0${MINER}`, computeProof({ number: 0, commR: first }));
  expect(missing.Error).toContain('sector 0 cannot be used');
  expect(components.alerts.open.get(`winning-post/${MINER}`)?.class).toBe('winning-post-failed');
});
