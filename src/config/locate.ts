import type { Parser } from './parse-file.js';
import { getAt, isMapping, type Path } from './tree.js';

const MARK = '__tenantctl_here__';
const MOST_CANDIDATES = 300;

/**
 * The line of the key that the path ends in, or of the nearest key above it. Each place where the
 * key could stand is renamed in turn; the one whose renaming shows at the path is it. Exact for
 * every notation of YAML and JSON, and needs no second parser.
 */
export function lineOf(text: string, parse: Parser, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const key = path[length - 1];
    const line = typeof key === 'string' ? lineOfKey(text, parse, path.slice(0, length - 1), key) : undefined;
    if (line !== undefined) return line;
  }
  return undefined;
}

function lineOfKey(text: string, parse: Parser, parent: Path, key: string): number | undefined {
  const pattern = new RegExp(`${key.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')}(?=["']?\\s*:)`, 'g');
  let candidates = 0;
  for (const match of text.matchAll(pattern)) {
    if ((candidates += 1) > MOST_CANDIDATES) return undefined;
    const end = match.index + key.length;
    if (isMarked(`${text.slice(0, end)}${MARK}${text.slice(end)}`, parse, parent, key)) {
      return text.slice(0, match.index).split('\n').length;
    }
  }
  return undefined;
}

function isMarked(text: string, parse: Parser, parent: Path, key: string): boolean {
  try {
    const owner = getAt(parse(text), parent);
    return isMapping(owner) && Object.hasOwn(owner, key + MARK);
  } catch {
    return false;
  }
}
