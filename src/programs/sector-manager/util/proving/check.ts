import { textTable } from '../../../../cli/text-table.ts';
import { createRehearser } from '../../../../ext-processor/rehearser.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { checkSectors, readSectors, type SectorReading } from '../../../../poster/read-sectors.ts';
import type { Verb } from '../verb.ts';
import { minerScope } from './miner-scope.ts';
import { storeChecker } from './partition-scope.ts';
import { deadlineIndex, isSet } from './usage.ts';

export const check: Verb = {
  name: 'check',
  args: ['<idx>'],
  example: '5 --only-bad',
  about: 'look at the files of a deadline; exits with 1 where a sector could not be proven',
  options: [
    { flags: '--only-bad', about: 'list only sectors that are not good' },
    { flags: '--slow', about: 'also make a real vanilla proof of each sector, which reads it' },
    { flags: '--faulty', about: 'look only at sectors that the chain counts as faulty' },
    { flags: '--detail', about: 'also list store and paths of good sectors' },
    { flags: '--state-check', about: 'accepted for existing scripts; there is no local state of sectors to look at' },
  ],
  async run(toolbox, written) {
    const deadline = deadlineIndex(written.args[0], 'the deadline');
    const { chain, minerId, address, head } = await minerScope(toolbox, written);
    const [info, partitions, checker] = await Promise.all([
      chain.minerInfo(address, head.key),
      chain.partitions(address, deadline, head.key),
      storeChecker(toolbox),
    ]);
    const components = { checker, rehearser: createRehearser(toolbox) };
    const signal = AbortSignal.any([]);
    const found: (SectorReading & { readonly partition: number; readonly faulty: boolean })[] = [];
    // One partition after the other: they read the same disks.
    for (const [partition, { live, faulty }] of partitions.entries()) {
      const wanted = isSet(written, 'faulty') ? faulty : live;
      if (wanted.isEmpty) continue;
      const sectors = await chain.sectors(address, wanted, head.key);
      const init = { minerId, proofType: info.windowPoStProofType, sectors, signal };
      const readings = await (isSet(written, 'slow') ? readSectors(components, init) : checkSectors(checker, init));
      const unknown = [...wanted.subtract(Bitfield.of(readings.map(({ number }) => number)))];
      const lost = unknown.map((number) => ({
        number,
        verdict: 'unknown' as const,
        reason: 'the chain says nothing about it',
      }));
      found.push(...[...readings, ...lost].map((one) => ({ ...one, partition, faulty: faulty.has(one.number) })));
    }
    const bad = found.filter(({ verdict }) => verdict !== 'good');
    const shown = isSet(written, 'onlyBad') ? bad : found;
    const detail = isSet(written, 'detail');
    const rows = shown.map((one) => [
      deadline,
      one.partition,
      one.number,
      one.verdict === 'good' ? (one.faulty ? 'good, faulty on chain' : 'good') : `${one.verdict} (${one.reason})`,
      ...(detail ? ('store' in one ? [one.store, one.sealedFile, one.cacheDir] : ['', '', '']) : []),
    ]);
    const headings = ['deadline', 'partition', 'sector', 'status', ...(detail ? ['store', 'sealed', 'cache'] : [])];
    return {
      json: { deadline, checked: found.length, good: found.length - bad.length, sectors: shown },
      text: [
        ...(rows.length === 0 ? [] : [textTable(headings, rows)]),
        `Checked sectors: ${found.length}, good: ${found.length - bad.length}`,
      ].join('\n'),
      exitCode: bad.length === 0 ? 0 : 1,
    };
  },
};
