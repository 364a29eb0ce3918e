import { expect, test } from 'vitest';
import { loadExtProverConfig } from '../../src/config/ext-prover-file.ts';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { loadMasterConfig } from '../../src/config/master-file.ts';
import { loadSlaveConfig } from '../../src/config/slave-file.ts';
import { formatAddress } from '../../src/filecoin/address.ts';

// The files of the operators' guide of the system this one replaces, as they are.
const data = new URL('data/', import.meta.url).pathname;

test("the guide's wdpost_master.toml", async () => {
  const { config, warnings } = await loadMasterConfig(`${data}seed-wdpost_master.toml`);
  expect(warnings).toEqual([]);
  expect(config).toEqual({
    server: { listen: { host: '0.0.0.0', port: 4698 }, maxConnections: 200, insecure: false },
    db: {
      url: ['mysql://root:password@localhost/wdpost'],
      minConnections: 3,
      maxConnections: 20,
      idleTimeoutMs: 600_000,
    },
    task: {
      timeoutMs: 300_000,
      maxRetry: 2,
      heartbeatTimeoutMs: 15_000,
      retryJobIntervalMs: 10_000,
      archiveJobIntervalMs: 3_600_000,
      shouldArchiveMs: 172_800_000,
      retentionMs: 2_592_000_000,
      assumedCloseMs: 2_100_000,
    },
  });
});

test("the guide's slave.toml", async () => {
  const { config, warnings } = await loadSlaveConfig(`${data}seed-slave.toml`);
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    master: { serverAddr: ['192.168.200.113:4698'], reconnectIntervalMs: 3000, heartbeatIntervalMs: 5000 },
    slave: { concurrent: 1, pullIntervalMs: 5000 },
  });
});

test("the guide's ext-prover.cfg", async () => {
  const { config, warnings } = await loadExtProverConfig(`${data}seed-ext-prover.cfg`);
  expect(warnings).toEqual([]);
  expect(config).toEqual({
    wdPost: [
      {
        bin: '/root/venus-cluster/dist/bin/wdpost-master-daemon',
        args: ['-c', '/root/venus-cluster/dist/bin/wdpost_master.toml'],
        concurrent: 50,
        weight: 1,
        readyTimeoutMs: 5000,
        envs: { RUST_LOG: 'info' },
      },
    ],
    winPost: [],
  });
});

const notApplicable = (path: string) => [
  `${path}: not applicable: Common.API.Market: this version handles no deals`,
  `${path}: not applicable: Miners.PoSt.StrictCheck: always as if true: every sector gives a real vanilla proof on a slave before the SNARK starts`,
];

test("the guide's sector-manager.cfg, whose store and miner have their names commented out", async () => {
  const path = `${data}seed-sector-manager.cfg`;
  const { config, warnings } = await loadManagerConfig(path);
  expect(warnings).toEqual([
    ...notApplicable(path),
    `${path}: Common.PersistStores[0] is ignored: it has no Path`,
    `${path}: Miners[0] is ignored: it has no Actor`,
  ]);
  expect(config.common.api.chain).toEqual([{ url: 'ws://47.243.169.165:1234', token: '<jwt>' }]);
  expect(config.common.api.chainEventIntervalMs).toBe(60_000);
  expect(config.common.cluster).toEqual({});
});

test("the guide's sector-manager.cfg with store and miner named", async () => {
  const path = `${data}seed-sector-manager-named.cfg`;
  const { config, warnings } = await loadManagerConfig(path);
  expect(warnings).toEqual(notApplicable(path));
  expect(config.common.persistStores).toMatchObject([
    {
      name: 'theduan1',
      path: '/storage02/cluster-cailbnet/duan-force-sealer/nfs/192.168.200.35',
      strict: true,
      readOnly: true,
      weight: 1,
      allowMiners: [1447],
      denyMiners: [],
    },
  ]);
  const [miner] = config.miners;
  expect(miner?.actor).toBe(1447);
  expect(miner?.proof.enabled).toBe(true);
  expect(miner?.post.senders?.map((sender) => formatAddress(sender, 'f'))).toEqual([
    'f3sc7rocifuabifirjul34bcpq2m2vvrg6yz2pghbbikd4aylnvhfs7dkeoaydmprzj7m4ptiff7k436x4slqa',
  ]);
  expect(miner?.post).toMatchObject({
    enabled: true,
    strictCheck: false,
    parallel: false,
    gasOverEstimation: 1.2,
    gasFeeCap: 5_000_000_000n,
    confidence: 6,
    submitConfidence: 4,
    challengeConfidence: 10,
    maxRecoverSectorLimit: 0,
    maxPartitionsPerPoStMessage: 0,
  });
});
