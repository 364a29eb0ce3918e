import { expect, test } from 'vitest';
import { forcedSectorSize, slaveName } from '../../src/programs/slave/identity.ts';

const base = { configured: undefined, host: 'gpu-host-1', pid: 77, env: {} };

test.each([
  ['of the configuration', { configured: 'left rack' }, 'left rack'],
  ['host and GPU', { env: { CUDA_VISIBLE_DEVICES: '1' } }, 'gpu-host-1-gpu1'],
  ['host and process where no GPU is chosen', { env: { CUDA_VISIBLE_DEVICES: '' } }, 'gpu-host-1-77'],
])('the name is %s', (_name, init, expected) => {
  expect(slaveName({ ...base, ...init })).toBe(expected);
});

test.each([
  { configured: 'x'.repeat(300) },
  { host: 'h'.repeat(300), env: { CUDA_VISIBLE_DEVICES: '1' } },
  { env: { CUDA_VISIBLE_DEVICES: '1,'.repeat(300) } },
])('it fits into its column, and keeps its end', (init) => {
  const name = slaveName({ ...base, ...init });
  expect(name.length).toBeLessThanOrEqual(100);
  if (init.host !== undefined) expect(name).toMatch(/h-gpu1$/);
});

test('FORCE_SECTOR_SIZE is bytes or a name', () => {
  expect(forcedSectorSize({})).toBeNull();
  expect(forcedSectorSize({ FORCE_SECTOR_SIZE: '34359738368' })).toBe(2 ** 35);
  expect(forcedSectorSize({ FORCE_SECTOR_SIZE: '2KiB' })).toBe(2048);
  for (const bad of ['1', '32gib', 'x']) {
    expect(() => forcedSectorSize({ FORCE_SECTOR_SIZE: bad })).toThrow(
      expect.objectContaining({ code: 'bad-sector-size' }),
    );
  }
});
