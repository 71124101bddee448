import type { KnownTable } from './known-tables.js';
import type { Scene } from './rule.js';

/** Tables that a file makes in a pool, with the place; temporary ones and partitions are not among them. */
export function pooledTables({ script, known, pooled }: Scene): { table: KnownTable; at: number }[] {
  if (!pooled) return [];
  return script.steps.flatMap(({ kind, body, table: name, at }) => {
    const relation = body['relation'] as { relpersistence?: string } | undefined;
    if (kind !== 'CreateStmt' || relation?.relpersistence === 't') return [];
    const table = known.get(name);
    return table === undefined || table.parent !== null ? [] : { table, at };
  });
}

/** The tables that the steps of a file name, as it leaves them; a partition has what its parent has. */
export function touchedTables({ script, known }: Scene): KnownTable[] {
  const names = new Set(script.steps.map(({ table }) => table));
  return [...names].flatMap((name) => known.get(name) ?? []).filter(({ parent }) => parent === null);
}

/** Does the table hold rows of tenants, as far as the files tell? */
export const isTenants = (table: KnownTable | undefined, { settings }: Scene): boolean =>
  table?.columns.has(settings.tenancy.column) === true;
