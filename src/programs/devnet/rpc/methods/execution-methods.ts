import { actorId, formatAddress } from '../../../../filecoin/address.ts';
import { type Message, messageCid } from '../../../../filecoin/message.ts';
import { findAccount, type Receipt } from '../../chain/apply-message.ts';
import { BASE_FEE, messageCost } from '../../chain/gas.ts';
import { type FoundMessage, searchMessage } from '../../chain/search.ts';
import type { Node } from '../../node.ts';
import { tryMessage } from '../estimate.ts';
import { base64, cidJson, messageJson, placeholderCid, receiptJson } from '../json.ts';
import { tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { bool, cid, epoch, message as messageParam, tipSetKey, uint } from '../params.ts';
import type { Methods } from '../protocol.ts';
import { RpcCode, rpcError } from '../rpc-error.ts';

/** What nodes put in for the gas limit of a call; more than a JavaScript number holds exactly. */
const CALL_GAS_LIMIT = 2 ** 62;
const CBOR_CODEC = 81;

export function executionMethods({ chain }: Node): Methods {
  return {
    'Filecoin.StateSearchMsg': method('read', [tipSetKey, cid, epoch, bool], (key, wanted, limit, allowReplaced) => {
      const found = searchMessage(chain, tipSetAt(chain, key), wanted, limit, allowReplaced);
      return found === undefined ? null : lookupJson(found);
    }),
    'Filecoin.StateWaitMsg': method('read', [cid, uint, epoch, bool], (wanted, confidence, limit, allowReplaced) => {
      if (chain.message(wanted) === undefined)
        throw rpcError(RpcCode.plain, `failed to load message: ipld: could not find ${wanted}`);
      return new Promise((resolve) => {
        let stop: () => void = () => undefined;
        const look = (): void => {
          const found = searchMessage(chain, chain.head, wanted, limit, allowReplaced);
          if (found === undefined || chain.head.height - found.tipSet.height < confidence) return;
          stop();
          resolve(lookupJson(found));
        };
        stop = chain.onChange(look);
        look();
      });
    }),
    'Filecoin.StateCall': method('read', [messageParam, tipSetKey], async (message, key) => {
      const tipSet = tipSetAt(chain, key);
      const nonce = findAccount(tipSet.state, message.from)?.nonce ?? 0;
      const called = { ...message, nonce };
      const { receipt } = await tryMessage(chain, tipSet, tipSet.state, called);
      const none = { used: 0, burn: 0n, tip: 0n, cost: 0n, message: null };
      return invocationJson(
        called,
        messageCid(called).toString(),
        receipt,
        CALL_GAS_LIMIT,
        none,
        callerOf(tipSet.state, called),
      );
    }),
    'Filecoin.StateReplay': method('read', [tipSetKey, cid], (key, wanted) => {
      const found = searchMessage(chain, tipSetAt(chain, key), wanted, -1, false);
      if (found === undefined) throw rpcError(RpcCode.plain, 'message not found');
      const { message } = found.message.signed;
      const used = found.receipt.gasUsed;
      const burn = BigInt(used) * BASE_FEE;
      const cost = messageCost(message, used);
      const paid = { used, burn, tip: cost - burn, cost, message: cidJson(wanted) };
      return invocationJson(
        message,
        wanted,
        found.receipt,
        message.gasLimit,
        paid,
        callerOf(found.included.state, message),
      );
    }),
  };
}

const callerOf = (state: Parameters<typeof findAccount>[0], message: Message): string => {
  const account = findAccount(state, message.from);
  return account === undefined ? formatAddress(message.from) : `t0${account.id}`;
};

function lookupJson({ message, receipt, tipSet }: FoundMessage): unknown {
  return {
    Message: cidJson(message.cid),
    Receipt: receiptJson(receipt),
    ReturnDec: null,
    TipSet: tipSet.key.map(cidJson),
    Height: tipSet.height,
  };
}

interface PaidGas {
  readonly used: number;
  readonly burn: bigint;
  readonly tip: bigint;
  readonly cost: bigint;
  readonly message: unknown;
}

/** The trace names the call and its outcome; what a virtual machine does inside has no counterpart here. */
function invocationJson(
  message: Message,
  id: string,
  receipt: Receipt,
  gasLimit: number,
  paid: PaidGas,
  from: string,
): unknown {
  const to = formatAddress(message.to);
  const params = message.params.length === 0 ? null : base64(message.params);
  return {
    MsgCid: cidJson(id),
    Msg: { ...messageJson(message), GasLimit: gasLimit, CID: cidJson(id) },
    MsgRct: receiptJson(receipt),
    GasCost: {
      Message: paid.message,
      GasUsed: String(paid.used),
      BaseFeeBurn: String(paid.burn),
      OverEstimationBurn: '0',
      MinerPenalty: '0',
      MinerTip: String(paid.tip),
      Refund: '0',
      TotalCost: String(paid.cost),
    },
    ExecutionTrace: {
      Msg: {
        From: from,
        To: to,
        Value: String(message.value),
        Method: message.method,
        Params: params,
        ParamsCodec: CBOR_CODEC,
        GasLimit: gasLimit,
        ReadOnly: false,
      },
      MsgRct: { ExitCode: receipt.exitCode, Return: null, ReturnCodec: 0 },
      InvokedActor: {
        Id: message.to.protocol === 0 ? Number(actorId(message.to)) : 0,
        State: {
          Code: placeholderCid('actor'),
          Head: placeholderCid(`actor/${to}`),
          Nonce: 0,
          Balance: '0',
          DelegatedAddress: null,
        },
      },
      GasCharges: [{ Name: 'OnMethodInvocation', tg: receipt.gasUsed, cg: receipt.gasUsed, sg: 0, tt: 0 }],
      Subcalls: null,
      IpldOps: [],
    },
    Error: receipt.error,
    Duration: 0,
  };
}
