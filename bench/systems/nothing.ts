import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CONCURRENCY, type System } from './system.ts';

/** A list in the producer's memory, handed out line by line over a Unix socket: what the harness and the handler alone allow. */
export const nothing: System = {
  name: 'nothing',
  about: 'no queue at all: a list in memory behind a Unix socket',
  server: null,
  async prepare(_, stage) {
    return join(stage.dir, 'nothing.sock');
  },
  async producer(place, hooks) {
    const waiting: string[] = [];
    const free: Socket[] = [];
    const give = (): void => {
      while (free.length > 0 && waiting.length > 0) free.shift()?.write(`${waiting.shift()}\n`);
    };
    const server = createServer((socket) => {
      // A consumer says `free` for each slot, and `done` where it had a task before.
      createInterface({ input: socket }).on('line', (line) => {
        if (line === 'done') hooks.finished();
        free.push(socket);
        give();
      });
      socket.on('error', () => {});
    });
    server.listen(place);
    return {
      async enqueue(task) {
        waiting.push(JSON.stringify(task));
        give();
      },
      async close() {
        server.close();
      },
    };
  },
  async consumer(place, hooks) {
    const socket = createConnection(place);
    createInterface({ input: socket }).on('line', (text) => {
      hooks.handle(text);
      socket.write('done\n');
    });
    socket.write('free\n'.repeat(CONCURRENCY));
    return {
      async close() {
        socket.destroy();
      },
    };
  },
};
