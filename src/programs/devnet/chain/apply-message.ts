import { CodedError } from '../../../errors/coded-error.ts';
import type { Verifier } from '../../../ext-processor/verifier.ts';
import { type Address, actorId, formatAddress, sameAddress } from '../../../filecoin/address.ts';
import type { Message } from '../../../filecoin/message.ts';
import { abort, Exit, exitNames } from '../actor/abort.ts';
import type { ChainRandomness, VerifiedPost } from '../actor/context.ts';
import { invokeMiner } from '../actor/invoke.ts';
import { type Account, type ChainState, withAccount, withMiner } from '../state/chain-state.ts';
import type { MinerState } from '../state/miner-state.ts';
import { gasUsed, messageCost } from './gas.ts';

export interface Receipt {
  readonly exitCode: number;
  /** Empty where the exit code is 0. */
  readonly error: string;
  readonly gasUsed: number;
  readonly verified?: VerifiedPost;
}

export interface Execution {
  /** Unchanged where the message failed. */
  readonly state: ChainState;
  readonly receipt: Receipt;
}

export interface ExecutionInit {
  readonly epoch: number;
  /** CID of the message. */
  readonly cid: string;
  readonly randomness: ChainRandomness;
}

const ATTO = 10n ** 18n;

export function findAccount(state: ChainState, address: Address): Account | undefined {
  if (address.protocol === 0) return state.accounts.get(Number(actorId(address)));
  return [...state.accounts.values()].find(({ key }) => sameAddress(key, address));
}

export function findMiner(state: ChainState, address: Address): MinerState | undefined {
  return address.protocol === 0 ? state.miners.get(Number(actorId(address))) : undefined;
}

/** Executes a message without nonce and fees: what an estimate and a call do. */
export async function executeMessage(
  { verifier }: { readonly verifier: Pick<Verifier, 'verify'> },
  init: ExecutionInit,
  state: ChainState,
  sender: Account,
  message: Message,
): Promise<Execution> {
  try {
    const paid = transfer(state, sender, message);
    const miner = findMiner(paid, message.to);
    if (miner === undefined) return { state: paid, receipt: success(message, undefined) };
    const context = { ...init, verifier, caller: sender.id, message: init.cid };
    const result = await invokeMiner(context, miner, message.method, message.params, paid.accounts.values());
    return { state: withMiner(paid, result.miner), receipt: success(message, result.verified) };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'actor-abort') throw error;
    return { state, receipt: failure(message, error) };
  }
}

/** Executes a message of a block: the sender's nonce grows and the fee is paid whatever its outcome. */
export async function applyMessage(
  components: { readonly verifier: Pick<Verifier, 'verify'> },
  init: ExecutionInit,
  state: ChainState,
  sender: Account,
  message: Message,
): Promise<Execution> {
  const executed = await executeMessage(components, init, state, sender, message);
  const outOfGas = executed.receipt.gasUsed > message.gasLimit;
  const receipt = outOfGas
    ? { exitCode: Exit.outOfGas, error: 'out of gas', gasUsed: message.gasLimit }
    : executed.receipt;
  const after = outOfGas ? state : executed.state;
  const account = after.accounts.get(sender.id) ?? sender;
  const balance = account.balance - messageCost(message, receipt.gasUsed);
  return { state: withAccount(after, { ...account, nonce: account.nonce + 1, balance }), receipt };
}

function transfer(state: ChainState, sender: Account, message: Message): ChainState {
  if (message.value === 0n) return state;
  if (sender.balance < message.value) {
    const amounts = `balance ${fil(sender.balance)}, transfer ${fil(message.value)}`;
    const text = `send::send -- sender does not have funds to transfer (${amounts}) (5: insufficient funds)`;
    throw abort(Exit.insufficientFunds, '', text);
  }
  const paid = withAccount(state, { ...sender, balance: sender.balance - message.value });
  const receiver = findAccount(paid, message.to);
  return receiver === undefined ? paid : withAccount(paid, { ...receiver, balance: receiver.balance + message.value });
}

function success(message: Message, verified: VerifiedPost | undefined): Receipt {
  const used = gasUsed(message, { failed: false, verified: verified !== undefined });
  return { exitCode: 0, error: '', gasUsed: used, ...(verified && { verified }) };
}

function failure(message: Message, error: CodedError): Receipt {
  const exitCode = Number(error.data.exitCode);
  const frame =
    error.message === ''
      ? ''
      : `00: ${formatAddress(message.to, 'f')} (method ${message.method}) -- ${error.message} (${exitCode})\n`;
  const cause = typeof error.data.causedBy === 'string' ? `--> caused by: ${error.data.causedBy}\n` : '';
  return {
    exitCode,
    error: `message failed with backtrace:\n${frame}${cause} (RetCode=${exitCode})`,
    gasUsed: gasUsed(message, { failed: true, verified: false }),
  };
}

/** `ErrIllegalArgument(16)`, as nodes print exit codes. */
export const exitText = (exitCode: number): string => `${exitNames[exitCode] ?? 'Unknown'}(${exitCode})`;

function fil(amount: bigint): string {
  const fraction = (amount % ATTO).toString().padStart(18, '0').replace(/0+$/, '');
  return `${amount / ATTO}.${fraction === '' ? '0' : fraction}`;
}
