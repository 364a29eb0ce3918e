import { hostname } from 'node:os';
import { withTimeLimit } from '../../../../clock/time-limit.ts';
import { CodedError, errorCode } from '../../../../errors/coded-error.ts';
import { rpcTaskService, type TaskService } from '../../../../poster/task-service.ts';
import { MAX_NAME_LENGTH } from '../../../../rpc/methods.ts';
import { RpcClient } from '../../../../rpc/rpc-client.ts';
import { findMaster } from '../find-master.ts';
import type { Toolbox } from '../toolbox.ts';

const CONNECT_LIMIT_MS = 10_000;
const PAUSE_MS = 300;

/** The manager's master, until the command ends. @throws CodedError `no-master`, `master-unreachable`, or its refusal */
export async function masterTasks(toolbox: Toolbox): Promise<TaskService> {
  return rpcTaskService(await masterClient(toolbox));
}

/** As `masterTasks`. */
export async function masterClient(toolbox: Toolbox): Promise<RpcClient> {
  const { home, confDir, clock, logger } = toolbox;
  const { masters, token, tls } = await findMaster({ home, confDir, config: await toolbox.config() });
  const client = new RpcClient(
    { clock, logger },
    {
      urls: masters,
      token,
      tls,
      reconnectIntervalMs: PAUSE_MS,
      hello: () => ({ role: 'submitter', name: `operator@${hostname()}`.slice(0, MAX_NAME_LENGTH) }),
    },
  );
  toolbox.onClose(() => client.close());
  try {
    await withTimeLimit(clock, CONNECT_LIMIT_MS, 'the master', client.start());
  } catch (cause) {
    if (errorCode(cause) !== 'time-limit') throw cause;
    throw new CodedError('master-unreachable', `the master at ${masters.join(', ')} does not answer: is it running?`);
  }
  return client;
}
