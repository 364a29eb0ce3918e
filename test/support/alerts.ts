import type { Alert, Alerts } from '../../src/telemetry/alerts.ts';

/** Alerts that are kept to be looked at. */
export class RecordedAlerts implements Alerts {
  readonly open = new Map<string, Alert>();

  raise(condition: string, alert: Alert): void {
    this.open.set(condition, alert);
  }

  resolve(condition: string): void {
    this.open.delete(condition);
  }
}
