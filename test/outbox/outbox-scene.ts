import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { idAddress, parseAddress } from '../../src/filecoin/address.ts';
import { addIntent, type Intent } from '../../src/outbox/add-intent.ts';
import { type MessageState, messageStates } from '../../src/outbox/message-states.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { type Carrier, nodeFees, type SendingMiner } from '../../src/outbox/settings.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { KilledProcess } from './killed.ts';
import { PoolStandIn } from './pool-stand-in.ts';

const MINER = 1001;
const CONFIDENCE = 3;

/** An outbox on a real database, with a scripted node that has a pool and a chain; fresh for each test. */
export class OutboxScene {
  carrier: Carrier = { kind: 'own' };
  /** Of each new outbox. */
  miner: Partial<SendingMiner> = {};
  alerts = new RecordedAlerts();
  readonly #database: TestDatabase;
  readonly pool: PoolStandIn;
  readonly chain: Chain;

  constructor(init: { readonly database: TestDatabase; readonly pool: PoolStandIn }) {
    this.#database = init.database;
    this.pool = init.pool;
    this.chain = connectChain({ clock: systemClock, logger: silentLogger }, { url: init.pool.node.url });
  }

  get db(): TestDatabase['db'] {
    return this.#database.db;
  }

  outbox(chain = this.chain, db: KilledProcess['db'] = this.db, carrier = this.carrier): Outbox {
    const miner = {
      minerId: MINER,
      address: idAddress(MINER),
      senders: [this.pool.senderId],
      sealingSenders: [],
      fees: nodeFees,
      ...this.miner,
    };
    const components = { clock: systemClock, logger: silentLogger, alerts: this.alerts };
    return new Outbox({ ...components, chain, db }, { carrier, miners: [miner] });
  }

  async intend(text: string, more: Partial<Intent> = {}): Promise<string> {
    return await this.db.transaction((trx) =>
      addIntent(trx, {
        minerId: MINER,
        purpose: 'submit',
        runId: null,
        sender: this.pool.senderId,
        recipient: parseAddress('t01001'),
        method: 5,
        params: Buffer.from(text),
        maxFee: 10n ** 18n,
        expiresEpoch: null,
        confidence: CONFIDENCE,
        ...more,
      }),
    );
  }

  async stateOf(id: string): Promise<MessageState | undefined> {
    return (await messageStates(this.db, [id])).get(id);
  }

  async row(id: string) {
    return await this.db.kysely.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  /** Epochs pass until the message is finished. */
  async finish(id: string, box = this.outbox(), limit = 60): Promise<MessageState | undefined> {
    for (let epoch = 0; epoch < limit; epoch++) {
      const state = await this.stateOf(id);
      if (!['intended', 'handing', 'signed', 'pushed'].includes(state?.state ?? '')) return state;
      await box.advance(this.pool.mine());
    }
    return await this.stateOf(id);
  }

  /**
   * Kills a process after each of its effects in turn; the next one must bring the message to its end. Gives the number of
   * effects that the whole way has.
   */
  async killAtEachEffect(
    check: (end: MessageState | undefined, text: string) => void,
    carrierOf: (process: KilledProcess) => Carrier = () => this.carrier,
  ): Promise<number> {
    for (let atEffect = 1; ; atEffect++) {
      const text = `killed at ${atEffect}`;
      const id = await this.intend(text);
      const process = new KilledProcess(this.chain, this.db, atEffect);
      const mortal = this.outbox(process.chain, process.db, carrierOf(process));
      const survived = await Promise.race([process.killed, this.finish(id, mortal).catch(() => process.killed)]);
      check(survived ?? (await this.finish(id)), text);
      if (survived) return atEffect;
    }
  }

  async close(): Promise<void> {
    this.chain.close();
    await this.pool.node.close();
    await this.db.kysely.deleteFrom('messages').execute();
    await this.db.kysely.deleteFrom('message_versions').execute();
  }
}

/** A scene for each test of a file, by `scene()`. */
export function useOutboxScene(): () => OutboxScene {
  let database: TestDatabase;
  let scene: OutboxScene;
  let account = 100;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    scene = new OutboxScene({ database, pool: await PoolStandIn.start(++account) });
  });
  afterEach(() => scene.close());
  return () => scene;
}
