import { WebSocket } from 'ws';
import { writeTogether } from '../../../clock/write-together.ts';
import { errorText } from '../../../errors/coded-error.ts';

const HANDSHAKE_LIMIT_MS = 5_000;

export interface Line {
  /** Only after `onOpen`. */
  send(text: string): void;
  /** Nothing is heard of it any more. */
  hangUp(): void;
}

/**
 * A WebSocket to another manager. `onEnd` comes once, and never before this has returned.
 * @throws SyntaxError for an address that is none
 */
export function dial(
  url: string,
  init: {
    readonly token: string | undefined;
    readonly onOpen: () => void;
    readonly onMessage: (text: string) => void;
    readonly onEnd: (reason: string) => void;
  },
): Line {
  const socket = new WebSocket(url, {
    headers: init.token === undefined ? {} : { authorization: `Bearer ${init.token}` },
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
    perMessageDeflate: false,
  });
  let isOver = false;
  let send = (text: string): void => socket.send(text);
  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    socket.terminate();
    init.onEnd(reason);
  };
  socket.once('upgrade', ({ socket: stream }) => {
    send = (text) => {
      writeTogether(stream);
      socket.send(text);
    };
  });
  socket.once('open', () => {
    if (!isOver) init.onOpen();
  });
  socket.on('message', (data) => {
    if (!isOver) init.onMessage(String(data));
  });
  socket.on('error', (error) => end(errorText(error)));
  socket.once('close', () => end('it closed the connection'));
  return {
    send: (text) => send(text),
    hangUp() {
      isOver = true;
      socket.terminate();
    },
  };
}
