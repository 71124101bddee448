import { type LocalPlacement, hasLocalState, readPlacement } from '../../local/placements.js';
import { ident, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import type { Side } from '../../rows/side.js';
import type { Destination, MoveFinding, PreflightContext, PreflightRule } from './finding.js';

/** Whatever stands where the new home is to be and was not made for this tenant is never taken over. */
export const placeTaken: PreflightRule = async (context) => {
  const { source, goal, target } = context;
  const left = await readPlacement(source.session, source.side.home);
  if (left?.state === 'moved') return [homeDiffers(source.side, 'has left it')];
  const placed = await placedThere(goal);
  if (placed !== undefined)
    return placed.state === 'making' ? [] : [homeDiffers(goal.side, `is ${placed.state} there`)];
  if (target !== null) return rowsInPool(context);
  if (goal.side.shared) return [];
  const { cluster, database, schema, role } = goal.side.home.placement;
  const old = source.side.home.placement;
  const sameRole = old.cluster === cluster && old.role === role;
  return [
    ...(await takenSchema(context)),
    ...(sameRole || !(await isForeignRole(goal))
      ? []
      : [taken(role, `Role ${role}`, `alter role ${ident(role).text()} rename to …;`, { database, schema })]),
  ];
};

async function placedThere({ database, side }: Destination): Promise<LocalPlacement | undefined> {
  return database !== null && (await hasLocalState(database))
    ? readPlacement(database, side.home)
    : undefined;
}

/** The catalog is an old copy, or somebody else's: what it would have deleted may be the tenant itself. */
function homeDiffers({ home: { tenant, placement } }: Side, what: string): MoveFinding {
  const { schema, database, cluster } = placement;
  return {
    rule: 'home-differs',
    level: 'error',
    where: `${database}.${schema}`,
    message: `Schema ${schema} of database ${database} on cluster ${cluster} says that tenant ${tenant.id} ${what}, and the catalog knows nothing of that.`,
    hint: `Find out which is right before anything is moved: select * from tenantctl.placement where tenant = ${sql`${tenant.id}`.text()};`,
  };
}

/** A database that no tenants share is the tenant's own, or somebody else's. */
async function takenSchema({ fleet, goal }: PreflightContext): Promise<MoveFinding[]> {
  const { cluster, database, schema } = goal.side.home.placement;
  if (goal.database === null) return [];
  const { schemaDatabase, pools } = fleet.cluster(cluster);
  const shared = [schemaDatabase, ...Object.values(pools).map((pool) => pool.database)];
  if (!shared.includes(database))
    return [
      taken(
        database,
        `Database ${database} of cluster ${cluster}`,
        `alter database ${ident(database).text()} rename to …;`,
        { database, schema },
      ),
    ];
  const found = await goal.database.row(sql`select from pg_namespace where nspname = ${schema}`);
  if (found === undefined) return [];
  return [
    taken(
      schema,
      `Schema ${schema} of database ${database}`,
      `alter schema ${ident(schema).text()} rename to …;`,
      {
        database,
        schema,
      },
    ),
  ];
}

/** The roles of tenants say so in a comment; they belong to the whole cluster. */
async function isForeignRole({ server, side }: Destination): Promise<boolean> {
  const mark = `tenantctl: tenant ${side.home.tenant.id} `;
  const row = await server.row<{ ours: boolean | null }>(sql`
    select starts_with(shobj_description(oid, 'pg_authid'), ${mark}) as ours
      from pg_roles where rolname = ${side.home.placement.role}`);
  return row !== undefined && row.ours !== true;
}

function taken(
  where: string,
  what: string,
  rename: string,
  { database, schema }: { database: string; schema: string },
): MoveFinding {
  return {
    rule: 'place-taken',
    level: 'error',
    where,
    message: `${what} is there already and was not made for this tenant, whose new home would be schema ${schema} of database ${database}.`,
    hint: `Give it another name: ${rename} or change the pattern under tenancy.names.`,
  };
}

/** Rows with the tenant's key in a pool where it has no placement are not ours to overwrite. */
async function rowsInPool({ target }: PreflightContext): Promise<MoveFinding[]> {
  if (target === null || !target.side.shared) return [];
  const { session, side, tables, unit } = target;
  const findings: MoveFinding[] = [];
  for (const { name, tenantColumn } of tables) {
    const condition = sql`${ident(tenantColumn as string)} = ${side.home.tenant.key}`;
    const row = await session.row<{ rows: number }>(
      sql`select count(*)::float8 as rows from ${tableOf(side, name)} where ${condition}`,
    );
    if (row === undefined || row.rows === 0) continue;
    findings.push({
      rule: 'rows-at-target',
      level: 'error',
      where: name,
      message: `Table ${name} of ${unit.id} has ${row.rows} rows with this tenant's key already, and the tenant never lived there.`,
      hint: `Look whose they are; if nobody needs them: delete from ${tableOf(side, name).text()} where ${condition.text()};`,
    });
  }
  return findings;
}
