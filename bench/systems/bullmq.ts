import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Payload, payloadOf, textOf } from './payload.ts';
import { CONCURRENCY, type System } from './system.ts';

const QUEUE = 'prove';

export const bullmqAlways = bullmq('always', 'redis-always');
export const bullmqEverysec = bullmq('everysec', 'redis-everysec');

function bullmq(fsync: string, server: 'redis-always' | 'redis-everysec'): System {
  return {
    name: `bullmq-${fsync}`,
    about: `BullMQ 6, Redis 7 with appendfsync ${fsync}`,
    server,
    async prepare(servers) {
      const place = await servers.socket(server);
      const redis = new Redis(place);
      await redis.flushall();
      redis.disconnect();
      return place;
    },
    async producer(place) {
      const connection = new Redis(place, { maxRetriesPerRequest: null });
      const queue = new Queue<Payload>(QUEUE, { connection });
      await queue.waitUntilReady();
      return {
        async enqueue(task) {
          await queue.add('prove', payloadOf(task), { removeOnComplete: true });
        },
        async close() {
          await queue.close();
          connection.disconnect();
        },
      };
    },
    async consumer(place, hooks) {
      const connection = new Redis(place, { maxRetriesPerRequest: null });
      const options = { connection, concurrency: CONCURRENCY };
      const worker = new Worker<Payload>(
        QUEUE,
        async (job) => hooks.handle(textOf(job.data)).toString('base64'),
        options,
      );
      worker.on('completed', () => hooks.finished());
      await worker.waitUntilReady();
      return {
        async close() {
          await worker.close();
          connection.disconnect();
        },
      };
    },
  };
}
