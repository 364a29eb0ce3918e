import { count, programArguments, seconds, text, textTable } from './kinds.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { type FileTable, key, list, optionalKey, type Values } from './table.ts';

const prover = {
  bin: optionalKey('Bin', text, {
    example: '/usr/local/bin/wdpost-master-daemon',
    about: 'Program to start; where absent, the prover of this installation',
  }),
  args: key('Args', programArguments, {
    default: [],
    example: ['-c', '/etc/wdpost/wdpost_master.toml'],
    about: 'Its arguments, used only together with Bin',
  }),
  concurrent: key('Concurrent', count, { default: 1, zeroMeans: 1, about: 'Requests it is given at the same time' }),
  weight: key('Weight', count, { default: 1, zeroMeans: 1, about: 'Its share of the work among several' }),
  readyTimeoutMs: key('ReadyTimeoutSecs', seconds, {
    default: 5,
    zeroMeans: 5,
    about: 'Time for its ready line, in seconds',
  }),
  envs: key('Envs', textTable, {
    default: {},
    example: { RUST_LOG: 'info' },
    about: "Variables added to the manager's environment",
  }),
} as const;

const fields = {
  wdPost: list('WdPost', 'Programs that make window PoSt proofs', prover),
  winPost: list('WinPost', 'Programs that make winning PoSt proofs', prover),
} as const;

export const extProverFile: FileTable<typeof fields> = {
  name: 'ext-prover.cfg',
  about: 'sector-manager daemon run --ext-prover, in its home folder',
  fields,
  commentDefaults: true,
};

export type ExtProverConfig = Values<typeof fields>;

/** @throws CodedError as `loadFile` */
export function loadExtProverConfig(path: string): Promise<Loaded<ExtProverConfig>> {
  return loadFile(extProverFile, path);
}
