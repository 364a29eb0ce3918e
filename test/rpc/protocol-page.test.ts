import { expect, test } from 'vitest';
import { venusPage } from '../../src/programs/sector-manager/venus-rpc/venus-page.ts';
import { protocolPage } from '../../src/rpc/protocol-page.ts';

const root = new URL('../../', import.meta.url).pathname;

// `npm run config-docs` writes this file anew.
test('docs/protocol.md is up to date', async () => {
  await expect(`${protocolPage()}\n${venusPage()}`).toMatchFileSnapshot(`${root}docs/protocol.md`);
});
