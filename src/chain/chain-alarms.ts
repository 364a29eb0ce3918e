import type { Clock } from '../clock/clock.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import { ClockDrift } from './clock-drift.ts';
import type { ConnectedChain } from './connect-chain.ts';
import type { NodeHealth } from './node-health.ts';

const LOOK_MS = 15_000;
const AWAY_MS = 60_000;
/** Ten epochs of mainnet: as many null rounds do not come by chance. */
const SILENT_MS = 300_000;
const DRIFT_MS = 5_000;
/** A clock that was set is told of for so long. */
const STEP_TOLD_MS = 600_000;

/** Tells of chain nodes that are away or behind, and of a clock that is wrong. */
export class ChainAlarms {
  readonly #clock: Clock;
  readonly #alerts: Alerts;
  readonly #chain: Pick<ConnectedChain, 'health'>;
  readonly #host: string;
  readonly #drift = new ClockDrift();
  /** Wall clock less monotonic clock. */
  #offset: number | undefined;
  #stepAt: number | undefined;
  #callOff: () => void = () => {};

  /** @param init.host the name of this machine */
  constructor(
    components: { readonly clock: Clock; readonly alerts: Alerts; readonly chain: Pick<ConnectedChain, 'health'> },
    init: { readonly host: string },
  ) {
    this.#clock = components.clock;
    this.#alerts = components.alerts;
    this.#chain = components.chain;
    this.#host = init.host;
  }

  /** Looks now and then until `close`. */
  start(): void {
    this.look();
    this.#callOff = this.#clock.after(LOOK_MS, () => this.start());
  }

  close(): void {
    this.#callOff();
  }

  look(): void {
    const nodes = this.#chain.health();
    const severity = nodes.some(isWell) ? 'warning' : 'critical';
    const others = severity === 'warning' ? 'others serve' : 'nothing is proven or sent without one';
    for (const node of nodes) {
      this.#set(`chain-node-away/${node.url}`, (node.awayMs ?? 0) > AWAY_MS, {
        class: 'chain-node-away',
        severity,
        text: `chain node ${node.url} is away for ${seconds(node.awayMs ?? 0)}: ${node.reason}; ${others}`,
      });
      this.#set(`chain-node-ahead/${node.url}`, node.standing === 'ahead', {
        class: 'chain-node-ahead',
        severity,
        text:
          `the head of chain node ${node.url} at height ${node.head?.height} lies ${epochs(-(node.age ?? 0))} in the future; ` +
          `compare the clocks of both machines with NTP; ${others}`,
      });
      const isBehind = node.awayMs === undefined && node.standing !== 'ahead' && !isWell(node);
      this.#set(`chain-node-behind/${node.url}`, isBehind, {
        class: 'chain-node-behind',
        severity,
        text: `chain node ${node.url} is behind: ${behind(node)}; look at its synchronisation and peers; ${others}`,
      });
    }
    this.#lookAtClock(nodes.find(({ isInUse }) => isInUse));
  }

  #lookAtClock(node: NodeHealth | undefined): void {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const step = now - monotonic - (this.#offset ?? now - monotonic);
    this.#offset = now - monotonic;
    if (Math.abs(step) > DRIFT_MS) {
      this.#drift.restart();
      this.#stepAt = monotonic;
      this.#alerts.raise(`clock-drift/${this.#host}/step`, {
        class: 'clock-drift',
        severity: 'warning',
        text: `the clock of ${this.#host} was set by ${signed(step)} while the manager ran; keep it with NTP`,
      });
    } else if (this.#stepAt === undefined || monotonic - this.#stepAt > STEP_TOLD_MS) {
      // Said once more without one raised: it may be known from an earlier life.
      this.#alerts.resolve(`clock-drift/${this.#host}/step`);
    }
    if (node?.head !== undefined && node.silentMs !== undefined) {
      this.#drift.observe(node.head.minTimestamp * 1000, now - node.silentMs, monotonic - node.silentMs);
    }
    const drift = this.#drift.drift;
    if (drift === undefined) return;
    this.#set(`clock-drift/${this.#host}/chain`, Math.abs(drift) > DRIFT_MS, {
      class: 'clock-drift',
      severity: 'warning',
      text: `the clock of ${this.#host} is off the chain's time by ${signed(drift)}; set it with NTP`,
    });
  }

  #set(condition: string, isSo: boolean, alert: Parameters<Alerts['raise']>[1]): void {
    if (isSo) this.#alerts.raise(condition, alert);
    else this.#alerts.resolve(condition);
  }
}

/** Its heads can be trusted and come. */
function isWell({ standing, silentMs }: NodeHealth): boolean {
  return (standing === 'fit' || standing === 'failing') && (silentMs ?? 0) <= SILENT_MS;
}

function behind({ standing, age, behindBy, head, silentMs }: NodeHealth): string {
  if (standing === 'behind' && behindBy !== undefined && behindBy > 0) return `${epochs(behindBy)} after the others`;
  if (standing !== 'fit' && standing !== 'failing' && age !== undefined) return `its head is ${epochs(age)} old`;
  if (standing === 'catching-up') return `it reads up, and is at height ${head?.height}`;
  return `no new head for ${seconds(silentMs ?? 0)}`;
}

function epochs(count: number): string {
  return `${Math.round(count)} epochs`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function signed(ms: number): string {
  return `${ms > 0 ? '+' : '-'}${(Math.abs(ms) / 1000).toFixed(1)} s`;
}
