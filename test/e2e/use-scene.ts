import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { makeScene, type Scene } from '../../src/programs/quickstart/scene.ts';
import { Daemons } from './daemons.ts';

interface World {
  readonly scene: Scene;
  readonly daemons: Daemons;
}

/** For each test of a file: sectors of 2 KiB in a folder of its own, and the daemons it starts there. Logs of a failure are kept. */
export function useScene(sectors: number): () => World {
  let world: World | undefined;
  beforeEach(async () => {
    const scene = await makeScene(await mkdtemp(join(tmpdir(), 'wdpost-e2e-')), '2KiB', sectors);
    world = { scene, daemons: new Daemons(scene.logs) };
  });
  afterEach(async ({ task }) => {
    if (world === undefined) return;
    const { scene, daemons } = world;
    await daemons.stop();
    if (task.result?.state === 'fail') process.stderr.write(`the logs are kept in ${scene.logs}\n`);
    else await rm(scene.home, { recursive: true, force: true });
  });
  return () => {
    if (world === undefined) throw new Error('the scene is made before each test');
    return world;
  };
}
