import type { Clock } from '../clock/clock.ts';
import type { Alert, AlertNotice, Alerts, KeptAlert } from './alerts.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

interface Entry {
  alert: Alert;
  since: number;
  toldAt: number | null;
  /** Known from an earlier life or another manager, and not raised by us yet. */
  isInherited: boolean;
  callOff: () => void;
}

interface AlertBookInit {
  /** An alert that lasts is told again so long after it was told last. */
  readonly repeatMs: number;
  /** A condition began, still lasts, or is over. */
  readonly tell: (notice: AlertNotice) => void;
}

/** By then whoever watches a condition has raised or resolved it: a deadline comes round once a day, all else is looked at often. */
const INHERITED_LIMIT_MS = { ofDeadline: 25 * 3_600_000, other: 3_600_000 };

/** The conditions that last, in the log, in the metrics, and told while this manager is the one that speaks. */
export class AlertBook implements Alerts {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #init: AlertBookInit;
  readonly #entries = new Map<string, Entry>();
  #isQuiet = false;
  #onChange: (id: string, kept: KeptAlert | undefined) => void = () => {};

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
    init: AlertBookInit,
  ) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#metrics = components.metrics;
    this.#init = init;
  }

  raise(condition: string, alert: Alert): void {
    const known = this.#entries.get(condition);
    if (known === undefined) {
      this.#log(alert, condition, 'alert');
      this.#begin(condition, { alert, since: this.#clock.now(), toldAt: null, isInherited: false });
      return;
    }
    const isWorse = known.alert.severity === 'warning' && alert.severity === 'critical';
    const isSame = known.alert.severity === alert.severity && known.alert.text === alert.text;
    if (known.isInherited) this.#log(alert, condition, 'alert goes on');
    else if (isWorse) this.#log(alert, condition, 'alert');
    if (isSame && !known.isInherited) return;
    const wasInherited = known.isInherited;
    known.alert = alert;
    known.isInherited = false;
    this.#count();
    if (isWorse) this.#tell(condition, known);
    else if (wasInherited) this.#schedule(condition, known);
    this.#changed(condition, known);
  }

  resolve(condition: string): void {
    const known = this.#entries.get(condition);
    if (known === undefined) return;
    known.callOff();
    this.#entries.delete(condition);
    this.#count();
    const { class: alertClass, text } = known.alert;
    this.#logger.info({ alert: condition, class: alertClass, text }, 'alert is over');
    if (this.#isQuiet) return;
    this.#init.tell({ ...known.alert, id: condition, since: known.since, resolved: this.#clock.now() });
    this.#onChange(condition, undefined);
  }

  /** Alerts of a part that may end before the process: with `forget` they are dropped, and nobody is told that they are over. */
  scope(): Alerts & { forget(): void } {
    const raised = new Set<string>();
    return {
      raise: (condition, alert) => {
        raised.add(condition);
        this.raise(condition, alert);
      },
      resolve: (condition) => {
        raised.delete(condition);
        this.resolve(condition);
      },
      forget: () => {
        for (const condition of raised) this.#forget(condition);
        raised.clear();
      },
    };
  }

  /** Somebody was told. */
  told(notice: AlertNotice): void {
    const known = this.#entries.get(notice.id);
    if (known === undefined || notice.resolved !== undefined) return;
    known.toldAt = this.#clock.now();
    this.#schedule(notice.id, known);
    this.#changed(notice.id, known);
  }

  /**
   * Speaks from now on. What was kept goes on where it was, and is over where nobody raises it again.
   * @param onChange hears what to keep of a condition, undefined once it is over
   */
  speak(kept: readonly KeptAlert[], onChange: (id: string, kept: KeptAlert | undefined) => void): void {
    this.#isQuiet = false;
    this.#onChange = onChange;
    for (const { id, since, toldAt, ...alert } of kept) {
      const known = this.#entries.get(id);
      if (known === undefined) this.#begin(id, { alert, since, toldAt, isInherited: true });
      else Object.assign(known, { since, toldAt });
    }
    for (const [id, entry] of this.#entries) {
      this.#changed(id, entry);
      this.#schedule(id, entry);
    }
  }

  /** Another manager speaks. */
  beQuiet(): void {
    this.#isQuiet = true;
    this.#onChange = () => {};
    for (const [id, entry] of this.#entries) {
      entry.callOff();
      if (entry.isInherited) this.#forget(id);
    }
  }

  #begin(id: string, begun: Omit<Entry, 'callOff'>): void {
    const entry = { ...begun, callOff: () => {} };
    this.#entries.set(id, entry);
    this.#count();
    this.#changed(id, entry);
    if (begun.isInherited) return;
    this.#tell(id, entry);
  }

  #forget(id: string): void {
    this.#entries.get(id)?.callOff();
    this.#entries.delete(id);
    this.#count();
  }

  #tell(id: string, entry: Entry): void {
    if (this.#isQuiet) return;
    this.#init.tell({ ...entry.alert, id, since: entry.since });
    entry.callOff();
    entry.callOff = this.#clock.after(this.#init.repeatMs, () => this.#repeat(id, entry));
  }

  #schedule(id: string, entry: Entry): void {
    entry.callOff();
    if (this.#isQuiet) return;
    if (entry.isInherited) {
      const limitMs = entry.alert.deadline === undefined ? INHERITED_LIMIT_MS.other : INHERITED_LIMIT_MS.ofDeadline;
      entry.callOff = this.#clock.after(limitMs, () => this.resolve(id));
    } else if (entry.toldAt === null) {
      this.#tell(id, entry);
    } else {
      const waitMs = Math.max(0, entry.toldAt + this.#init.repeatMs - this.#clock.now());
      entry.callOff = this.#clock.after(Math.min(waitMs, this.#init.repeatMs), () => this.#repeat(id, entry));
    }
  }

  #repeat(id: string, entry: Entry): void {
    this.#log(entry.alert, id, 'alert goes on');
    this.#tell(id, entry);
  }

  #changed(id: string, { alert, since, toldAt }: Entry): void {
    if (!this.#isQuiet) this.#onChange(id, { ...alert, id, since, toldAt });
  }

  #log({ class: alertClass, severity, minerId, deadline, text }: Alert, condition: string, message: string): void {
    const level = severity === 'critical' ? 'error' : 'warn';
    this.#logger[level]({ alert: condition, class: alertClass, minerId, deadline, text }, message);
  }

  #count(): void {
    this.#metrics.alerts([...this.#entries.values()].map(({ alert }) => alert));
  }
}
