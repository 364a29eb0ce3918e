import { errorText } from '../../../errors/coded-error.ts';
import { type Codec, decodeCbor } from '../../../filecoin/cbor.ts';
import { abort, Exit } from './abort.ts';

/** Parameters of a method; the error text says `Eof` for ones that were cut short, as the chain's decoder does. */
export function decodeParams<T>(codec: Codec<T>, params: Uint8Array): T {
  try {
    return decodeCbor(codec, params);
  } catch (error) {
    const text = errorText(error);
    const cutShort = params.length === 0 || /not enough|unexpected end|too short/i.test(text);
    throw abort(Exit.serialization, `Serialization error for Cbor protocol: ${cutShort ? 'Eof' : text}`);
  }
}
