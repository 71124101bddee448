import type { Fleet } from '../../../engine/context.js';
import { type Repair, repairOf } from '../../../engine/shape/repair/repair.js';
import type { Shape } from '../../../engine/shape/shape.js';
import { ident, sql } from '../../../pg/sql.js';
import type { SeenUnit } from './survey.js';

/** Statements for so many units; the next look has those for the others. */
const AT_ONCE = 100;

/** What waits for a lock keeps everybody behind it waiting. What builds or validates waits for nobody's lock but may not be cut short. */
const SHORT = "set lock_timeout = '2s'";
const LONG = 'set lock_timeout = 0';
const PATIENT =
  /^(?:create (?:unique )?index concurrently|drop index concurrently|reindex|alter table \S+ validate)/i;

/** How units of one database are brought back, for one session with it. */
export interface Mend extends Omit<Repair, 'sql'> {
  sql: string[];
  /** Units that the statements are for. */
  units: number;
}

/** @param units of one database, all of one sort */
export async function mendingOf(
  fleet: Fleet,
  units: readonly SeenUnit[],
  expected: Shape,
  actual: Shape,
): Promise<Mend> {
  const some = units.slice(0, AT_ONCE);
  const owners = await ownersIn(fleet, some);
  const repairs = some.map(({ unit }) => {
    const owner = owners.get(unit.schema) ?? '';
    return { unit, repair: repairOf(expected, actual, { schema: unit.schema, owner }) };
  });
  const { byHand, loses } = repairs[0]?.repair ?? { byHand: [], loses: [] };
  const { extensionsSchema } = fleet.settings.tenancy;
  const statements = repairs.flatMap(({ unit, repair }) =>
    repair.sql.length === 0
      ? []
      : [
          `set search_path = ${ident(unit.schema).text()}, ${ident(extensionsSchema).text()}`,
          ...withPatience(repair.sql),
        ],
  );
  // The administrator sees the rows of all tenants: constraints are validated, and columns filled, for all of them.
  const whole = ["set tenantctl.scope = 'fleet'", ...statements, 'reset all'];
  return { sql: statements.length === 0 ? [] : whole, byHand, loses, units: some.length };
}

function withPatience(statements: readonly string[]): string[] {
  let now = '';
  return statements.flatMap((statement) => {
    const wanted = PATIENT.test(statement) ? LONG : SHORT;
    if (wanted === now) return [statement];
    now = wanted;
    return [wanted, statement];
  });
}

async function ownersIn(fleet: Fleet, units: readonly SeenUnit[]): Promise<Map<string, string>> {
  const { cluster, database } = (units[0] as SeenUnit).unit;
  const schemas = units.map(({ unit }) => unit.schema);
  const rows = await fleet.connections(cluster).use(database, (connection) =>
    connection.rows<{ schema: string; owner: string }>(sql`
      select n.nspname as schema, pg_get_userbyid(mode() within group (order by c.relowner))::text as owner
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = any(${schemas}::text[]) and c.relkind in ('r', 'p') group by 1`),
  );
  return new Map(rows.map(({ schema, owner }) => [schema, owner]));
}
