/** What one message of the WebSocket holds. */
export interface Frame {
  /** JSON-RPC. */
  readonly text: string;
  readonly attachment?: Uint8Array;
}

const LENGTH_BYTES = 4;

/** A binary message: the length of the text in bytes (4 bytes, big-endian), the text, the attachment. */
export function encodeFrame(text: string, attachment: Uint8Array): Buffer {
  const textBytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + textBytes + attachment.length);
  frame.writeUInt32BE(textBytes);
  frame.write(text, LENGTH_BYTES);
  frame.set(attachment, LENGTH_BYTES + textBytes);
  return frame;
}

/** Undefined for what is no frame. The attachment is a view of `data`, not a copy. */
export function decodeFrame(data: Buffer): Frame | undefined {
  if (data.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + data.readUInt32BE();
  if (end > data.length) return undefined;
  return { text: data.toString('utf8', LENGTH_BYTES, end), attachment: data.subarray(end) };
}
