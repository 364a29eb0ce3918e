import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { MINER } from '../../src/programs/quickstart/scene.ts';
import { useScene } from '../e2e/use-scene.ts';
import { createTestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';

const program = fileURLToPath(new URL('../../bin/sector-manager', import.meta.url));
const world = useScene(1);

function startManager(home: string) {
  const child: ChildProcess = spawn(program, ['--home', home, 'daemon', 'run', '--poster'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = new EventQueue<{ readonly msg: string; readonly alert?: string }>();
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
  }
  const exit = once(child, 'close');
  return {
    log,
    /** Resolves with the exit code. */
    async end(signal: NodeJS.Signals): Promise<number | null> {
      child.kill(signal);
      const [code] = await exit;
      return code;
    },
  };
}

test('the webhook hears once of a sender that may not send, also over a SIGKILL of the manager', async () => {
  const { scene, daemons } = world();
  const schema = await createTestDatabase();
  const heard = new EventQueue<{ readonly id: string; readonly class: string; readonly resolved: string | null }>();
  const hook = createServer((request, response) => {
    request.setEncoding('utf8');
    request.on('data', (body: string) => heard.push(JSON.parse(body)));
    request.on('end', () => response.end());
  });
  await once(hook.listen(0, '127.0.0.1'), 'listening');
  const chain = new DevChain();
  const at = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
  daemons.start('chain', 'wdpost-devnet', at, (line) => chain.onLine(line));
  const { rpc, token } = await chain.listening;
  const home = join(scene.home, 'alerting');
  await mkdir(home);
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.API]
Chain = "${rpc}"
Token = "${token}"

[Common.Cluster]
Database = "${schema.url}"
Master = "127.0.0.1:1"

[Common.Alerts]
Webhook = "http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook"

[[Miners]]
Actor = ${MINER}

[Miners.PoSt]
Sender = "t0${MINER}"
`,
  );
  const isRefused = ({ alert }: { readonly alert?: string }) => alert?.startsWith('sender-refused/') === true;

  const first = startManager(home);
  const notice = await heard.until(({ class: alertClass }) => alertClass === 'sender-refused');
  expect(notice).toMatchObject({ severity: 'critical', miner: MINER, deadline: null, resolved: null });
  const isTold = async () =>
    (await schema.db.kysely.selectFrom('alerts').select('told_at').where('id', '=', notice.id).execute()).some(
      (row) => row.told_at !== null,
    );
  await expect.poll(isTold, { timeout: 20_000 }).toBe(true);
  await first.end('SIGKILL');

  const second = startManager(home);
  expect(await second.log.until(isRefused)).toMatchObject({ msg: 'alert goes on', alert: notice.id });
  expect(await second.end('SIGTERM')).toBe(0);
  expect(heard.size).toBe(0);
  hook.close();
  hook.closeAllConnections();
  await schema.drop();
}, 90_000);
