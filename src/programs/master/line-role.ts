import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../clock/clock.ts';
import type { MasterConfig } from '../../config/master-file.ts';
import { urlOnItsHost } from '../../config/master-url.ts';
import { LineServer } from '../../ext-processor/line-server.ts';
import { MAX_NAME_LENGTH } from '../../rpc/methods.ts';
import { RpcClient } from '../../rpc/rpc-client.ts';
import { loadClientTls } from '../../rpc/tls.ts';
import { loadTokens } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { answerByMaster } from './answer-by-master.ts';

const RECONNECT_MS = 1_000;

/**
 * The master as the child of a manager that speaks lines. It is ready at once: requests wait for what is still coming up. They are
 * put to the master that leads, over RPC, be it this process or another: so a second child beside a master that has the port is a
 * front to that, and takes its place when it ends.
 *
 * Ends when the parent closes its end, or the signal. What is being proven then goes on at the slaves, and its result is found by
 * whoever asks for the same again.
 * @throws CodedError when it cannot go on: wrong configuration, a database that refuses us, a master that turns us away
 */
export async function runLineRole(
  components: { readonly clock: Clock; readonly logger: Logger },
  config: MasterConfig,
  init: { readonly signal: AbortSignal; readonly input: Readable; readonly output: Writable },
): Promise<void> {
  const { logger } = components;
  const { server, task } = config;
  const failed = new AbortController();
  const parentGone = new AbortController();
  const signal = AbortSignal.any([init.signal, parentGone.signal, failed.signal]);
  // The listener may be for tokens of slaves only.
  const spare = randomUUID();
  const tokens = await loadTokens({ file: server.tokenFile, env: process.env });
  const token = tokens.find(({ scopes }) => scopes.has('submit'))?.secret ?? spare;
  const tls = await loadClientTls({ ca: server.tlsCert });
  let client: RpcClient | undefined;
  let onReachable: (client: RpcClient) => void = () => {};
  const reachable = new Promise<RpcClient>((resolve) => {
    onReachable = resolve;
  });

  function connect(port: number): void {
    if (client !== undefined) return;
    client = new RpcClient(components, {
      urls: [urlOnItsHost({ ...server, listen: { ...server.listen, port } })],
      token,
      tls,
      reconnectIntervalMs: RECONNECT_MS,
      hello: () => ({ role: 'submitter', name: `line-role@${hostname()}`.slice(0, MAX_NAME_LENGTH) }),
    });
    client.start().catch((error: unknown) => {
      if (!signal.aborted) failed.abort(error);
    });
    onReachable(client);
  }

  const answer = answerByMaster(components, { master: reachable, limitMs: task.assumedCloseMs });
  const lines = new LineServer(components, { stage: 'window_post', input: init.input, output: init.output, answer });
  const serving = lines.serve(signal).finally(() => {
    if (!signal.aborted) logger.info('the parent has closed its end');
    parentGone.abort();
  });
  const child = { token: spare, onReachable: connect };
  // Loaded when the ready line is out: that has a time limit, and a host that starts has much to do.
  const master = import('./master.ts').then(({ runMaster }) => runMaster(components, config, signal, child));
  await Promise.all([serving, master.catch((error: unknown) => failed.abort(error))]);
  await client?.close();
  failed.signal.throwIfAborted();
}
