import { hostname } from 'node:os';
import type { Clock } from '../../../clock/clock.ts';
import { serverAddress } from '../../../config/kinds.ts';
import { loadMasterConfig } from '../../../config/master-file.ts';
import { CodedError, errorCode, errorText } from '../../../errors/coded-error.ts';
import { MAX_NAME_LENGTH, methodScopes } from '../../../rpc/methods.ts';
import { RpcClient } from '../../../rpc/rpc-client.ts';
import { type ClientTls, loadClientTls } from '../../../rpc/tls.ts';
import { loadClientToken } from '../../../rpc/tokens.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { advertisedAddress } from '../advertised-address.ts';
import type { Ask } from './verb.ts';

/** How the master is found: by its own file, or by address. */
export interface MasterOptions {
  readonly config?: string;
  readonly master?: string;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
}

interface Place {
  readonly url: string;
  readonly tokenFile: string | undefined;
  readonly tls: ClientTls | undefined;
}

/** To find the master that leads. */
const CONNECT_LIMIT_MS = 5_000;
const PAUSE_MS = 300;

/**
 * Calls the master that leads, on a connection for each call.
 * @throws CodedError `usage`, `master-unreachable`, or what the master answers
 */
export function askMaster(components: { readonly clock: Clock }, options: MasterOptions): Ask {
  return async (method, params, callOptions) => {
    const place = await findMaster(options);
    const token = await loadClientToken({ file: place.tokenFile, env: process.env }, methodScopes[method]);
    // What goes wrong is told by the error.
    const logger = createLogger('wdpost-master-daemon', { LOG_LEVEL: 'silent' });
    const client = new RpcClient(
      { ...components, logger },
      {
        urls: [place.url],
        token,
        tls: place.tls,
        reconnectIntervalMs: PAUSE_MS,
        hello: () => ({ role: 'operator', name: `operator@${hostname()}`.slice(0, MAX_NAME_LENGTH) }),
      },
    );
    try {
      await Promise.race([client.start(), components.clock.sleep(CONNECT_LIMIT_MS)]);
      return await client.call(method, params, client.isConnected ? callOptions : { timeoutMs: 1 });
    } catch (error) {
      if (errorCode(error) !== 'not-connected') throw error;
      throw new CodedError(
        'master-unreachable',
        `the master at ${place.url} does not answer: is it running? (${errorText(error)})`,
      );
    } finally {
      await client.close();
    }
  };
}

/** What was written may hold a secret, so it is not repeated. @throws CodedError `usage` */
function masterAddress(text: string): string {
  let why = '';
  try {
    const address = serverAddress.read(text);
    if (address !== undefined) return address;
  } catch (error) {
    why = ` (${errorText(error)})`;
  }
  throw new CodedError('usage', `--master is no address of a master${why}; write ${serverAddress.accepts}`);
}

async function findMaster(options: MasterOptions): Promise<Place> {
  if (options.master !== undefined) {
    return {
      url: masterAddress(options.master),
      tokenFile: options.tokenFile,
      tls: await loadClientTls({ ca: options.tlsCa }),
    };
  }
  if (options.config === undefined) {
    throw new CodedError('usage', 'say where the master is: -c wdpost_master.toml, or --master host:port');
  }
  const { config } = await loadMasterConfig(options.config.replace(/^=/, ''));
  const { listen, advertise, tlsCert, tokenFile } = config.server;
  const named = { tokenFile: options.tokenFile ?? tokenFile };
  // A certificate names the host; in the clear the loopback interface is nearer.
  if (tlsCert === undefined) {
    return { ...named, url: advertisedAddress({ ...listen, hostname: '127.0.0.1' }), tls: undefined };
  }
  const url = `wss://${advertise ?? advertisedAddress({ ...listen, hostname: hostname() })}`;
  if (options.tlsCa !== undefined) return { ...named, url, tls: await loadClientTls({ ca: options.tlsCa }) };
  // The master's own file names its certificate: that one is trusted, whoever issued it.
  return { ...named, url, tls: { ...(await loadClientTls({ ca: tlsCert })), allowPartialTrustChain: true } };
}
