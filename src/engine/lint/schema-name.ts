import { positionAt } from '../../core/source-position.js';
import type { Script } from './script.js';

/** The line of a place as `onForeignSchema: rewrite` reads it, in quotes; null where it is left as it is. */
export function schemaName({ file, sql }: Script, offset: number): string | null {
  const { line } = positionAt(file.sql, offset);
  const [written, read] = [file.sql, sql].map((text) =>
    text
      .split('\n')
      [line - 1]?.trim()
      .replace(/\s{2,}/g, ' '),
  );
  return read === undefined || read === written ? null : `\`${read}\``;
}
