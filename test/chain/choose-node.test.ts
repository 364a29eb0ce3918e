import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inOrderOfUse, maySpeak, type NodeFacts, type Standing, standingOf } from '../../src/chain/choose-node.ts';

const facts: NodeFacts = {
  isConnected: true,
  height: 100,
  isCatchingUp: false,
  isFailing: false,
  age: undefined,
  isSteady: false,
};
const order: readonly Standing[] = ['fit', 'failing', 'catching-up', 'ahead', 'behind', 'away'];
const standing = fc.constantFrom(...order);

it.each<[Partial<NodeFacts>, number | undefined, Standing]>([
  [{}, undefined, 'fit'],
  [{}, 102, 'fit'],
  [{}, 103, 'behind'],
  [{ height: undefined }, 100, 'fit'],
  [{ isFailing: true }, 100, 'failing'],
  [{ isCatchingUp: true, isFailing: true }, 100, 'catching-up'],
  [{ isCatchingUp: true }, 200, 'behind'],
  [{ isConnected: false }, 200, 'away'],
  [{ age: 0.4 }, 100, 'fit'],
  [{ age: 4.9 }, undefined, 'fit'],
  [{ age: 5.1 }, undefined, 'catching-up'],
  [{ age: 60.1 }, undefined, 'behind'],
  [{ age: -4.9 }, undefined, 'fit'],
  [{ age: -5.1 }, 105, 'ahead'],
])('a node with %j, the highest head being %s, is %s', (changed, highest, expected) => {
  expect(standingOf({ ...facts, ...changed }, highest)).toBe(expected);
});

it('nothing is decided by a head a window old, nor by one from the future unless all keep their distance', () => {
  const speaks = (age: number, isSteady = false) => {
    const node = { ...facts, age, isSteady };
    return maySpeak(node, standingOf(node, undefined));
  };
  expect([4, 30, 61].map((age) => speaks(age, true))).toEqual([true, true, false]);
  expect([speaks(-4), speaks(-1_000), speaks(-20, true)]).toEqual([true, false, true]);
});

it('every node comes once, better ones first; among equals the one in use, then the order', () => {
  fc.assert(
    fc.property(fc.array(standing, { minLength: 1, maxLength: 5 }), fc.nat(5), (standings, inUse) => {
      const chosen = inOrderOfUse(standings, inUse);
      expect(chosen.toSorted()).toEqual(standings.map((_, index) => index));
      const ranks = chosen.map((index) => order.indexOf(standings[index] ?? 'away'));
      expect(ranks).toEqual(ranks.toSorted());
      for (const [at, index] of chosen.entries()) {
        const next = chosen[at + 1];
        if (next === undefined || standings[next] !== standings[index]) continue;
        expect(next).not.toBe(inUse);
        expect(index === inUse || index < next).toBe(true);
      }
    }),
  );
});
