import { basename } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../errors/coded-error.ts';
import type { PersistStore } from '../persist-store.ts';

const miners = z.array(z.number().int().nonnegative()).nullish();

const file = z.object({
  id: z.string().default(''),
  name: z.string().default(''),
  strict: z.boolean().default(false),
  readonly: z.boolean().default(false),
  weight: z.number().int().nonnegative().default(0),
  growing: z.boolean().default(false),
  allowminers: miners,
  denyminers: miners,
  plugin: z.string().default(''),
  pluginname: z.string().default(''),
});

/** The store that a sectorstore.json in `path` describes, or why there is none. Keys in any case; unknown ones are those of Lotus. */
export function readSectorStoreFile(path: string, text: string): PersistStore | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `sectorstore.json is not JSON: ${errorText(error)}`;
  }
  if (typeof json !== 'object' || json === null) return 'sectorstore.json is not an object';
  const lower = Object.fromEntries(Object.entries(json).map(([key, value]) => [key.toLowerCase(), value]));
  const { success, data, error } = file.safeParse(lower);
  if (!success)
    return `sectorstore.json: ${error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`;
  if (data.plugin !== '' || data.pluginname !== '') return 'it needs a plug-in, and only folders are supported';
  return {
    name: data.name || data.id || basename(path),
    path,
    strict: data.strict,
    readOnly: data.readonly,
    weight: data.weight === 0 ? 1 : data.weight,
    growing: data.growing,
    allowMiners: data.allowminers ?? [],
    denyMiners: data.denyminers ?? [],
  };
}
