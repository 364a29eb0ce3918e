import type { z } from 'zod';
import { masterParams, methodScopes, peerParams, RPC_VERSION, roleScopes } from './methods.ts';
import { fieldLines } from './schema-text.ts';
import { windowPostOutput } from './window-post.ts';

/** Of docs/protocol.md: every method of master and slaves with the schema that its params are checked by. */
export function protocolPage(): string {
  const lines = [
    '# RPC methods',
    '',
    'What a manager answers to workers and other managers is [at the end](#a-manager-answers). Between our programs it is',
    `JSON-RPC 2.0 over one WebSocket, version ${RPC_VERSION} of the protocol; [rpc.md](rpc.md) says how it is spoken, what the methods are for and`,
    'what they answer. This page is made from the schemas that messages are checked by (`src/rpc/methods.ts`): params that do not fit are',
    'answered with `bad-params`; fields that are not named here are ignored. A `?` marks a field that may be absent, `closeAt` is in',
    'milliseconds since 1970, and *attachment* means that the task comes as the bytes of a binary message.',
    '',
    'Scopes of roles, which `hello` asks for: ' +
      Object.entries(roleScopes)
        .map(([role, scope]) => `${role} needs \`${scope}\``)
        .join(', ') +
      '.',
    '',
    '## The master answers',
  ];
  for (const [name, schema] of Object.entries(masterParams)) {
    const scope = name in methodScopes ? methodScopes[name as keyof typeof methodScopes] : undefined;
    lines.push(...methodLines(name, schema, scope));
  }
  lines.push('', '## A slave answers', '', '`task.changed` goes to submitters, as a notification.');
  for (const [name, schema] of Object.entries(peerParams)) lines.push(...methodLines(name, schema, undefined));
  lines.push(
    '',
    '## An output',
    '',
    'What a proof answers, `output` of `attempt.finish`.',
    ...fieldLines(windowPostOutput),
  );
  return `${lines.join('\n')}\n`;
}

function methodLines(name: string, schema: z.ZodType, scope: string | undefined): string[] {
  return ['', `### \`${name}\``, ...(scope === undefined ? [] : ['', `Scope \`${scope}\`.`]), ...fieldLines(schema)];
}
