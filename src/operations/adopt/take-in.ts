import type { Adoption } from '../../core/adoption.js';
import { groupBy } from '../../core/group-by.js';
import type { Placement } from '../../core/tier.js';
import { unchanged } from '../../engine/adoption/read-ledgers.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { adoptedInsert } from '../../engine/local/adopted.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { LOCK_CLASS } from '../../pg/locks.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Standing } from './judge.js';
import type { NewTenant, SiftedUnit } from './known.js';

/** A unit that is taken in. */
export interface Taking {
  sifted: SiftedUnit;
  standing: Standing;
  placement: Placement;
  /** Null for a unit of our own that gets tenants. */
  adoption: Adoption | null;
}

/** Units whose locks one transaction holds. */
const UNITS_A_TRANSACTION = 200;

/**
 * Writes units of one database into its local state, in transactions of some hundred units each. A unit whose ledger has changed since it was
 * looked at, or which somebody migrates now, is left out.
 * @returns the units that were written
 */
export async function writeHomes(
  fleet: Fleet,
  takings: readonly Taking[],
  files: readonly Migration[],
): Promise<Taking[]> {
  const { cluster, database } = (takings[0] as Taking).placement;
  const { setting, columnType } = fleet.settings.tenancy;
  return fleet.managed(cluster, database, async (connection) => {
    await connection.rows(sql`select tenantctl.open_to_applications(${setting}, ${columnType})`);
    fleet.reach('adopt.prepared');
    const written: Taking[] = [];
    for (let from = 0; from < takings.length; from += UNITS_A_TRANSACTION) {
      const some = takings.slice(from, from + UNITS_A_TRANSACTION);
      written.push(...(await writeTogether(fleet, connection, some, files)));
      fleet.reach('adopt.home-written');
    }
    return written;
  });
}

/** What becomes of one unit meanwhile: its ledger is dropped, held or closed, or somebody writes its tenant. */
const OF_ONE: ReadonlySet<string> = new Set(['55P03', '40P01', '42P01', '3F000', '42703', '42501', '23505']);
/** Whoever waits holds back whoever comes after. */
const BEGIN = `begin; set local lock_timeout = '1s'`;

/** In one transaction; where one of them keeps the others from it, each in its own. */
async function writeTogether(
  fleet: Fleet,
  connection: Connection,
  takings: readonly Taking[],
  files: readonly Migration[],
): Promise<Taking[]> {
  try {
    return await connection.transaction(() => writeSome(fleet, connection, takings, files), BEGIN);
  } catch (error) {
    if (!connection.usable || !OF_ONE.has(sqlstateOf(error) ?? '')) throw error;
    if (takings.length === 1) return [];
    const written: Taking[] = [];
    for (const one of takings) written.push(...(await writeTogether(fleet, connection, [one], files)));
    return written;
  }
}

async function writeSome(
  fleet: Fleet,
  connection: Connection,
  takings: readonly Taking[],
  files: readonly Migration[],
): Promise<Taking[]> {
  const still: Taking[] = [];
  for (const taking of takings) if (await isStill(connection, taking)) still.push(taking);
  if (still.length === 0) return [];
  for (const statement of ledgerInserts(still, files)) await connection.execute(statement);
  const adopted = still.flatMap(({ standing: { listed }, adoption }) =>
    adoption === null ? [] : [{ ...listed.unit, adopted: adoption }],
  );
  if (adopted.length > 0) await connection.execute(adoptedInsert(adopted, fleet.catalogDatabase));
  await connection.execute(placementsInsert(still));
  return still;
}

/** It is there, nobody migrates it with this tool, and its own ledger holds what it did. */
async function isStill(connection: Connection, { standing: { listed, ledger } }: Taking): Promise<boolean> {
  const same = ledger === null ? sql`true` : unchanged(ledger.found, ledger.digest);
  const row = await connection.row<{ still: boolean }>(sql`
    select exists (select from pg_namespace where nspname = ${listed.unit.schema})
           and not exists (select from tenantctl.placement where tenant = any(${listed.tenants.map(({ id }) => id)}::text[])
             and schema <> ${listed.unit.schema} and state <> 'moved')
           and pg_try_advisory_xact_lock(${LOCK_CLASS.unit}::int, hashtext(${listed.unit.ledgerKey})) and ${same} as still`);
  return row?.still === true;
}

/** The statements that record files of units; those that have the same files share one. */
function ledgerInserts(takings: readonly Taking[], files: readonly Migration[]): Sql[] {
  const byHistory = groupBy(
    takings.filter(({ adoption }) => adoption !== null),
    ({ standing: { applied, tool } }) => JSON.stringify([tool, applied]),
  );
  return [...byHistory.values()].map((alike) => {
    const { applied, tool } = (alike[0] as Taking).standing;
    const has = files.filter(({ id }) => applied?.includes(id));
    const origin = `adopted ${tool === null ? 'by shape' : `from ${tool}`}`;
    return sql`
      insert into tenantctl.ledger (unit, id, name, checksum, tool)
      select unit, id, name, checksum, ${origin}
        from unnest(${alike.map(({ standing }) => standing.listed.unit.ledgerKey)}::text[]) as u (unit)
        cross join unnest(${has.map(({ id }) => id)}::int[], ${has.map(({ name }) => name)}::text[], ${has.map(({ checksum }) => checksum)}::text[])
          as f (id, name, checksum)
       order by unit, id
      on conflict (unit, id) where rolled_back_at is null do nothing`;
  });
}

/** The statement that writes the new tenants of units as their homes know them; one that a crash has left keeps its key. */
function placementsInsert(takings: readonly Taking[]): Sql {
  const rows = takings.flatMap(({ sifted, placement, standing }) =>
    sifted.tenants.map((tenant) => ({ ...tenant, placement, unit: standing.listed.unit.ledgerKey })),
  );
  return sql`
    insert into tenantctl.placement (tenant, key, unit, tier, schema, role, plan, owner, labels, status, epoch, state)
    select tenant, key, unit, tier, schema, role, plan, owner, labels::jsonb, 'active', 1, 'active'
      from unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ key }) => key)}::text[], ${rows.map(({ unit }) => unit)}::text[],
        ${rows.map(({ placement }) => placement.tier)}::text[], ${rows.map(({ placement }) => placement.schema)}::text[],
        ${rows.map(({ placement }) => placement.role)}::text[], ${rows.map(({ plan }) => plan)}::text[], ${rows.map(({ owner }) => owner)}::text[],
        ${rows.map(({ labels }) => JSON.stringify(labels))}::text[]) as t (tenant, key, unit, tier, schema, role, plan, owner, labels)
    on conflict (tenant, schema) do nothing`;
}

/** The key of a tenant whose home knows it already: a crash may have left it there before the catalog knew. */
export function withKnownKeys({ sifted, standing, ...taking }: Taking): Taking {
  const tenants = sifted.tenants.map((tenant): NewTenant => {
    const known = standing.facts?.tenants.get(tenant.id);
    return known === undefined ? tenant : { ...tenant, key: known.key };
  });
  return { ...taking, standing, sifted: { ...sifted, tenants } };
}
