import { expect, test } from 'vitest';
import { SlaveRoster, type SlaveSession } from '../../src/dispatch/slave-roster.ts';

function rosterOf(...names: readonly string[]): SlaveRoster {
  const roster = new SlaveRoster();
  for (const name of names) {
    const session: SlaveSession = {
      name,
      instance: undefined,
      remote: '127.0.0.1:1',
      version: 2,
      sectorSize: null,
      stores: null,
      start: async () => ({ accepted: true, reason: null }),
      cancel: async () => {},
      answers: async () => true,
      close: () => {},
    };
    roster.join(session, { slots: 1, tasks: [], drained: false, heldUntil: 0, joinedAt: 0 });
  }
  return roster;
}

test('a slave on which different tasks fail in a row is held back', () => {
  const roster = rosterOf('sick', 'sound');
  expect(['a', 'b', 'a'].map((id) => roster.failed('sick', id, 0))).toEqual([undefined, undefined, undefined]);
  expect(roster.failed('sick', 'c', 0)).toBeGreaterThan(0);
  expect(roster.free(1).map(({ name }) => name)).toEqual(['sound']);
});

test('tasks that fail wherever they go hold nobody back', () => {
  const roster = rosterOf('one', 'two');
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    expect(roster.failed('one', id, 0)).toBeUndefined();
    expect(roster.failed('two', id, 0)).toBeUndefined();
  }
  expect(roster.free(1)).toHaveLength(2);
});

test('the last slave in service is not held back', () => {
  const roster = rosterOf('only');
  for (const id of ['a', 'b', 'c', 'd']) expect(roster.failed('only', id, 0)).toBeUndefined();
  expect(roster.free(1)).toHaveLength(1);
});

test('a slave that is lost with its tasks in a row is held back for longer and longer, wherever it is just then; a proof ends that', () => {
  const roster = rosterOf('sick', 'sound');
  const sick = roster.session('sick');
  if (sick === undefined) throw new Error('it did not join');
  roster.leave(sick, ['a'], 0);
  expect(roster.leftWith('sick')).toEqual(['a']);
  expect([roster.died('sick', 0), roster.died('sick', 0)]).toEqual([undefined, undefined]);
  const first = roster.died('sick', 0) ?? 0;
  expect(first).toBeGreaterThan(0);
  expect(roster.died('sick', 0)).toBeGreaterThan(first);
  roster.succeeded('sick');
  expect(roster.died('sick', 0)).toBeUndefined();
});

test('deaths and failures count together, but not for the last slave in service', () => {
  const roster = rosterOf('sick', 'sound');
  roster.failed('sick', 'a', 0);
  roster.died('sick', 0);
  expect(roster.failed('sick', 'b', 0)).toBeGreaterThan(0);
  for (let count = 0; count < 5; count++) expect(roster.died('sound', 0)).toBeUndefined();
});
