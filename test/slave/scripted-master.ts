import type { AttemptId, Hello, HelloAnswer, MasterMethods } from '../../src/rpc/methods.ts';
import type { MasterHandlers, RpcPeer } from '../../src/rpc/peer-session.ts';
import type { RpcServerInit } from '../../src/rpc/rpc-server.ts';
import { greeting, startServer } from '../rpc/rpc-world.ts';
import { EventQueue } from '../support/event-queue.ts';

export interface ScriptedMaster {
  readonly port: number;
  readonly hellos: EventQueue<Hello>;
  readonly beats: EventQueue<MasterMethods['slave.heartbeat']['params']>;
  readonly finished: EventQueue<MasterMethods['attempt.finish']['params']>;
  readonly failed: EventQueue<MasterMethods['attempt.fail']['params']>;
  /** Told as closed in the next answers. */
  readonly closed: AttemptId[];
  /** The slave that came last. */
  readonly slave: RpcPeer['connection'];
  close(): Promise<void>;
}

/** A master over a real socket that writes down what slaves tell it. */
export async function startMaster(
  init: Partial<RpcServerInit> & {
    readonly handlers?: Partial<MasterHandlers>;
    readonly hello?: Partial<HelloAnswer>;
  } = {},
): Promise<ScriptedMaster> {
  const hellos: ScriptedMaster['hellos'] = new EventQueue();
  const beats: ScriptedMaster['beats'] = new EventQueue();
  const finished: ScriptedMaster['finished'] = new EventQueue();
  const failed: ScriptedMaster['failed'] = new EventQueue();
  const closed: AttemptId[] = [];
  let latest: RpcPeer | undefined;
  const verdict = { accepted: true, reason: null };
  const { handlers, hello, ...rest } = init;
  const { server, port } = await startServer({
    ...rest,
    handlers: {
      async hello(params, peer) {
        latest = peer;
        hellos.push(params);
        return { ...greeting, ...hello };
      },
      async 'slave.heartbeat'(params) {
        beats.push(params);
        return { closed };
      },
      async 'attempt.finish'(params) {
        finished.push(params);
        return verdict;
      },
      async 'attempt.fail'(params) {
        failed.push(params);
        return verdict;
      },
      ...handlers,
    },
  });
  return {
    port,
    hellos,
    beats,
    finished,
    failed,
    closed,
    get slave() {
      if (latest === undefined) throw new Error('no slave has come');
      return latest.connection;
    },
    close: () => server.close(),
  };
}
