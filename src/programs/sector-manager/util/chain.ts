import { readableDistance, readableTime } from '../../../cli/readable.ts';
import type { Group } from './verb.ts';

export const chainGroup: Group = {
  name: 'chain',
  about: 'look at the chain',
  members: [
    {
      name: 'head',
      about: 'show the newest tipset that the chain node knows',
      async run(toolbox) {
        const chain = await toolbox.chain();
        const [head, network] = await Promise.all([chain.head(), chain.networkName()]);
        const networkVersion = await chain.networkVersion(head.key);
        const ageMs = toolbox.clock.now() - head.minTimestamp * 1000;
        return {
          json: {
            height: head.height,
            timestamp: head.minTimestamp,
            ageSeconds: Math.round(ageMs / 1000),
            blocks: head.key,
            network,
            networkVersion,
          },
          text: [
            `height   ${head.height}`,
            `time     ${readableTime(head.minTimestamp * 1000)} (${readableDistance(-ageMs, 0)})`,
            `network  ${network}, version ${networkVersion}`,
            ...head.key.map((cid) => `block    ${cid}`),
          ].join('\n'),
        };
      },
    },
  ],
};
