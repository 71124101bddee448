import { refusedError } from '../../core/errors.js';
import { type Comparison, compareReference, insertMissing } from '../../engine/restore/references.js';
import type { Pair } from '../../engine/restore/pair.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { type Filling, carriedColumns, stageFile, stagesOf } from './filling.js';

/**
 * Compares the reference rows that came with an export with those of the home, which rule. Those that differ are told.
 * @returns the tables that lack some
 */
async function compareReferences(
  filling: Filling,
  session: Connection,
  pairs: readonly Pair[],
  onLacking: (pair: Pair, comparison: Comparison) => Promise<void>,
): Promise<void> {
  const stages = stagesOf(pairs, 'reference');
  for (const [n, pair] of pairs.entries()) {
    const { staged } = stages[n] as (typeof stages)[number];
    await stageFile(filling, session, pair, staged, carriedColumns(pair));
    const comparison = await compareReference(session, filling.side, pair, staged);
    if (comparison.different > 0) filling.fleet.emit(rowsDiffer(filling, comparison));
    if (comparison.missing > 0) await onLacking(pair, comparison);
    await session.execute(sql`drop table ${staged}`);
  }
}

/** A home of the tenant's own gets the reference rows that it lacks. */
export async function completeReferences(
  filling: Filling,
  session: Connection,
  pairs: readonly Pair[],
): Promise<void> {
  const staged = new Map(stagesOf(pairs, 'reference').map((stage) => [stage.target.name, stage.staged]));
  await compareReferences(filling, session, pairs, async (pair) => {
    const from = staged.get(pair.target.name);
    if (from !== undefined) await session.execute(insertMissing(filling.side, pair, from));
  });
}

/**
 * A pool's reference rows belong to all its tenants, so none is added for one of them.
 * @throws refusal `REFERENCES_MISSING` (exit 6) that lists the rows
 */
export async function assertReferences(
  filling: Filling,
  session: Connection,
  pairs: readonly Pair[],
): Promise<void> {
  const lacking: Comparison[] = [];
  await compareReferences(filling, session, pairs, (_pair, comparison) => {
    lacking.push(comparison);
    return Promise.resolve();
  });
  if (lacking.length === 0) return;
  const { pool } = filling.home.placement;
  const said = lacking.map(({ table, missing, examples }) => {
    const more = missing > examples.length ? ` and ${missing - examples.length} more` : '';
    return `table ${table}: ${examples.join(', ')}${more}`;
  });
  throw refusedError(
    'REFERENCES_MISSING',
    `Pool ${pool} lacks reference rows that the export has: ${said.join('; ')}.`,
    {
      hint: 'They would be there for all its tenants: add them with a migration, or restore into a home of its own (--tier schema). Where the table has a row for each tenant, name the key of the new one with --tenant-key, and add its row first.',
      facts: { pool, lacking },
    },
  );
}

function rowsDiffer({ home: { tenant, placement } }: Filling, { table, different }: Comparison) {
  return {
    type: 'notice',
    level: 'warning',
    code: 'REFERENCES_DIFFER',
    message: `${different} rows of table ${table} in schema ${placement.schema} have other values than when tenant ${tenant.id} was exported; they stay as they are`,
  } as const;
}
