import type { WebSocket } from 'ws';
import type { Clock } from '../clock/clock.ts';

const PING_MS = 5_000;
/** Three pings unanswered. As long as the default heartbeat_timeout of the master. */
const SILENCE_LIMIT_MS = 15_000;

/** Ends a socket whose other side is gone without a word: a pulled cable, a machine that lost power, a stopped process. */
export function watchLiveness(components: { readonly clock: Clock; readonly socket: WebSocket }): void {
  const { clock, socket } = components;
  let heardAt = clock.monotonic();
  let beatAt = heardAt;
  const heard = (): void => {
    heardAt = clock.monotonic();
  };
  socket.on('pong', heard).on('ping', heard).on('message', heard);
  const beat = (): void => {
    // Late itself: this process stood still, which says nothing about the other side.
    if (clock.monotonic() - beatAt >= 2 * PING_MS) heard();
    beatAt = clock.monotonic();
    if (clock.monotonic() - heardAt >= SILENCE_LIMIT_MS) socket.terminate();
    else socket.ping();
    callOff = clock.after(PING_MS, beat);
  };
  let callOff = clock.after(PING_MS, beat);
  socket.once('close', () => callOff());
}

/** Whether anything is heard from the other side within the limit. */
export function answersPing(
  { clock, socket }: { readonly clock: Clock; readonly socket: WebSocket },
  limitMs: number,
): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isHeard: boolean) => (): void => {
      callOff();
      socket.off('pong', heard).off('message', heard).off('close', silent);
      resolve(isHeard);
    };
    const heard = end(true);
    const silent = end(false);
    const callOff = clock.after(limitMs, silent);
    socket.on('pong', heard).on('message', heard).once('close', silent);
    socket.ping();
  });
}
