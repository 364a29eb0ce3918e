import { CodedError } from '../../../errors/coded-error.ts';
import { type Address, parseAddress } from '../../../filecoin/address.ts';
import { Bitfield } from '../../../filecoin/bitfield.ts';
import { parseCid } from '../../../filecoin/cid.ts';
import type { Message, SignedMessage } from '../../../filecoin/message.ts';
import { type LotusMessage, messageFromJson, signedMessageFromJson } from '../../../filecoin/message-json.ts';
import { RandomnessTag } from '../../../filecoin/randomness.ts';

/** A parameter of a method: its type in the node's error texts, and how it is read. `read` throws with the node's reason. */
export interface Param<T> {
  readonly goType: string;
  readonly read: (json: unknown) => T;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  object: 'object',
};

function mismatch(json: unknown, goType: string): Error {
  const kind = Array.isArray(json) ? 'array' : (kinds[typeof json] ?? 'value');
  return new CodedError('bad-param', `json: cannot unmarshal ${kind} into Go value of type ${goType}`);
}

function whole(goType: string, lowest: number): Param<number> {
  return {
    goType: `*${goType}`,
    read(json) {
      if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < lowest) throw mismatch(json, goType);
      return json;
    },
  };
}

export const uint = whole('uint64', 0);
export const int = whole('int64', -Number.MAX_SAFE_INTEGER);
export const epoch = whole('abi.ChainEpoch', -Number.MAX_SAFE_INTEGER);
export const sectorNumber = whole('abi.SectorNumber', 0);

export const randomnessTag: Param<RandomnessTag> = {
  goType: '*crypto.DomainSeparationTag',
  read(json) {
    const tag = Object.values(RandomnessTag).find((known) => known === json);
    if (tag === undefined) throw mismatch(json, 'crypto.DomainSeparationTag');
    return tag;
  },
};

export const bool: Param<boolean> = {
  goType: '*bool',
  read(json) {
    if (typeof json !== 'boolean') throw mismatch(json, 'bool');
    return json;
  },
};

export const strings: Param<readonly string[]> = {
  goType: '*[]auth.Permission',
  read(json) {
    if (!Array.isArray(json) || !json.every((item) => typeof item === 'string'))
      throw mismatch(json, '[]auth.Permission');
    return json;
  },
};

/** Base64; null is empty. */
export const bytes: Param<Uint8Array> = {
  goType: '*[]uint8',
  read(json) {
    if (json === null) return new Uint8Array();
    if (typeof json !== 'string') throw mismatch(json, '[]uint8');
    return Uint8Array.from(Buffer.from(json, 'base64'));
  },
};

export const address: Param<Address> = {
  goType: '*address.Address',
  read(json) {
    if (typeof json !== 'string') throw mismatch(json, 'string');
    try {
      return parseAddress(json);
    } catch {
      throw new CodedError('bad-param', /^[ft]0/.test(json) ? 'invalid address payload' : 'invalid encoding');
    }
  },
};

export const cid: Param<string> = { goType: '*cid.Cid', read: readCid };

/** CIDs of the blocks; null as well as `[]` is the empty key. */
export const tipSetKey: Param<readonly string[]> = {
  goType: '*types.TipSetKey',
  read(json) {
    if (json === null) return [];
    if (!Array.isArray(json)) throw mismatch(json, '[]cid.Cid');
    return json.map(readCid);
  },
};

export const bitfield: Param<Bitfield | null> = {
  goType: '**bitfield.BitField',
  read: (json) => (json === null ? null : Bitfield.fromJsonRuns(json)),
};

export const message: Param<Message> = { goType: '**types.Message', read: readMessage };

export const signedMessage: Param<SignedMessage> = {
  goType: '**types.SignedMessage',
  read(json) {
    if (!isObject(json) || !isObject(json.Signature)) throw mismatch(json, 'types.SignedMessage');
    const { Type, Data } = json.Signature;
    if (typeof Type !== 'number' || typeof Data !== 'string') throw mismatch(json.Signature, 'crypto.Signature');
    return signedMessageFromJson({ Message: messageJson(json.Message), Signature: { Type, Data } });
  },
};

/** How a message is to be sent; amounts in attoFIL, 0 for the node's default. */
export interface SendSpec {
  readonly maxFee: bigint;
  readonly uuid: string | null;
}

export const sendSpec: Param<SendSpec> = {
  goType: '**api.MessageSendSpec',
  read(json) {
    if (json === null) return { maxFee: 0n, uuid: null };
    if (!isObject(json)) throw mismatch(json, 'api.MessageSendSpec');
    const { MaxFee: maxFee, MsgUuid: uuid } = json;
    if (maxFee !== undefined && (typeof maxFee !== 'string' || !/^[0-9]+$/.test(maxFee)))
      throw mismatch(maxFee, 'big.Int');
    const isSet = typeof uuid === 'string' && uuid !== '00000000-0000-0000-0000-000000000000';
    return { maxFee: BigInt(maxFee ?? 0), uuid: isSet ? uuid : null };
  },
};

function readMessage(json: unknown): Message {
  return messageFromJson(messageJson(json));
}

function messageJson(json: unknown): LotusMessage {
  if (!isObject(json)) throw mismatch(json, 'types.RawMessage');
  const text = (field: string, otherwise: string): string => {
    const value = json[field] ?? otherwise;
    if (typeof value !== 'string') throw mismatch(value, 'string');
    return value;
  };
  const number = (field: string): number => whole('uint64', 0).read(json[field] ?? 0);
  return {
    Version: number('Version'),
    To: text('To', ''),
    From: text('From', ''),
    Nonce: number('Nonce'),
    Value: text('Value', '0'),
    GasLimit: number('GasLimit'),
    GasFeeCap: text('GasFeeCap', '0'),
    GasPremium: text('GasPremium', '0'),
    Method: number('Method'),
    Params: text('Params', ''),
  };
}

function readCid(json: unknown): string {
  if (!isObject(json) || typeof json['/'] !== 'string') throw mismatch(json, 'cid.Cid');
  try {
    return parseCid(json['/']).toString();
  } catch {
    throw new CodedError('bad-param', 'invalid cid: invalid cid: selected encoding not supported');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
