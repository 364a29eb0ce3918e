import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../clock/clock.ts';
import { writeTogether } from '../clock/write-together.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { OpenSocket } from './open-socket.ts';

/** The largest thing ever sent is a task of 1.65 MB; eight slots wait for eight of them. */
const MAX_BUFFERED_BYTES = 64 * 2 ** 20;
/** With more than this on the way, whoever can wait does: a manager of many miners submits hundreds of tasks at once. */
const ROOM_BYTES = 16 * 2 ** 20;
export const CONNECTION_LOST = 'connection lost';
const LOOK_MS = 5_000;
/** A full task needs 0.5 Mbit/s to be out in this time. */
const SLOW_LOOKS = 6;

/** Writes to a socket; ends one whose other side does not read, so that nothing piles up here. */
export class SocketWriter {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #logger: Logger;
  readonly #waiting: (() => void)[] = [];
  #handedOver = 0;
  #written = 0;

  constructor(components: { readonly clock: Clock; readonly logger: Logger } & OpenSocket) {
    this.#socket = components.socket;
    this.#stream = components.stream;
    this.#logger = components.logger;
    this.#watch(components.clock);
    this.#socket.once('close', () => this.#wake());
  }

  /** Resolves when the system has it; rejects when the socket is closed, or ends it as a slow one. */
  write(message: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.#end();
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error(CONNECTION_LOST));
        return;
      }
      this.#handedOver++;
      writeTogether(this.#stream);
      this.#socket.send(message, (error) => {
        this.#written++;
        this.#wake();
        if (error) reject(new Error(CONNECTION_LOST));
        else resolve();
      });
    });
  }

  /** Resolves when little is on the way, or the socket is closed. */
  async room(): Promise<void> {
    while (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount > ROOM_BYTES) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** What was handed over at the time of the mark must be out a few looks later. */
  #watch(clock: Clock): void {
    let mark = 0;
    let looks = 0;
    const look = (): void => {
      if (this.#written >= mark) {
        mark = this.#handedOver;
        looks = 0;
      } else if (++looks >= SLOW_LOOKS) {
        this.#end();
        return;
      }
      callOff = clock.after(LOOK_MS, look);
    };
    let callOff = clock.after(LOOK_MS, look);
    this.#socket.once('close', () => callOff());
  }

  #end(): void {
    const bytes = this.#socket.bufferedAmount;
    this.#logger.warn({ bytes }, 'rpc: the other side does not read what it is sent: connection ended');
    this.#socket.terminate();
  }
}
