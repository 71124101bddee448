import type { Finding } from '../../core/finding.js';
import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { ident, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { type Attempt, type Outcome, attemptScript, outcomesOf } from './attempt.js';
import { type Coverage, noCoverage } from './coverage.js';
import { tenantSchemaReached } from './probes/tenant-schema-reached.js';

/** Roles that are assumed in one database, and looks that one check has for all of them together. */
const ROLES = 200;
const LOOKS = 4_000;

const LIMITS = `set local lock_timeout = '2s'; set local statement_timeout = '60s'`;

interface SchemaHome {
  tenant: string;
  schema: string;
  role: string;
  tables: string[];
}

export interface Looked {
  findings: Finding[];
  coverage: Coverage;
}

/** Assumes the role of every tenant that has a schema of its own here, and asks for tables of the others. */
export async function probeSchemas(fleet: Fleet, cluster: string, database: string): Promise<Looked> {
  return fleet.connections(cluster).use(database, async (session) => {
    const all = await readHomes(session, fleet.settings.tenancy.appRole);
    const homes = sampleOf(all);
    if (all.length < 2) return { findings: [], coverage: noCoverage() };
    session.retire();
    const looks = homes.flatMap((home, n) => looksOf(home, homes, n));
    const script = attemptScript(looks.map(({ attempt }) => attempt));
    const results = await session.message(`begin read only; ${LIMITS}; ${script}; rollback`);
    const outcomes = outcomesOf(
      results,
      0,
      looks.map(({ attempt }) => attempt),
    );
    const seen = looks.map((one, n) => ({ ...one, outcome: outcomes[n] as Outcome }));
    return judge(cluster, database, seen, all.length);
  });
}

interface Look {
  by: SchemaHome;
  /** Null for its own schema. */
  at: SchemaHome | null;
  table: string;
  attempt: Attempt;
}

type Seen = Look & { outcome: Outcome };

/** Its own table first, which it must be able to read; then all tables of a neighbour, and of further ones as many as the budget bears. */
function looksOf(by: SchemaHome, homes: readonly SchemaHome[], n: number): Look[] {
  const others = [...homes.slice(n + 1), ...homes.slice(0, n)].slice(
    0,
    Math.max(1, Math.floor(LOOKS / homes.length)),
  );
  const each = Math.max(1, Math.floor(LOOKS / (homes.length * others.length)));
  const own = by.tables.slice(0, 1).map((table) => look(by, by, table));
  const foreign = others.flatMap((at, m) =>
    (m === 0 ? at.tables : at.tables.slice(0, each)).map((table) => look(by, at, table)),
  );
  return [...own, ...foreign];
}

function look(by: SchemaHome, at: SchemaHome, table: string): Look {
  const statement = `select count(*) from (select from ${ident(at.schema, table).text()} limit 1) x`;
  const attempt: Attempt = { command: 'SELECT', how: 'by name', role: by.role, statement, counts: true };
  return { by, at: by === at ? null : at, table, attempt };
}

function judge(cluster: string, database: string, seen: readonly Seen[], all: number): Looked {
  const byRole = groupBy(seen, ({ by }) => by);
  const notProbed: Coverage['notProbed'] = [];
  for (const [{ schema, role }, looks] of byRole) {
    const control = looks.find(({ at }) => at === null);
    if (control !== undefined && control.outcome.rows === null)
      notProbed.push({
        where: `${cluster}/${database}.${schema}`,
        reason: `role ${role} cannot read its own schema: ${control.outcome.message}`,
      });
  }
  if (byRole.size < all)
    notProbed.push({
      where: `${cluster}/${database}`,
      reason: `${all - byRole.size} of ${all} roles of tenants with schemas of their own were left out; the rules read the privileges of all`,
    });
  const reached = seen.filter(({ at, outcome }) => at !== null && outcome.rows !== null);
  const findings = [...groupBy(reached, ({ at }) => (at as SchemaHome).schema)].map(([schema, looks]) =>
    finding(cluster, database, schema, looks),
  );
  const probed = byRole.size - notProbed.filter(({ where }) => where !== `${cluster}/${database}`).length;
  return {
    findings,
    coverage: {
      ...noCoverage(),
      tables: byRole.size,
      roles: byRole.size,
      commands: 1,
      probes: all,
      probed,
      notProbed,
    },
  };
}

function finding(cluster: string, database: string, schema: string, looks: readonly Seen[]): Finding {
  const roles = [...new Set(looks.map(({ by }) => by.role))];
  const tables = [...new Set(looks.map(({ table }) => table))];
  const tenant = looks[0]?.at?.tenant ?? schema;
  const name = ident(schema).text();
  const grantees = ['public', ...roles.map((role) => ident(role).text())].join(', ');
  return {
    rule: tenantSchemaReached.name,
    level: tenantSchemaReached.level,
    where: `${cluster}/${database}.${schema}`,
    message: `${whoReads(looks, roles)} ${tables.slice(0, 3).join(', ')} in the schema of tenant ${tenant}.`,
    hint: tenantSchemaReached.remedy,
    facts: {
      tenant,
      roles: roles.slice(0, 20),
      tables,
      commands: ['SELECT'],
      contexts: ['the role of another tenant'],
      sql: [
        `revoke all on schema ${name} from ${grantees}`,
        `revoke all on all tables in schema ${name} from ${grantees}`,
      ],
    },
  };
}

function whoReads(looks: readonly Seen[], roles: readonly string[]): string {
  if (roles.length > 1) return `${roles.length} roles of other tenants read`;
  return `Role ${roles[0]} of tenant ${looks[0]?.by.tenant} reads`;
}

/** Tenants with a role of their own that may use it now. */
async function readHomes(session: Connection, appRole: string): Promise<SchemaHome[]> {
  return session.rows<SchemaHome>(sql`
    select p.tenant, p.schema, p.role,
      (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = p.schema and c.relkind in ('r', 'p') and not c.relispartition) as tables
      from tenantctl.placement p join pg_roles r on r.rolname = p.role
     where p.role <> ${appRole} and p.state in ('active', 'moving') and pg_has_role(r.oid, 'MEMBER')
     order by p.tenant, p.schema`);
}

/** Spread over all of them. */
function sampleOf(homes: readonly SchemaHome[]): SchemaHome[] {
  if (homes.length <= ROLES) return [...homes];
  return Array.from({ length: ROLES }, (_, n) => homes[Math.floor((n * homes.length) / ROLES)] as SchemaHome);
}
