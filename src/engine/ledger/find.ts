import { usageError } from '../../core/errors.js';
import type { MigrationFile } from '../formats/format.js';

/**
 * The migration that a person means by a number (`7`, `0007`, `20230404095503`) or a name
 * (`0007_add_note`, `add_note`).
 * @throws usage error `MIGRATION_UNKNOWN` (exit 2)
 */
export function findMigration<File extends MigrationFile>(files: readonly File[], wanted: string): File {
  const found = files.find(
    ({ id, name }) =>
      (/^\d+$/.test(wanted) && (id === Number(wanted) || /^\d+/.exec(name)?.[0] === wanted)) ||
      name === wanted ||
      name.replace(/^\d+[-_]?/, '') === wanted,
  );
  if (found !== undefined) return found;
  throw usageError('MIGRATION_UNKNOWN', `There is no migration "${wanted}".`, {
    hint:
      files.length === 0
        ? 'There are no migrations at all.'
        : `They run from ${files[0]?.name} to ${files.at(-1)?.name}.`,
    facts: { migration: wanted },
  });
}
