import { ident, sql } from '../../../pg/sql.js';
import { type RangeVar, nodesOf } from '../locks/tree.js';
import type { Step } from './step.js';

/**
 * Detaches a partition concurrently. Interrupted, it may leave the partition half detached, which only FINALIZE ends; one
 * that is not attached was detached by the try that was interrupted.
 */
export async function detachPartition(step: Step, send: () => Promise<void>): Promise<void> {
  const { connection, target, statement, interrupted } = step;
  const [command] = nodesOf(statement.body['cmds'], 'AlterTableCmd');
  const { name } = (command as unknown as { def: { PartitionCmd: { name: RangeVar } } }).def.PartitionCmd;
  const [parent, partition] = [statement.body['relation'] as RangeVar, name].map(
    ({ schemaname, relname }) => ({ schema: schemaname ?? target.unit.schema, name: relname ?? '' }),
  ) as [Named, Named];
  const attached = await connection.row<{ pending: boolean }>(sql`
    select inhdetachpending as pending from pg_inherits
     where inhparent = ${ident(parent.schema, parent.name).text()}::regclass
       and inhrelid = ${ident(partition.schema, partition.name).text()}::regclass`);
  if (attached === undefined && interrupted) return;
  if (attached?.pending !== true) return send();
  await connection.execute(
    sql`alter table ${ident(parent.schema, parent.name)} detach partition ${ident(partition.schema, partition.name)} finalize`,
  );
}

interface Named {
  schema: string;
  name: string;
}
