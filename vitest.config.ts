import { homedir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const { WDPOST_CACHE, XDG_CACHE_HOME, FIL_PROOFS_PARAMETER_CACHE } = process.env;
const cache = WDPOST_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wdpost-cluster');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Where bin/setup puts the test parameters.
    env: { FIL_PROOFS_PARAMETER_CACHE: FIL_PROOFS_PARAMETER_CACHE ?? join(cache, 'params') },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
