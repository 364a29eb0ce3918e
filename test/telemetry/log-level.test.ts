import { expect, test } from 'vitest';
import { logLevel } from '../../src/telemetry/log-level.ts';

test.each([
  [{}, 'info'],
  [{ RUST_LOG: '' }, 'info'],
  [{ RUST_LOG: 'trace' }, 'trace'],
  [{ RUST_LOG: 'WARN' }, 'warn'],
  [{ RUST_LOG: 'off' }, 'silent'],
  [{ RUST_LOG: 'wdpost=debug,info' }, 'debug'],
  [{ RUST_LOG: 'info, wdpost_slave_daemon=warn' }, 'warn'],
  [{ RUST_LOG: 'wdpost-slave=error' }, 'error'],
  [{ RUST_LOG: 'hyper=trace,warn' }, 'warn'],
  [{ RUST_LOG: 'storage_proofs_core=debug' }, 'info'],
  [{ RUST_LOG: 'bellperson::groth16,error' }, 'error'],
  [{ RUST_LOG: 'wdpost_slave_daemon' }, 'trace'],
  [{ RUST_LOG: 'debug/proof.*' }, 'debug'],
  [{ LOG_LEVEL: 'error', RUST_LOG: 'debug' }, 'error'],
])('%j is %s', (env, level) => {
  expect(logLevel('wdpost-slave', env)).toBe(level);
});

test.each([
  [{ RUST_LOG: 'verbose' }, 'RUST_LOG: "verbose" is no log level'],
  [{ RUST_LOG: 'info,hyper=loud' }, 'RUST_LOG: "loud" is no log level'],
  [{ LOG_LEVEL: 'inf' }, 'LOG_LEVEL: "inf" is no log level; write one of trace'],
])('%j is refused', (env, message) => {
  expect(() => logLevel('wdpost-slave', env)).toThrow(message);
});
