import { JSONRPCErrorException, JSONRPCServer } from 'json-rpc-2.0';
import type { SectorIndex } from '../../../stores/index/sector-index.ts';
import { gatheredFinds } from './gathered-finds.ts';
import { refusedCalls } from './refused-calls.ts';
import { findParams, locationOf } from './sector-location.ts';

export interface Caller {
  /** It is on this machine, or showed a token with scope `read`. */
  readonly mayRead: boolean;
}

/** What go-jsonrpc gives an error that has no code of its own. */
const ERROR = 1;
const INVALID_PARAMS = -32602;

/** The messages begin with the name and a colon. */
export const venusErrors = {
  'token-needed': {
    code: ERROR,
    text: 'on another machine the sector index is read with a token of scope read ([Common.Metrics] TokenFile, WDPOST_TOKEN)',
  },
  'bad-params': { code: INVALID_PARAMS, text: 'expected ["normal" or "upgrade", {"Miner": number, "Number": number}]' },
  'sealing-not-served': {
    code: ERROR,
    text: 'this manager makes no sectors; leave sealing workers with the manager that they had',
  },
} as const;

export const FIND = 'SectorIndexerFind';

/** The namespace `Venus` of a manager, as far as it is here; the rest of what workers call is refused by name. */
export function venusMethods(index: Pick<SectorIndex, 'locate'>): JSONRPCServer<Caller> {
  const server = new JSONRPCServer<Caller>({ errorListener: () => {} });
  const find = gatheredFinds(index);
  server.addMethod(`Venus.${FIND}`, async (params: unknown, { mayRead }: Caller) => {
    if (!mayRead) throw refusal('token-needed');
    const parsed = findParams.safeParse(params);
    if (!parsed.success) throw refusal('bad-params');
    const [kind, { Miner, Number: number }] = parsed.data;
    return locationOf(await find(Miner, { number, upgraded: kind === 'upgrade' }));
  });
  for (const name of refusedCalls) {
    server.addMethod(`Venus.${name}`, () => {
      throw refusal('sealing-not-served', `Venus.${name}: `);
    });
  }
  return server;
}

function refusal(name: keyof typeof venusErrors, about = ''): JSONRPCErrorException {
  const { code, text } = venusErrors[name];
  return new JSONRPCErrorException(`${name}: ${about}${text}`, code);
}
