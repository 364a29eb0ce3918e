import type { TaskView } from '../rpc/methods.ts';
import type { TaskFact } from './facts.ts';

/** What the master says of a task; null: it does not know it. */
export function taskFact(view: TaskView | null): TaskFact {
  if (view === null) return { state: 'failed', reason: 'the master does not know the task any more' };
  switch (view.state) {
    case 'waiting':
    case 'running':
      return { state: 'running' };
    case 'proven': {
      const [proof] = view.output?.proofs ?? [];
      if (proof === undefined) return { state: 'failed', reason: 'the master calls it proven and has no proof' };
      const { startedAt, finishedAt } = view;
      const tookMs = startedAt === null || finishedAt === null ? null : Math.max(finishedAt - startedAt, 0);
      return { state: 'proven', proof: Buffer.from(proof, 'base64'), tookMs };
    }
    case 'faulted': {
      const details = new Map(view.output?.details?.map((detail) => [detail.sector_id, detail]));
      return {
        state: 'faulted',
        // A prover that gives no class cannot tell whether the store or the sector failed: it is read again until the reserve.
        faults: (view.output?.faults ?? []).map((number) => {
          const detail = details.get(number);
          const { sealed_file: sealedFile, cache_dir: cacheDir } = detail ?? {};
          return {
            sector: number,
            class: detail?.class ?? 'unknown',
            reason: detail?.reason ?? 'unreadable',
            ...(sealedFile !== undefined && cacheDir !== undefined && { copy: { number, sealedFile, cacheDir } }),
          };
        }),
      };
    }
    default:
      return { state: 'failed', reason: view.error ?? `the task is ${view.state}` };
  }
}
