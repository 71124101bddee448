import type { Adoption } from '../../core/adoption.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';

/** A unit that another tool had made, with what is to be remembered of it. */
export type AdoptedUnit = Pick<MigrationUnit, 'ledgerKey' | 'schema'> & { adopted: Adoption };

/**
 * The statement that remembers, beside the data, many units of one database that another tool had made. Of a unit that is
 * known already only what has changed is written.
 * @param catalog the database of the catalog that they are adopted into: by it a lost catalog finds them again, as their
 *   names are none that the configuration gives
 */
export function adoptedInsert(units: readonly AdoptedUnit[], catalog: string | null = null): Sql {
  return sql`
    insert into tenantctl.adopted as known (unit, schema, owner, ledger, dual_write, catalog, tolerated)
    select unit, schema, owner, ledger::jsonb, dual_write, ${catalog}::text, array(select jsonb_array_elements_text(tolerated::jsonb))
      from unnest(${units.map(({ ledgerKey }) => ledgerKey)}::text[], ${units.map(({ schema }) => schema)}::text[],
        ${units.map(({ adopted }) => adopted.owner)}::text[],
        ${units.map(({ adopted: { ledger } }) => (ledger === null ? null : JSON.stringify(ledger)))}::text[],
        ${units.map(({ adopted }) => adopted.dualWrite)}::boolean[],
        ${units.map(({ adopted }) => JSON.stringify(adopted.tolerated ?? []))}::text[]) as u (unit, schema, owner, ledger, dual_write, tolerated)
    on conflict (unit) do update set schema = excluded.schema, owner = excluded.owner, ledger = excluded.ledger,
      dual_write = excluded.dual_write, catalog = coalesce(excluded.catalog, known.catalog), tolerated = excluded.tolerated
     where (known.schema, known.owner, known.ledger, known.dual_write, known.catalog, known.tolerated)
       is distinct from (excluded.schema, excluded.owner, excluded.ledger, excluded.dual_write, coalesce(excluded.catalog, known.catalog), excluded.tolerated)`;
}

/** The statement that forgets that another tool had made a unit, because it is gone. */
export function adoptedDelete(ledgerKey: string): Sql {
  return sql`delete from tenantctl.adopted where unit = ${ledgerKey}`;
}

/** A row of `tenantctl.adopted` as JSON has it everywhere else; for statements in which the row is called `a`. */
export const ADOPTION = raw(
  `jsonb_build_object('owner', a.owner, 'ledger', a.ledger, 'dualWrite', a.dual_write, 'tolerated', a.tolerated)`,
);

/**
 * What is remembered of the units of this database that another tool had made, by their names in its ledger. Nothing where the local
 * state is of a version that knew of none.
 */
export async function readAdopted(connection: Connection): Promise<Map<string, Adoption>> {
  if (!(await remembersAny(connection))) return new Map();
  const rows = await connection.rows<{ unit: string; adopted: Adoption }>(
    sql`select a.unit, ${ADOPTION} as adopted from tenantctl.adopted a`,
  );
  return new Map(rows.map(({ unit, adopted }) => [unit, adopted]));
}

/** The roles that own the tables of homes that another tool had made, by schema; where that is the administrator there is none. */
export async function readAdoptedOwners(connection: Connection): Promise<Map<string, string>> {
  if (!(await remembersAny(connection))) return new Map();
  const rows = await connection.rows<{ schema: string; owner: string }>(
    sql`select schema, owner from tenantctl.adopted where owner is not null`,
  );
  return new Map(rows.map(({ schema, owner }) => [schema, owner]));
}

async function remembersAny(connection: Connection): Promise<boolean> {
  const known = await connection.row<{ there: boolean }>(
    sql`select to_regclass('tenantctl.adopted') is not null as there`,
  );
  return known?.there === true;
}

/** Had another tool made this unit? */
export async function isAdopted(connection: Connection, ledgerKey: string): Promise<boolean> {
  const row = await connection.row(sql`select from tenantctl.adopted where unit = ${ledgerKey}`);
  return row !== undefined;
}

/** What is remembered of one unit; null where this tool has made it. */
async function readAdoption(connection: Connection, ledgerKey: string): Promise<Adoption | null> {
  const row = await connection.row<{ adopted: Adoption }>(
    sql`select ${ADOPTION} as adopted from tenantctl.adopted a where a.unit = ${ledgerKey}`,
  );
  return row?.adopted ?? null;
}

/** The unit with what its own database remembers of it. */
export async function withAdoption<Unit extends MigrationUnit>(
  connection: Connection,
  unit: Unit,
): Promise<Unit> {
  return { ...unit, adopted: await readAdoption(connection, unit.ledgerKey) };
}
