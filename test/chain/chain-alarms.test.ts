import { beforeEach, expect, it } from 'vitest';
import { ChainAlarms } from '../../src/chain/chain-alarms.ts';
import type { NodeHealth } from '../../src/chain/node-health.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { RecordedAlerts } from '../support/alerts.ts';

const EPOCH_MS = 30_000;
const START_MS = 1_800_000_000_000;
let alerts: RecordedAlerts;
let monotonic: number;
/** Of the wall clock against the chain. */
let offMs: number;
let nodes: NodeHealth[];
let alarms: ChainAlarms;

beforeEach(() => {
  alerts = new RecordedAlerts();
  monotonic = 0;
  offMs = 0;
  nodes = [];
  const clock = { ...systemClock, now: () => START_MS + monotonic + offMs, monotonic: () => monotonic };
  alarms = new ChainAlarms({ clock, alerts, chain: { health: () => nodes } }, { host: 'here' });
});

function node(more: Partial<NodeHealth> = {}): NodeHealth {
  return { url: 'ws://node', isInUse: true, standing: 'fit', ...more };
}

/** Epochs of a chain whose heads come this long after their time. */
function live(epochs: number, delayMs = 2_000, paceMs = EPOCH_MS): void {
  for (let epoch = 0; epoch < epochs; epoch++) {
    const stamp = Math.floor((START_MS + monotonic) / 1000);
    const height = Math.round(monotonic / paceMs);
    monotonic += delayMs + 5_000;
    nodes = [node({ head: { key: [], height, minTimestamp: stamp }, silentMs: 5_000 })];
    alarms.look();
    monotonic += paceMs - delayMs - 5_000;
  }
}

const open = () => [...alerts.open.keys()];
const text = (condition: string) => alerts.open.get(condition)?.text;

it('a clock that is right raises nothing, one that is set and off is told of', () => {
  live(10);
  expect(open()).toEqual([]);
  offMs = -9_000;
  live(10);
  expect(open()).toEqual(['clock-drift/here/step', 'clock-drift/here/chain']);
  expect(text('clock-drift/here/chain')).toContain('by -7.0 s');
  offMs = 0;
  live(10);
  expect(open()).toEqual(['clock-drift/here/step']);
  live(30);
  expect(open()).toEqual([]);
});

it('a clock that is ahead is told of when every head seems late', () => {
  offMs = 12_000;
  live(10);
  expect(text('clock-drift/here/chain')).toContain('by +9.0 s');
  offMs = 0;
});

it('a chain that does not go at the pace of time tells nothing of the clock', () => {
  offMs = -60_000;
  for (let epoch = 0; epoch < 20; epoch++) {
    nodes = [node({ head: { key: [], height: epoch, minTimestamp: START_MS / 1000 + epoch }, silentMs: 0 })];
    alarms.look();
    monotonic += 500;
  }
  expect(open()).toEqual([]);
});

it('nodes that are away or behind are told of, as critical when none is left', () => {
  const away = node({ url: 'ws://a', isInUse: false, standing: 'away', awayMs: 61_000, reason: 'connection refused' });
  nodes = [away, node()];
  alarms.look();
  expect(alerts.open.get('chain-node-away/ws://a')).toMatchObject({
    severity: 'warning',
    text: 'chain node ws://a is away for 61 s: connection refused; others serve',
  });
  nodes = [away, node({ standing: 'behind', behindBy: 4 })];
  alarms.look();
  expect(alerts.open.get('chain-node-away/ws://a')).toMatchObject({ severity: 'critical' });
  expect(text('chain-node-behind/ws://node')).toContain('is behind: 4 epochs after the others');
  const head = { key: [], height: 6_000, minTimestamp: 0 };
  nodes = [
    node({ standing: 'catching-up', age: 30.4, head }),
    node({ url: 'ws://b', standing: 'ahead', age: -990, head }),
  ];
  alarms.look();
  expect(open()).toEqual(expect.arrayContaining(['chain-node-behind/ws://node', 'chain-node-ahead/ws://b']));
  expect(text('chain-node-behind/ws://node')).toContain('is behind: its head is 30 epochs old;');
  expect(text('chain-node-ahead/ws://b')).toContain('ws://b at height 6000 lies 990 epochs in the future;');
  nodes = [node(), node({ url: 'ws://b' })];
  alarms.look();
  nodes = [node({ url: 'ws://a' }), node({ silentMs: 301_000 })];
  alarms.look();
  expect(open()).toEqual(['chain-node-behind/ws://node']);
  nodes = [node({ url: 'ws://a', standing: 'away', awayMs: 10_000 }), node()];
  alarms.look();
  expect(open()).toEqual([]);
});
