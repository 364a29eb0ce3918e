import { z } from 'zod';
import { cidJson } from '../chain/json-values.ts';
import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import { messageToJson } from '../filecoin/message-json.ts';
import type { FeeRules } from './settings.ts';

const CALL_LIMIT_MS = 30_000;

/** Its own numbers of states (venus-shared/types/messager). What it cannot tell it calls 0. */
const STATES = ['waiting', 'waiting', 'signed', 'on-chain', 'failed', 'nonce-conflict', 'failed'] as const;

const answerJson = z.object({
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).nullish(),
});

const heldJson = z
  .object({
    SignedCid: cidJson.nullish(),
    GasLimit: z.number(),
    GasFeeCap: z.string(),
    GasPremium: z.string(),
    Receipt: z.object({ ExitCode: z.int() }).nullish(),
    State: z
      .int()
      .min(0)
      .max(STATES.length - 1),
    ErrorMsg: z.string().nullish(),
  })
  .transform(({ SignedCid, GasLimit, GasFeeCap, GasPremium, Receipt, State, ErrorMsg }) => ({
    state: STATES[State] ?? 'waiting',
    /** Undefined until it is signed. */
    cid: SignedCid?.toString(),
    gasLimit: GasLimit,
    gasFeeCap: BigInt(GasFeeCap),
    gasPremium: BigInt(GasPremium),
    exitCode: Receipt?.ExitCode,
    /** Why it was not signed; empty: no reason. */
    error: ErrorMsg ?? '',
  }));

/** A message as the messager has it. */
export type HeldMessage = z.output<typeof heldJson>;

/**
 * A venus-messager (sophon-messager), which gives nonces and has messages signed and pushed. Every call rejects with CodedError
 * `messager-unavailable` (not reached, no answer in time) or `messager-error` {nodeMessage}.
 */
export interface Messager {
  /** Whether a wallet behind it has the key of this account. It asks the token's user to be one who may use this signer. */
  walletHas(key: Address): Promise<boolean>;
  get(uid: string): Promise<HeldMessage | undefined>;
  /** Does nothing when it has one of this id. `message` without gas; `maxFee` in attoFIL. */
  push(uid: string, message: Message, rules: FeeRules, maxFee: bigint): Promise<void>;
  /** Signs a message that is in the pool again, with higher fees; false where the token may not. */
  replace(uid: string, maxFee: bigint): Promise<boolean>;
  /** Gives up a message that has no nonce; false where the token may not. */
  markBad(uid: string): Promise<boolean>;
}

/** A messager by JSON-RPC over HTTP. */
export function connectMessager(
  { clock }: { readonly clock: Clock },
  { url, token }: { readonly url: string; readonly token?: string | undefined },
): Messager {
  const address = messagerUrl(url);
  const shown = shownUrl(address);
  let lastId = 0;

  const post = async (request: object, signal: AbortSignal): Promise<z.output<typeof answerJson>> => {
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-VENUS-API-NAMESPACE': 'messager.IMessager',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(request),
      signal,
    });
    if (response.status === 401) throw new Error('it refuses the token; check the configured one');
    if (!response.ok && response.status !== 500) throw new Error(`it answers ${response.status}; check the address`);
    return answerJson.parse(await response.json());
  };

  const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const ending = new AbortController();
    const request = { jsonrpc: '2.0', id: ++lastId, method: `Message.${method}`, params };
    try {
      const asked = post(request, ending.signal);
      const { result, error } = await withTimeLimit(clock, CALL_LIMIT_MS, `the messager's ${method}`, asked);
      if (!error) return result;
      throw new CodedError('messager-error', `the messager answered ${method} with: ${error.message}`, {
        nodeMessage: error.message,
      });
    } catch (cause) {
      if (cause instanceof CodedError && cause.code === 'messager-error') throw cause;
      // fetch names the whole URL in some of its errors.
      const why = errorText(cause).replaceAll(address, shown);
      throw new CodedError('messager-unavailable', `messager ${shown} cannot be used: ${why}`);
    } finally {
      ending.abort();
    }
  };

  const unlessForbidden = async (asked: Promise<unknown>): Promise<boolean> => {
    try {
      await asked;
      return true;
    } catch (error) {
      if (/permission|forbidden|unauthori[sz]ed/i.test(messagerText(error))) return false;
      throw error;
    }
  };

  return {
    walletHas: async (key) => (await call('WalletHas', [formatAddress(key)])) === true,
    async get(uid) {
      if ((await call('HasMessageByUid', [uid])) !== true) return undefined;
      const parsed = heldJson.safeParse(await call('GetMessageByUid', [uid]));
      if (parsed.success) return parsed.data;
      throw new CodedError('messager-unavailable', 'the messager answered GetMessageByUid in an unknown form', {
        cause: parsed.error,
      });
    },
    async push(uid, message, { gasOverEstimation, gasOverPremium, gasFeeCap }, maxFee) {
      const spec = { expireEpoch: 0, gasOverEstimation, gasOverPremium, maxFee: maxFee.toString() };
      try {
        await call('PushMessageWithId', [uid, messageToJson({ ...message, gasFeeCap }), spec]);
      } catch (error) {
        if (!/duplicate|unique constraint/i.test(messagerText(error))) throw error;
      }
    },
    replace: (uid, maxFee) =>
      unlessForbidden(
        call('ReplaceMessage', [
          {
            ID: uid,
            Auto: true,
            MaxFee: maxFee.toString(),
            GasLimit: 0,
            GasPremium: '0',
            GasFeecap: '0',
            GasOverPremium: RAISE,
          },
        ]),
      ),
    markBad: (uid) => unlessForbidden(call('MarkBadMessage', [uid])),
  };
}

/** The messager takes the larger of 1.25 times what the node estimates now and the least that the pool takes as a replacement. */
const RAISE = 1.25;

/** Its own words; '' for errors that are not its answers. */
function messagerText(error: unknown): string {
  return error instanceof CodedError && error.code === 'messager-error' ? String(error.data.nodeMessage) : '';
}

/** HTTP serves the same port as the WebSocket; the path is the messager's own unless one was written. */
function messagerUrl(url: string): string {
  const http = url.replace(/^ws/i, 'http');
  return /^https?:\/\/[^/]+\/./i.test(http) ? http : `${http.replace(/\/+$/, '')}/rpc/v0`;
}
