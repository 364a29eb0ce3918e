import { z } from 'zod';
import { masterParams, methodScopes, peerParams, RPC_VERSION, roleScopes } from './methods.ts';
import { windowPostOutput } from './window-post.ts';

type Schema = z.core.JSONSchema.JSONSchema | boolean;

/** docs/protocol.md: every method with the schema that its params are checked by. */
export function protocolPage(): string {
  const lines = [
    '# RPC methods',
    '',
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

function fieldLines(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  const fields = Object.entries(json.properties ?? {});
  if (fields.length === 0) return ['', 'No params.'];
  const required = new Set(json.required);
  const rows = fields.map(([name, field]) => `| \`${name}${required.has(name) ? '' : '?'}\` | ${typeText(field)} |`);
  return ['', '| field | |', '|---|---|', ...rows];
}

function typeText(schema: Schema): string {
  if (typeof schema === 'boolean') return 'anything';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.map((type) => oneTypeText(schema, type)).join(' or ');
}

function oneTypeText(schema: z.core.JSONSchema.JSONSchema, type: string | undefined): string {
  switch (type) {
    case 'array': {
      // Tuples are not used.
      const { items = true } = schema;
      return `list of${limits('at most', schema.maxItems, 'entries')} ${typeText(Array.isArray(items) ? true : items)}`;
    }
    case 'object': {
      const fields = Object.entries(schema.properties ?? {});
      const required = new Set(schema.required);
      const texts = fields.map(([name, field]) => `\`${name}${required.has(name) ? '' : '?'}\`: ${typeText(field)}`);
      return `{ ${texts.join(', ')} }`;
    }
    case 'string':
      return `${schema.contentEncoding ?? ''} string${limits('at most', schema.maxLength, 'characters')}`.trim();
    case 'integer':
    case 'number':
      return `${type}${limits('from', leastOf(schema))}${limits('to', mostOf(schema))}`;
    case undefined:
      return 'window_post task, an object';
    default:
      return type;
  }
}

function limits(word: string, value: number | undefined, unit?: string): string {
  if (value === undefined) return '';
  return unit === undefined ? ` ${word} ${value}` : ` (${word} ${value} ${unit})`;
}

function leastOf({ minimum, exclusiveMinimum }: z.core.JSONSchema.JSONSchema): number | undefined {
  const least = typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : minimum;
  return least === Number.MIN_SAFE_INTEGER ? undefined : least;
}

function mostOf({ maximum }: z.core.JSONSchema.JSONSchema): number | undefined {
  return maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
}
