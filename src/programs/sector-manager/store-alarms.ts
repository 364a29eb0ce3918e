import type { StoreState } from '../../stores/store-checker.ts';
import type { Alerts } from '../../telemetry/alerts.ts';

/** Alarms while a store cannot be trusted. Returns what hears of each look at a store. */
export function storeAlarms(alerts: Alerts): (state: StoreState) => void {
  return ({ store, trouble }) => {
    const condition = `store-away/${store.name}`;
    if (trouble === undefined) {
      alerts.resolve(condition);
      return;
    }
    alerts.raise(condition, {
      class: 'store-away',
      severity: 'critical',
      text: `store ${store.name} at ${store.path}: ${trouble}; its sectors count as unknown until it is back: see its server, network and mount`,
    });
  };
}
