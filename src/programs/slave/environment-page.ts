import { variables } from './environment.ts';

/** docs/environment.md. */
export function environmentPage(): string {
  const rows = variables.map(({ name, accepts, about }) => `| \`${name}\` | ${accepts} | ${about} |`);
  return [
    '# Environment variables of a slave',
    '',
    'Read by `wdpost-slave-daemon` when it starts, and handed to its provers. Under systemd they stand in `/etc/wdpost/slave.env`, for one',
    'GPU alone in `/etc/wdpost/slave-N.env`. A wrong value ends the start with one line that names the variable; an empty one counts as not',
    'set. `RUST_LOG`, `LOG_LEVEL` and `LOG_FORMAT` do the same for the master and the manager, and `WDPOST_PROVER` and',
    '`FIL_PROOFS_PARAMETER_CACHE` for the verifier that these two start.',
    '',
    '| Variable | Write | Meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
