import { type Effect, monotonicNow } from './effects.ts';
import { pause } from './pause.ts';
import type { FaultKind, PlannedFault } from './schedule.ts';
import type { World } from './world.ts';

/** A fault as it happened. Times on the clock of the effects log. */
export interface Fault {
  readonly kind: FaultKind;
  /** `slave-1`, `master-2`, `database`, `submitter`, or the id of a task. */
  readonly target: string;
  readonly from: number;
  /** Undone. */
  readonly until: number;
  /** It met a master that did not lead. */
  readonly isIdle?: true;
}

/** Does what was planned and, when its time is over, undoes it. */
export async function inject(world: World, planned: PlannedFault, taskIds: readonly string[]): Promise<Fault> {
  const { kind } = planned;
  const lasts = () => pause(planned.forMs);
  const slave = at(world.slaves, planned.target);
  const master = at(world.masters, planned.target);
  const id = at(taskIds, planned.target);
  const leader = kind.startsWith('master ') ? await world.leader() : undefined;
  const from = monotonicNow();
  const fault = (target: string): Fault => ({ kind, target, from, until: monotonicNow() });
  const ofMaster = (): Fault => ({ ...fault(master.name), ...(leader === master.name ? {} : { isIdle: true }) });
  switch (kind) {
    case 'slave killed':
    case 'slave ended':
    case 'master killed':
    case 'master ended': {
      const daemon = kind.startsWith('slave') ? slave : master;
      // One that is ending may wait for a database that is away; killed in the end, as systemd does.
      const patience = setTimeout(() => daemon.signal('SIGKILL'), PATIENCE_MS);
      await daemon.end(kind.endsWith('killed') ? 'SIGKILL' : 'SIGTERM');
      clearTimeout(patience);
      await lasts();
      daemon.start();
      return daemon === master ? ofMaster() : fault(daemon.name);
    }
    case 'slave stopped':
    case 'master stopped': {
      const daemon = kind === 'slave stopped' ? slave : master;
      daemon.signal('SIGSTOP');
      await lasts();
      daemon.signal('SIGCONT');
      return daemon === master ? ofMaster() : fault(daemon.name);
    }
    case 'prover killed':
    case 'prover stopped': {
      const pid = newestProver(await world.effects(), slave.name);
      await world.signalProver(pid, kind === 'prover killed' ? 'SIGKILL' : 'SIGSTOP');
      if (kind === 'prover stopped') {
        await lasts();
        await world.signalProver(pid, 'SIGCONT');
      }
      return fault(slave.name);
    }
    case 'masters killed':
      await Promise.all(world.masters.map((daemon) => daemon.end('SIGKILL')));
      await lasts();
      for (const daemon of world.masters) daemon.start();
      return fault('masters');
    case 'database killed':
      await world.database.kill();
      await lasts();
      await world.database.restart();
      return fault('database');
    case 'database stopped':
      world.database.signal('SIGSTOP');
      await lasts();
      world.database.signal('SIGCONT');
      return fault('database');
    case 'submitter killed':
      await world.submitter.end('SIGKILL');
      await lasts();
      world.submitter.start();
      return fault('submitter');
    case 'slave cut off':
    case 'slave half-open':
      return await onLinks((state) => world.setLinks(slave.name, state), slave.name);
    case 'database cut off':
    case 'database half-open':
      return await onLinks((state) => world.setDatabaseLinks(state), 'database');
    case 'submitter half-open':
      return await onLinks((state) => world.setLinks('submitter', state), 'submitter');
    case 'task cancelled':
      world.submitter.say(`cancel ${id}`);
      return fault(id);
    case 'slave drained':
      world.submitter.say(`drain ${slave.name}`);
      await lasts();
      world.submitter.say(`resume ${slave.name}`);
      return fault(slave.name);
  }

  async function onLinks(set: (state: 'open' | 'cut' | 'half-open') => void, target: string): Promise<Fault> {
    set(kind.endsWith('half-open') ? 'half-open' : 'cut');
    await lasts();
    set('open');
    return fault(target);
  }
}

const PATIENCE_MS = 5_000;

function newestProver(effects: readonly Effect[], slave: string): number | undefined {
  const ready = effects.findLast(
    ({ what, who, stage }) => what === 'ready' && who === slave && stage === 'window_post',
  );
  return ready?.pid;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('a list without items');
  return item;
}
