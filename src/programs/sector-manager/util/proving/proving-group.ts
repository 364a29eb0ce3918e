import type { Group } from '../verb.ts';
import { check } from './check.ts';
import { deadline } from './deadline.ts';
import { deadlines } from './deadlines.ts';
import { declareFaults } from './declare-faults.ts';
import { faults } from './faults.ts';
import { info } from './info.ts';
import { prove } from './prove.ts';
import { recoverFaults } from './recover-faults.ts';
import { rehearse } from './rehearse.ts';
import { shadowReport } from './shadow-report.ts';
import { simulateWdpost } from './simulate-wdpost.ts';

export const sealerGroup: Group = {
  name: 'sealer',
  about: 'look after sealed sectors',
  members: [
    {
      name: 'proving',
      about: 'look after window PoSt',
      options: [
        { flags: '--miner <id>', about: 'the miner, t01000 or 1000 (default: the only one of sector-manager.cfg)' },
      ],
      members: [
        info,
        faults,
        deadlines,
        deadline,
        check,
        rehearse,
        simulateWdpost,
        prove,
        recoverFaults,
        declareFaults,
        shadowReport,
      ],
    },
  ],
};
