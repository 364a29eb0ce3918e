import type { Loaded } from '../../../../config/load-file.ts';
import type { ManagerConfig } from '../../../../config/manager-file.ts';
import type { MasterConfig } from '../../../../config/master-file.ts';
import { POSTED_PARTITIONS_MAX } from '../../../../filecoin/policy.ts';
import { whyAlone } from '../../../../rpc/gatekeeper.ts';
import { isLoopback } from '../../../../rpc/socket-address.ts';

/** Something that is otherwise here than in the system this one replaces. */
export interface Difference {
  readonly what: string;
  readonly todo: string;
}

interface OldFiles {
  readonly manager: Loaded<ManagerConfig>;
  /** Of the ext-prover file's first [[WdPost]], where that is a master. */
  readonly master: Loaded<MasterConfig> | undefined;
  readonly hasTokens: boolean;
}

const NOTHING = 'nothing';

/** What an operator has to know before the files are used here, warnings of reading them left out. */
export function differences({ manager, master, hasTokens }: OldFiles): Difference[] {
  const { common, miners } = manager.config;
  const found: Difference[] = [
    {
      what: 'the sector index of the old daemon (badger or MongoDB) cannot be read',
      todo: 'the stores are scanned here; sectors in none of them: --import-index http://<old manager>:1789 while it still runs',
    },
  ];
  if (common.api.messager === undefined) {
    found.push({
      what: 'no Messager is named, so the manager gives its messages their nonces itself',
      todo: "let nobody else use the sender of [Miners.PoSt], or set [Common.API] Carrier = 'node' (docs/messages.md)",
    });
  }
  for (const { actor, post } of miners) {
    const { maxPartitionsPerPoStMessage: most } = post;
    if (most > POSTED_PARTITIONS_MAX) {
      found.push({
        what: `t0${actor}: MaxPartitionsPerPoStMessage is ${most}, the network takes ${POSTED_PARTITIONS_MAX}`,
        todo: NOTHING,
      });
    }
    if (post.enabled && post.senders === undefined) {
      found.push({
        what: `t0${actor}: [Miners.PoSt] has no Sender`,
        todo: 'set it, or nothing is posted for the miner',
      });
    }
  }
  if (master === undefined) {
    found.push({
      what: 'ext-prover.cfg names no wdpost_master.toml',
      todo: 'name database and master in [Common.Cluster], or have embedded ones made at the start',
    });
  } else {
    const { server, task } = master.config;
    if (task.retentionMs > 0) {
      found.push({
        what: 'tasks_archived: what the old system left there stays; tasks of this one are deleted after [task] retention, 30 days where it is not set',
        todo: "nothing, or retention = '0s' to keep them as well",
      });
    }
    const tokens = hasTokens ? [{ secret: '', scopes: new Set<never>() }] : [];
    const tls = server.tlsClientCa === undefined ? undefined : { cert: '', key: '', clientCa: server.tlsClientCa };
    if (whyAlone({ host: server.listen.host, tokens, tls, insecure: server.insecure }) !== undefined) {
      found.push({
        what: 'the master has no token: slaves of other machines are turned away',
        todo: 'set WDPOST_TOKEN for master, manager and slaves, or [server] token_file; or insecure = true in a network that is yours alone',
      });
    }
    if (isLoopback(server.listen.host)) {
      found.push({
        what: 'the master listens on loopback only',
        todo: 'change [server] listen for slaves of other machines',
      });
    }
  }
  found.push({
    what: 'slaves and master speak another protocol than the old ones',
    todo: 'replace wdpost-slave-daemon on every GPU host; slave.toml stays',
  });
  return found;
}
