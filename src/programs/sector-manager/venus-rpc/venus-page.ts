import { fieldLines } from '../../../rpc/schema-text.ts';
import { refusedCalls } from './refused-calls.ts';
import { findParams, findResult } from './sector-location.ts';
import { FIND, venusErrors } from './venus-methods.ts';

/** Of docs/protocol.md: what a manager serves, from the schemas and errors that it answers with. */
export function venusPage(): string {
  const lines = [
    '## A manager answers',
    '',
    'JSON-RPC 2.0 by POST or over a WebSocket at `/rpc/v0` of `daemon run --listen`, in the namespace `Venus`, as the managers of venus and',
    'damocles have it: params are a list. `GET /metrics` and `GET /healthcheck` of the same address are in [alerts.md](alerts.md). Refusals are',
    'said to everybody; reading takes a token of scope `read`, or being on the same machine without a proxy between.',
    '',
    `### \`Venus.${FIND}\``,
    '',
    'Where a sector is, by the names of stores; `upgrade` is one that data was put into later. `--proxy` of another manager asks it.',
    ...fieldLines(findParams),
    '',
    'The result; names are empty where it is not found.',
    ...fieldLines(findResult),
    '',
    '### Errors',
    '',
    '| `error.code` | `error.message` |',
    '|---|---|',
    ...Object.entries(venusErrors).map(([name, { code, text }]) => `| ${code} | \`${name}\`: ${text} |`),
    '| -32601 | no such method |',
    '',
    '### Refused',
    '',
    'What workers of sealing and provers of that system call is answered with `sealing-not-served`, which names the call:',
    `${refusedCalls.map((name) => `\`${name}\``).join(', ')}.`,
  ];
  return `${lines.join('\n')}\n`;
}
