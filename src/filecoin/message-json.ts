import { CodedError } from '../errors/coded-error.ts';
import { formatAddress, type NetworkPrefix, parseAddress } from './address.ts';
import { type Message, messageCid, type SignedMessage, signatureTypeNumbers, signatureTypeOf } from './message.ts';

/** A message as Lotus' JSON-RPC takes and gives it: amounts are decimal strings, `Params` is base64 or null. */
export interface LotusMessage {
  readonly Version: number;
  readonly To: string;
  readonly From: string;
  readonly Nonce: number;
  readonly Value: string;
  readonly GasLimit: number;
  readonly GasFeeCap: string;
  readonly GasPremium: string;
  readonly Method: number;
  readonly Params: string | null;
  /** Output only; never read. */
  readonly CID?: { readonly '/': string };
}

export interface LotusSignedMessage {
  readonly Message: LotusMessage;
  readonly Signature: { readonly Type: number; readonly Data: string };
}

export function messageToJson(message: Message, network: NetworkPrefix = 't'): LotusMessage {
  return {
    Version: message.version,
    To: formatAddress(message.to, network),
    From: formatAddress(message.from, network),
    Nonce: message.nonce,
    Value: message.value.toString(),
    GasLimit: message.gasLimit,
    GasFeeCap: message.gasFeeCap.toString(),
    GasPremium: message.gasPremium.toString(),
    Method: message.method,
    Params: message.params.length === 0 ? null : Buffer.from(message.params).toString('base64'),
    CID: { '/': messageCid(message).toString() },
  };
}

/** @throws CodedError `bad-message`, `bad-address` */
export function messageFromJson(json: LotusMessage): Message {
  if (json.Version !== 0) throw new CodedError('bad-message', `message version ${json.Version} is unknown`);
  return {
    version: 0,
    to: parseAddress(json.To),
    from: parseAddress(json.From),
    nonce: json.Nonce,
    value: amount(json.Value),
    gasLimit: json.GasLimit,
    gasFeeCap: amount(json.GasFeeCap),
    gasPremium: amount(json.GasPremium),
    method: json.Method,
    params: fromBase64(json.Params ?? ''),
  };
}

export function signedMessageToJson(signed: SignedMessage, network: NetworkPrefix = 't'): LotusSignedMessage {
  const { type, data } = signed.signature;
  return {
    Message: messageToJson(signed.message, network),
    Signature: { Type: signatureTypeNumbers[type], Data: Buffer.from(data).toString('base64') },
  };
}

/** @throws CodedError `bad-message`, `bad-address` */
export function signedMessageFromJson(json: LotusSignedMessage): SignedMessage {
  const type = signatureTypeOf(json.Signature.Type);
  if (type === undefined) throw new CodedError('bad-message', `signature type ${json.Signature.Type} is unknown`);
  return { message: messageFromJson(json.Message), signature: { type, data: fromBase64(json.Signature.Data) } };
}

function amount(text: string): bigint {
  if (!/^-?[0-9]+$/.test(text))
    throw new CodedError('bad-message', `${JSON.stringify(text)} is not an amount in attoFIL`);
  return BigInt(text);
}

function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  // Buffer skips what is no base64.
  if (bytes.toString('base64') !== text) throw new CodedError('bad-message', 'a field of the message is not base64');
  return Uint8Array.from(bytes);
}
