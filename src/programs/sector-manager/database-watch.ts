import type { Clock } from '../../clock/clock.ts';
import type { Alerts } from '../../telemetry/alerts.ts';

/** A restart of the server passes unnoticed. */
const AWAY_LIMIT_MS = 30_000;

/** Alarms when the database stays away. Returns what hears of each try whether it was answered. */
export function databaseWatch(components: {
  readonly clock: Clock;
  readonly alerts: Alerts;
}): (isAnswered: boolean) => void {
  let callOff: (() => void) | undefined;
  return (isAnswered) => {
    if (isAnswered) {
      callOff?.();
      callOff = undefined;
      components.alerts.resolve('database-away');
      return;
    }
    callOff ??= components.clock.after(AWAY_LIMIT_MS, () =>
      components.alerts.raise('database-away', {
        class: 'database-away',
        severity: 'critical',
        text: 'the database does not answer: nothing is proven or sent until it is back; see that its server runs and is reached',
      }),
    );
  };
}
