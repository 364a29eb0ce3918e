/**
 * The line of each key of a TOML file that is known to be well-formed, by its path in lower case: `miners[0].post.sender`. Keys inside
 * inline tables are not told apart from them. The parser keeps no positions.
 */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table = '';
  let open: OpenValue = { depth: 0 };
  for (const [index, line] of text.split('\n').entries()) {
    if (open.depth > 0 || open.quotes !== undefined) {
      open = afterValue(line, open);
      continue;
    }
    const heading = /^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$/.exec(line);
    const key = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+|\s*\.\s*)+?)\s*=/.exec(line)?.[1];
    if (key !== undefined) {
      lines.set(within(table, key), index + 1);
      open = afterValue(line.slice(line.indexOf('=') + 1), open);
    } else if (heading !== null) {
      const [, bracket, name = ''] = heading;
      table = tablePath(name, bracket === '[[', counts);
    }
  }
  return lines;
}

interface OpenValue {
  /** Brackets of an array that goes over several lines. */
  readonly depth: number;
  /** Of a text that goes over several lines. */
  readonly quotes?: string;
}

function afterValue(line: string, before: OpenValue): OpenValue {
  let { depth, quotes } = before;
  for (let at = 0; at < line.length; at++) {
    const three = line.slice(at, at + 3);
    const one = line.charAt(at);
    if (quotes !== undefined) {
      if (one === '\\' && quotes.startsWith('"')) at++;
      else if (line.startsWith(quotes, at)) {
        at += quotes.length - 1;
        quotes = undefined;
      }
    } else if (three === '"""' || three === "'''") {
      quotes = three;
      at += 2;
    } else if (one === '"' || one === "'") quotes = one;
    else if (one === '#') break;
    else if (one === '[' || one === '{') depth++;
    else if (one === ']' || one === '}') depth--;
  }
  // A text in single quotes ends with its line.
  return quotes?.length === 3 ? { depth, quotes } : { depth };
}

function tablePath(name: string, isList: boolean, counts: Map<string, number>): string {
  const parts = partsOf(name);
  let path = '';
  for (const [index, part] of parts.entries()) {
    path = path === '' ? part : `${path}.${part}`;
    if (isList && index === parts.length - 1) counts.set(path, (counts.get(path) ?? 0) + 1);
    const count = counts.get(path);
    if (count !== undefined) path = `${path}[${count - 1}]`;
  }
  return path;
}

function within(table: string, key: string): string {
  return [...(table === '' ? [] : [table]), ...partsOf(key)].join('.');
}

/** Of a dotted key, without quotes, in lower case. */
function partsOf(key: string): string[] {
  const parts = key.match(/"[^"]*"|'[^']*'|[\w-]+/g) ?? [];
  return parts.map((part) => part.replace(/^["']|["']$/g, '').toLowerCase());
}
