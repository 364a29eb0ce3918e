import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { InboundLimits } from './inbound-limits.ts';
import {
  type Hello,
  type MasterMethods,
  masterParams,
  methodScopes,
  type PeerMethods,
  RPC_VERSION,
  roleScopes,
  type Scope,
} from './methods.ts';
import type { OpenSocket } from './open-socket.ts';
import { RpcConnection } from './rpc-connection.ts';

/** A slave or submitter that has said hello. The same object for as long as its connection lives. */
export interface RpcPeer {
  readonly hello: Hello;
  /** `address:port` of the other side. */
  readonly remote: string;
  readonly connection: RpcConnection<PeerMethods>;
}

/** Answers every call of a peer; calls come only after a good hello, and only those that its token allows. */
export type MasterHandlers = {
  readonly [M in keyof MasterMethods]: (
    params: MasterMethods[M]['params'],
    peer: RpcPeer,
    attachment?: Uint8Array,
  ) => Promise<MasterMethods[M]['result']>;
};

export interface PeerSessionComponents extends OpenSocket {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handlers: MasterHandlers;
}

const HELLO_LIMIT_MS = 10_000;

/** A slave of many quick tasks makes a thousand calls a second, a manager of a thousand miners asks for all its tasks at once. */
const LIMITS: InboundLimits = {
  messages: { perSecond: 5_000, burst: 10_000 },
  patience: { perSecond: 10, burst: 1_000 },
  calls: 5_000,
  bytes: 256 * 2 ** 20,
};

/** The rules of one connection to the master: hello first, versions at most one apart, scopes by method, a rate of calls. */
export function openPeerSession(
  components: PeerSessionComponents,
  init: { readonly remote: string; readonly scopes: ReadonlySet<Scope> },
): RpcConnection<PeerMethods> {
  const { clock, logger, handlers } = components;
  let peer: RpcPeer | undefined;
  let isGreeting = false;

  async function greet(hello: Hello): Promise<unknown> {
    if (peer !== undefined || isGreeting)
      throw new CodedError('hello-twice', 'hello was said on this connection already');
    if (Math.abs(hello.version - RPC_VERSION) > 1) {
      const versions = `${hello.name} speaks version ${hello.version}, this master ${RPC_VERSION}`;
      throw new CodedError('version-mismatch', `${versions}; they may be one apart: upgrade the older one`);
    }
    demand(roleScopes[hello.role]);
    const greeted = { hello, remote: init.remote, connection };
    isGreeting = true;
    try {
      const answer = await handlers.hello(hello, greeted);
      peer = greeted;
      callOff();
      logger.info({ peer: hello.name, role: hello.role, remote: init.remote, version: hello.version }, 'rpc: hello');
      return answer;
    } finally {
      isGreeting = false;
    }
  }

  function demand(scope: Scope): void {
    if (!init.scopes.has(scope)) throw new CodedError('forbidden', `the token shown does not have the scope ${scope}`);
  }

  const connection = new RpcConnection<PeerMethods>(components, {
    params: masterParams,
    limits: LIMITS,
    answer(method, params, attachment) {
      if (method === 'hello') return greet(params as Hello);
      if (peer === undefined) throw new CodedError('hello-first', `${method} came before hello`);
      const named = method as keyof typeof methodScopes;
      demand(methodScopes[named]);
      const handler = handlers[named] as (params: unknown, peer: RpcPeer, attachment?: Uint8Array) => Promise<unknown>;
      return handler(params, peer, attachment);
    },
  });
  const callOff = clock.after(HELLO_LIMIT_MS, () => connection.close('no hello came in time'));
  void connection.closed.then((reason) => {
    callOff();
    logger.info({ peer: peer?.hello.name, remote: init.remote, reason }, 'rpc: connection closed');
  });
  return connection;
}
