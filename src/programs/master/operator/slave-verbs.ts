import { CodedError } from '../../../errors/coded-error.ts';
import type { SlaveReport } from '../../../rpc/methods.ts';
import { slaveList, slaveState } from './slave-text.ts';
import type { Answer, Ask, VerbGroup } from './verb.ts';

export const slaveVerbs: VerbGroup = {
  name: 'slaves',
  about: 'look at slaves, and take them out of service',
  verbs: [
    {
      name: 'list',
      about: 'list every slave that ever came, with what it does',
      async run(ask, _, now) {
        const slaves = await ask('slaves.list', {});
        return { json: slaves, text: slaveList(slaves, now) };
      },
    },
    {
      name: 'drain',
      argument: '<name>',
      example: 'gpu-host-1-0',
      about: 'let a slave finish what it works on and give it nothing new, until it is resumed',
      run: async (ask, { subject }, now) =>
        await withWarning(ask, answered(await ask('slaves.drain', { name: subject }), subject), now),
    },
    {
      name: 'resume',
      argument: '<name>',
      example: 'gpu-host-1-0',
      about: 'give a drained slave work again',
      async run(ask, { subject }, now) {
        const slave = answered(await ask('slaves.resume', { name: subject }), subject);
        return { json: slave, text: describe(slave, now) };
      },
    },
  ],
};

async function withWarning(ask: Ask, slave: SlaveReport, now: number): Promise<Answer> {
  const slaves = await ask('slaves.list', {});
  const works = slaves.some((other) => other.state === 'ready' || other.state === 'held back');
  const warning = works
    ? ''
    : '\nwarning: no other slave is ready to work: nothing is proven until one comes or is resumed';
  return { json: slave, text: describe(slave, now) + warning };
}

function describe(slave: SlaveReport, now: number): string {
  return `slave ${slave.name} is ${slaveState(slave, now)}`;
}

function answered(slave: SlaveReport | null, name: string): SlaveReport {
  if (slave !== null) return slave;
  throw new CodedError('not-found', `no slave named ${name} ever came; see slaves list`);
}
