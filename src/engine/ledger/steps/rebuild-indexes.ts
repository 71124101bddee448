import { sql } from '../../../pg/sql.js';
import { usualLimits } from '../limits.js';
import type { RangeVar } from '../locks/tree.js';
import { cleaningUp, dropLeftover } from './index-state.js';
import type { Step } from './step.js';

/**
 * Rebuilds indexes concurrently. What an interrupted or failed try has left (`…_ccnew`, or `…_ccold` when it was nearly
 * done) is dropped before and after: every write would maintain it, and the next try would add another.
 */
export async function rebuildIndexes(step: Step, send: () => Promise<void>): Promise<void> {
  await dropLeftovers(step);
  await cleaningUp(step.connection, usualLimits(step.target), send, () => dropLeftovers(step));
}

async function dropLeftovers({ connection, target, statement }: Step): Promise<void> {
  const { schemaname, relname } = (statement.body['relation'] ?? {}) as RangeVar;
  const schema = schemaname ?? target.unit.schema;
  const rows = await connection.rows<{ name: string }>(sql`
    select c.relname as name
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$'
       and (${relname ?? null}::text is null or i.indrelid in (
             select coalesce(x.indrelid, r.oid) from pg_class r left join pg_index x on x.indexrelid = r.oid
              where r.relnamespace = n.oid and r.relname = ${relname ?? null}))`);
  for (const { name } of rows) await dropLeftover(connection, schema, name);
}
