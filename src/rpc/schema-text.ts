import { z } from 'zod';

type Schema = z.core.JSONSchema.JSONSchema | boolean;

/** A table of the fields of an object, or of the entries of a tuple. */
export function fieldLines(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  if (json.prefixItems !== undefined) {
    const rows = json.prefixItems.map((entry, index) => `| ${index + 1} | ${typeText(entry)} |`);
    return ['', '| param | |', '|---|---|', ...rows];
  }
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
      // A tuple is at the top, or nowhere.
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
