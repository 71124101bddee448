import { positionAt } from '../../core/source-position.js';
import type { Script } from './script.js';

/** The line of a place as `onForeignSchema: rewrite` reads it, in quotes; null where it is left as it is. */
export function schemaName({ file, sql }: Script, offset: number): string | null {
  const { line } = positionAt(file.sql, offset);
  const [written, read] = [lineOf(file.sql, line), lineOf(sql, line)];
  return read === '' || read === written ? null : `\`${read}\``;
}

function lineOf(text: string, line: number): string {
  const lines = text.split('\n');
  return (lines[line - 1] ?? '').trim().replace(/\s{2,}/g, ' ');
}
