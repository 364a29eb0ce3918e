import type { WindowPostTask } from '../../src/rpc/window-post.ts';

/** What a peer's job carries: each body in the form that cost graphile-worker the least CPU; BullMQ gets the same. */
export type Payload = WindowPostTask | { readonly text: string };

const AS_TEXT_FROM = 100;

/** As a value while it is small; as text when a library that parses all its payloads would make a megabyte of numbers. */
export function payloadOf(task: WindowPostTask): Payload {
  return task.replicas.length < AS_TEXT_FROM ? task : { text: JSON.stringify(task) };
}

/** The task's JSON. */
export function textOf(payload: Payload): string {
  return 'text' in payload ? payload.text : JSON.stringify(payload);
}
