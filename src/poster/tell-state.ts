import type { Alerts } from '../telemetry/alerts.ts';
import type { Run } from './run.ts';
import type { RunState } from './run-state.ts';

const troubles = ['late', 'at-risk', 'lost'] as const;

/**
 * One alert for each deadline and trouble, `partition-late` and so on. What was lost stays until the same deadline's next run is on
 * schedule.
 */
export function tellState(alerts: Alerts, run: Run, { state, reason }: RunState): void {
  const { minerId, deadline } = run;
  for (const trouble of troubles) {
    const condition = `partition-${trouble}/${minerId}/${deadline}`;
    if (state !== trouble) {
      alerts.resolve(condition);
      continue;
    }
    alerts.raise(condition, {
      class: `partition-${trouble}`,
      severity: trouble === 'late' ? 'warning' : 'critical',
      minerId,
      deadline,
      text: `miner ${minerId}, deadline ${deadline}: ${reason}`,
    });
  }
}
