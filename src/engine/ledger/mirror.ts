import type { ToolLedgerPlace } from '../../core/adoption.js';
import type { MigrationUnit } from '../../core/unit.js';
import { type MirrorChange, type MirrorRow, type MirrorValue, NEXT } from '../formats/ledgers/ledger.js';
import { TOOL_LEDGERS } from '../formats/ledgers/registry.js';
import { type Sql, ident, join, literal, raw, sql } from '../../pg/sql.js';
import type { Migration } from './migration.js';

/** A unit whose other tool's ledger is kept true, or null. */
function keptLedger({ adopted }: MigrationUnit): ToolLedgerPlace | null {
  return adopted?.dualWrite === true ? adopted.ledger : null;
}

/**
 * Can the rows that the other tool would have written for a file, or removed on its way back, be told? True for every file
 * where no ledger but ours is kept.
 */
export function isTellable(unit: MigrationUnit, migration: Migration): boolean {
  const place = keptLedger(unit);
  return place === null || changeFor(place, unit, migration) !== null;
}

/**
 * The statements that keep the other tool's ledger of a unit true, in the transaction that records a file as applied or takes
 * it back; none where no ledger but ours is kept. They act as the role that owns that ledger.
 */
export function mirrorStatements(unit: MigrationUnit, migration: Migration): Sql[] {
  const place = keptLedger(unit);
  const change = place === null ? null : changeFor(place, unit, migration);
  if (place === null || change === null) return [];
  return [
    ...change.remove.map((row) => removal(place, row)),
    ...change.insert.map((row) => insertion(place, row)),
  ];
}

function changeFor(
  { tool }: ToolLedgerPlace,
  unit: MigrationUnit,
  migration: Migration,
): MirrorChange | null {
  const mirror = TOOL_LEDGERS.find((ledger) => ledger.tool === tool)?.mirror ?? null;
  if (mirror === null) return null;
  const { undoes } = migration;
  if (undoes === undefined) return mirror.applied(migration);
  const before = undoes.earlier.findLast(({ directives }) => directives.tiers.includes(unit.tier));
  return mirror.takenBack(undoes.file, before ?? null);
}

function removal(place: ToolLedgerPlace, { table, values }: MirrorRow): Sql {
  const conditions = Object.entries(values).map(([column, value]) =>
    value === null
      ? sql`${ident(column)} is null`
      : sql`${ident(column)} = ${valueOf(place, table, column, value)}`,
  );
  const which = conditions.length === 0 ? raw('true') : join(conditions, ' and ');
  return asText(sql`delete from ${tableOf(place, table)} where ${which}`);
}

function insertion(place: ToolLedgerPlace, row: MirrorRow): Sql {
  const { values, newer = [] } = row;
  if (newer.length === 0) return asText(plainInsertion(place, row));
  const older = Object.fromEntries(Object.entries(values).filter(([column]) => !newer.includes(column)));
  const table = tableOf(place, row.table).text();
  // The server looks at a statement of a block when it comes to it: a column that is not there does no harm before.
  return raw(`do ${TAG} begin
if ${newer.length} = (select count(*) from pg_catalog.pg_attribute where attrelid = ${literal(table)}::pg_catalog.regclass and not attisdropped and attname = any (${literal([...newer])}::text[])) then
${plainInsertion(place, row).text()};
else
${plainInsertion(place, { table: row.table, values: older }).text()};
end if; end ${TAG}`);
}

const TAG = '$tenantctl_mirror$';

function plainInsertion(place: ToolLedgerPlace, { table, values }: MirrorRow): Sql {
  const columns = Object.entries(values);
  return sql`insert into ${tableOf(place, table)} (${join(columns.map(([column]) => ident(column)))})
    values (${join(columns.map(([column, value]) => valueOf(place, table, column, value)))})`;
}

function valueOf(place: ToolLedgerPlace, table: string | null, column: string, value: MirrorValue): Sql {
  if (value !== NEXT) return raw(literal(value));
  return sql`(select coalesce(max(${ident(column)}), 0) + 1 from ${tableOf(place, table)})`;
}

function tableOf({ schema, table }: ToolLedgerPlace, beside: string | null): Sql {
  return ident(schema, beside ?? table);
}

/** With every value as the literal it is: the server finds its type by the column. */
function asText(statement: Sql): Sql {
  return raw(statement.text());
}
