import { resultSchemas } from '../../../src/chain/lotus-results.ts';
import { type Call, callOf, type Exchange, field } from './exchange.ts';
import { messageScene } from './message-scene.ts';
import { lookupScene, pushScene } from './pushed-scene.ts';
import { queryScene } from './query-scene.ts';
import { difference, errorTemplate } from './same-shape.ts';
import type { Scene } from './scene.ts';
import type { World } from './world.ts';

/** Where the message stands among the parameters of methods that execute one. */
const MESSAGE_AT: Readonly<Record<string, number>> = {
  'Filecoin.GasEstimateMessageGas': 0,
  'Filecoin.GasEstimateGasLimit': 0,
  'Filecoin.GasEstimateFeeCap': 0,
  'Filecoin.MpoolPushMessage': 0,
  'Filecoin.StateCall': 0,
  'Filecoin.WalletSignMessage': 1,
};
const LOOKUPS = ['StateSearchMsg', 'StateWaitMsg', 'StateReplay', 'ChainGetMessage'].map((name) => `Filecoin.${name}`);

/** Replays a recorded HTTP exchange; throws where the development chain answers in another form. */
export async function replayHttp(exchange: Exchange): Promise<void> {
  const call = callOf(exchange);
  checkOwnReader(call);
  const { world, params } = await sceneOf(call);
  try {
    const isPlain = Array.isArray(field(exchange.request, 'params')) && call.method !== '';
    const request = isPlain ? { ...Object(exchange.request), params } : exchange.request;
    compare(exchange, await post(world, exchange, request));
  } finally {
    await world.close();
  }
}

function sceneOf(call: Call): Promise<Scene> {
  const messageAt = MESSAGE_AT[call.method];
  if (messageAt !== undefined && field(call.params[messageAt], 'To') !== undefined)
    return messageScene(call, messageAt);
  if (LOOKUPS.includes(call.method)) return lookupScene(call);
  if (call.method === 'Filecoin.MpoolPush') return pushScene(call);
  return queryScene(call);
}

/** What this project reads of a node must be able to read the recorded result. */
function checkOwnReader(call: Call): void {
  if (call.result === undefined) return;
  const schema = Object.entries(resultSchemas).find(([name]) => `Filecoin.${name}` === call.method)?.[1];
  if (schema === undefined) throw new Error(`the chain client has no reader for ${call.method}`);
  const read = schema.safeParse(call.result);
  if (!read.success)
    throw new Error(`the chain client cannot read the result of ${call.method}: ${read.error.message}`);
}

async function post(world: World, exchange: Exchange, request: unknown): Promise<{ status: number; body: unknown }> {
  const url = `http://127.0.0.1:${world.devnet.port}/rpc/v1`;
  const isForm = exchange.note?.includes('x-www-form-urlencoded') === true;
  const token = tokenOf(world, exchange.authorization);
  const isGet = exchange.note?.startsWith('GET ') === true;
  const response = await fetch(url, {
    method: isGet ? 'GET' : 'POST',
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(!isGet && { body: typeof request === 'string' ? request : JSON.stringify(request) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? '' : JSON.parse(text) };
}

export function tokenOf(world: World, authorization: Exchange['authorization']): string | undefined {
  switch (authorization) {
    case 'none':
      return undefined;
    case 'wrong':
      return 'wrong';
    case 'read':
      return world.node.tokens.issue(['read']);
    default:
      return world.devnet.adminToken;
  }
}

function compare(exchange: Exchange, answered: { status: number; body: unknown }): void {
  if (answered.status !== exchange.httpStatus) {
    throw new Error(
      `HTTP status is ${answered.status}, recorded is ${exchange.httpStatus}: ${JSON.stringify(answered.body).slice(0, 300)}`,
    );
  }
  compareAnswers(answered.body, exchange.response);
}

/** Form, ids, methods, error codes, error data and error texts. */
export function compareAnswers(body: unknown, recorded: unknown): void {
  const errors = [field(body, 'error', 'message'), field(recorded, 'error', 'message')].map((text) =>
    errorTemplate(String(text)),
  );
  if (errors[0] !== errors[1]) {
    throw new Error(
      `error is ${JSON.stringify(field(body, 'error'))}, recorded is ${JSON.stringify(field(recorded, 'error'))}`,
    );
  }
  for (const path of [['id'], ['method'], ['error', 'code'], ['error', 'data']]) {
    const [got, wanted] = [field(body, ...path), field(recorded, ...path)];
    if (got !== wanted) throw new Error(`${path.join('.')} is ${String(got)}, recorded is ${String(wanted)}`);
  }
  const found = difference(body, recorded);
  if (found !== undefined) throw new Error(found);
}
