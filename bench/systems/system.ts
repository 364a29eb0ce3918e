import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import type { ServerName, Servers } from '../servers.ts';
import type { Stage } from '../stage.ts';

/** One queue in one way of using it. Its producer and its two consumers are processes of their own. */
export interface System {
  readonly name: string;
  /** For tables: product, version, settings. */
  readonly about: string;
  /** Whose CPU time counts as the server's. */
  readonly server: ServerName | null;
  /**
   * Makes an empty queue, and with it what runs for the system apart from producer and consumers.
   * @returns what the processes need to reach it
   */
  prepare(servers: Servers, stage: Stage): Promise<string>;
  producer(place: string, hooks: ProducerHooks): Promise<Producer>;
  /** Where the consumers are programs of the system itself, `prepare` has started them. */
  readonly consumer?: (place: string, hooks: ConsumerHooks) => Promise<Consumer>;
}

export interface Producer {
  /** Resolves when the queue has taken the task, as durably as it is set up. */
  enqueue(task: WindowPostTask): Promise<void>;
  close(): Promise<void>;
}

export interface ProducerHooks {
  /** A task's result is stored; for systems whose producer hears of it. */
  readonly finished: () => void;
}

export interface Consumer {
  close(): Promise<void>;
}

export interface ConsumerHooks {
  /** The handler of every system: notes the start, parses, hashes. `text` is the task's JSON. Returns 32 bytes. */
  readonly handle: (text: string) => Buffer;
  /** A task's result is stored. */
  readonly finished: () => void;
}

/** In one consumer process; there are two. */
export const CONCURRENCY = 8;
export const CONSUMERS = 2;
