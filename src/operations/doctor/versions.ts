import { conflictError } from '../../core/errors.js';
import { versionUpdate } from '../../engine/catalog/places.js';
import { CATALOG, LOCAL_STATE } from '../../engine/ledger/own-schema.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { withRunLock } from '../runs/lock.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface Newest {
  unit: string;
  id: number | null;
  name: string | null;
  /** Is there any entry, a started one as well? */
  begun: boolean;
}

interface Unit {
  id: string;
  ledgerKey: string;
  schema: string;
  version: number | null;
  name: string | null;
}

/** Versions that the catalog has noted of units, and that their ledgers know otherwise; ledgers of nobody. */
export async function ledgersAgree(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const ledgers = await readNewest(session);
  const units = await fleet.catalog((catalog) => readUnits(catalog, cluster, session.database));
  const byKey = new Map(ledgers.map((ledger) => [ledger.unit, ledger]));
  const claimed = await claimedUnits(session);
  const pools = Object.keys(fleet.cluster(cluster).pools).map((name) => `pool:${name}`);
  const known = new Set([...claimed, ...units.map(({ ledgerKey }) => ledgerKey), ...pools]);
  return [
    ...units.flatMap((unit) => compare(context, unit, byKey.get(unit.ledgerKey))),
    ...ledgers.filter(({ unit }) => !known.has(unit)).map((ledger) => withoutHome(context, ledger)),
  ];
}

function readNewest(session: Connection, only = sql`true`): Promise<Newest[]> {
  return session.rows<Newest>(sql`
    select unit, max(id) filter (where state = 'applied') as id, true as begun,
           (array_agg(name order by id desc) filter (where state = 'applied'))[1] as name
      from tenantctl.ledger where rolled_back_at is null and not unit = any (${[LOCAL_STATE.ledgerKey, CATALOG.ledgerKey]}::text[]) and ${only}
     group by unit order by unit`);
}

function readUnits(catalog: Connection, cluster: string, database: string): Promise<Unit[]> {
  return catalog.rows<Unit>(sql`
    select u.id, u.ledger_key as "ledgerKey", u.schema, u.version_id as version, u.version_name as name
      from tenantctl_catalog.units u
     where u.cluster = ${cluster} and u.database = ${database}
       and exists (select from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
                    where p.unit = u.id and p.until is null and t.status in ('active', 'suspended', 'offboarding')
                      and not exists (select from tenantctl_catalog.offboardings o where o.tenant = t.id and o.begun_at is not null and o.finished_at is null))
     order by 1`);
}

async function claimedUnits(session: Connection): Promise<string[]> {
  const rows = await session.rows<{ unit: string }>(sql`select distinct unit from tenantctl.placement`);
  return rows.map(({ unit }) => unit);
}

function compare(context: DatabaseContext, unit: Unit, ledger: Newest | undefined): DoctorFinding[] {
  const { id, schema, version } = unit;
  const found = ledger?.id ?? null;
  if (found === version) return [];
  const where = `${placeName(context)}.${schema}`;
  const facts = { unit: id, catalog: unit.name, ledger: ledger?.name ?? null };
  if (ledger === undefined)
    return [
      {
        rule: 'ledger-missing',
        level: 'error',
        where,
        message: `the catalog says that ${id} is at ${unit.name}, and its ledger has no entry at all: the next migration would begin with the first file`,
        hint: 'Bring the rows of tenantctl.ledger back from a backup of this database before anything is migrated.',
        facts,
      },
    ];
  return [
    {
      rule: 'version-differs',
      level: 'warning',
      where,
      message: `the catalog says that ${id} is at ${unit.name ?? 'no migration'}, its ledger says ${ledger.name ?? 'none'}`,
      hint: 'The ledger is right. `tenantctl doctor --fix`, or the next `tenantctl migrate`, brings the catalog up to it.',
      facts,
      mend: () => refresh(context, unit),
    },
  ];
}

/** While no run writes versions, from the ledger as it is then. */
async function refresh({ fleet, cluster, session }: DatabaseContext, unit: Unit): Promise<void> {
  await withRunLock(fleet, async (catalog) => {
    const [ledger] = await fleet
      .connections(cluster)
      .use(session.database, (connection) => readNewest(connection, sql`unit = ${unit.ledgerKey}`));
    if (ledger === undefined) throw emptied(unit);
    const { id, name } = ledger;
    const version = id === null || name === null ? null : { id, name };
    await catalog.atomically([versionUpdate({ unit: unit.id, version })]);
  });
}

function emptied({ id }: Unit) {
  return conflictError('LEDGER_CHANGED', `The ledger of ${id} was changed meanwhile.`, {
    hint: 'Run `tenantctl doctor` again.',
    facts: { unit: id },
  });
}

/** A new tenant of the same name would be taken for migrated. */
function withoutHome(context: DatabaseContext, { unit, name }: Newest): DoctorFinding {
  const schema = unit.startsWith('schema:') ? unit.slice('schema:'.length) : null;
  return {
    rule: 'ledger-without-home',
    level: 'warning',
    where: `${placeName(context)}, ledger of ${unit}`,
    message: `the ledger says that ${unit} is at ${name ?? 'its beginning'}, and nobody lives in it: a new home of that name would be taken for migrated`,
    hint:
      schema === null
        ? 'Find out whose it is; its rows in tenantctl.ledger are deleted by hand.'
        : '`tenantctl doctor --fix` takes its rows out of the ledger if there is no such schema.',
    facts: { unit, version: name },
    ...(schema === null ? {} : { mend: () => forget(context, unit, schema) }),
  };
}

/** One statement, so that a home that comes into being meanwhile keeps its ledger. */
async function forget(
  { fleet, cluster, session }: DatabaseContext,
  unit: string,
  schema: string,
): Promise<void> {
  const gone = await fleet.connections(cluster).use(session.database, (connection) =>
    connection.execute(sql`
      delete from tenantctl.ledger where unit = ${unit} and not exists (select from pg_namespace where nspname = ${schema})
         and not exists (select from tenantctl.placement where placement.unit = ledger.unit)`),
  );
  const left = await fleet
    .connections(cluster)
    .use(session.database, (connection) => readNewest(connection, sql`unit = ${unit}`));
  if (gone > 0 || left.length === 0) return;
  throw conflictError('SCHEMA_STANDS', `Schema ${schema} is there, so its ledger stays.`, {
    hint: 'See what is in it, and drop it by hand first.',
    facts: { schema },
  });
}
