import { refusedError } from '../../core/errors.js';
import { type Migration, analyse } from './migration.js';

/** The way back of one migration. */
export interface WayBack {
  migration: Migration;
  /** Its down file as something that can be run, under the number and name of the migration. */
  down: Migration;
  /** What it throws away, in words. */
  losses: string[];
}

/**
 * The ways back of migrations, newest first.
 * @param all every file that there is, to know what stays when one is taken back
 * @throws refusal `IRREVERSIBLE` (exit 6) that names every migration without one · configuration error
 *   (exit 3) when a down file cannot run
 */
export function waysBack(
  migrations: readonly Migration[],
  all: readonly Migration[] = migrations,
): WayBack[] {
  const stuck = migrations.flatMap((migration) => {
    const reason = irreversibleReason(migration);
    return reason === null ? [] : [`${migration.name}: ${reason}`];
  });
  if (stuck.length > 0) throw irreversible(stuck);
  return [...migrations].sort((a, b) => b.id - a.id).map((migration) => wayBack(migration, all));
}

/** Can a migration be taken back at all? */
export function isReversible(migration: Migration): boolean {
  return irreversibleReason(migration) === null;
}

function irreversibleReason({ directives, down }: Migration): string | null {
  if (directives.irreversible) return 'it says itself that it is irreversible';
  return down === null ? 'it has no down file' : null;
}

function wayBack(migration: Migration, all: readonly Migration[]): WayBack {
  const { id, name, checksum, down: file } = migration;
  if (file === null) throw irreversible([name]);
  const undoes = { file: migration, earlier: all.filter((other) => other.id < id) };
  const down = { ...analyse({ ...file, id, name, checksum, down: null }), undoes };
  const losses = down.statements.flatMap((statement) => statement.losses);
  return { migration, down, losses };
}

function irreversible(stuck: string[]) {
  return refusedError(
    'IRREVERSIBLE',
    ['There is no way back over these migrations:', ...stuck.map((line) => `  ${line}`)].join('\n'),
    {
      hint: 'Nothing was changed. Go forward with a new migration that undoes them; or write down files, in a format that has any (Prisma and Drizzle have none).',
      facts: { migrations: stuck },
    },
  );
}
