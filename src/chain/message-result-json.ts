import { z } from 'zod';
import { type LotusMessage, messageFromJson, signedMessageFromJson } from '../filecoin/message-json.ts';
import { bytesJson, cidJson, listJson, readWith, tipSetKeyJson } from './json-values.ts';
import type { MessageLookup } from './message-lookup.ts';

const messageFields = z.object({
  Version: z.int(),
  To: z.string(),
  From: z.string(),
  Nonce: z.int(),
  Value: z.string(),
  // StateCall answers with one above 2^53.
  GasLimit: z.number(),
  GasFeeCap: z.string(),
  GasPremium: z.string(),
  Method: z.int(),
  Params: z.string().nullable(),
}) satisfies z.ZodType<LotusMessage>;

export const messageJson = messageFields.transform(readWith(messageFromJson));

export const signedMessageJson = z
  .object({ Message: messageFields, Signature: z.object({ Type: z.int(), Data: z.string() }) })
  .transform(readWith(signedMessageFromJson));

/** Of all the network: kinds of signatures that we do not know are left out. */
export const pendingJson = listJson(z.unknown()).transform((list) =>
  list.flatMap((json) => signedMessageJson.safeParse(json).data ?? []),
);

const receiptJson = z.object({ ExitCode: z.int(), Return: bytesJson, GasUsed: z.int() });

export const messageLookupJson = z
  .object({ Message: cidJson, Receipt: receiptJson, TipSet: tipSetKeyJson, Height: z.int() })
  .transform(
    ({ Message, Receipt, TipSet, Height }): MessageLookup => ({
      cid: Message,
      exitCode: Receipt.ExitCode,
      return: Receipt.Return,
      gasUsed: Receipt.GasUsed,
      height: Height,
      tipSet: TipSet,
    }),
  );

/** The outcome of a message that was executed without being sent. */
export const invocationJson = z.object({ Msg: messageFields, MsgRct: receiptJson, Error: z.string() });
