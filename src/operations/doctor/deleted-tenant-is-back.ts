import { readForeignKeys } from '../../engine/rows/foreign-keys.js';
import { childrenFirst } from '../../engine/rows/reference-order.js';
import { NO_LIMITS } from '../../core/settings.js';
import type { Side } from '../../engine/rows/side.js';
import { ident, literal } from '../../pg/sql.js';
import { type ClusterContext, type DatabaseContext, type DoctorFinding, placeName } from './rule.js';
import {
  type Traces,
  deletedDatabases,
  placementsOfDeleted,
  rowsOfDeleted,
  schemasOfDeleted,
} from './traces.js';

/** A database of a tenant that was deleted: somebody has restored it from a backup. */
export async function deletedDatabaseIsBack({
  fleet,
  cluster,
  databases,
}: ClusterContext): Promise<DoctorFinding[]> {
  const back = await fleet.catalog((connection) => deletedDatabases(connection, cluster, databases));
  return back.map(({ tenant, deletedAt, database }) =>
    finding({
      where: cluster,
      tenant,
      deletedAt,
      traces: [`database ${database}`],
      statements: [`drop database ${ident(database).text()}`],
      facts: { cluster, database },
    }),
  );
}

/** What a backup that is older than a deletion has brought back into a database: rows, schemas, local placements. */
export async function deletedTenantIsBack(context: DatabaseContext): Promise<DoctorFinding[]> {
  const traces = new Map<string, Traces>();
  const note = (found: readonly Traces[]): void => {
    for (const trace of found) {
      const key = `${trace.tenant} ${trace.schema}`;
      const known = traces.get(key);
      traces.set(key, {
        ...trace,
        placed: trace.placed || known?.placed === true,
        own: trace.own || known?.own === true,
        tables: [...(known?.tables ?? []), ...trace.tables],
      });
    }
  };
  note(await placementsOfDeleted(context));
  note(await schemasOfDeleted(context));
  note(await rowsOfDeleted(context));
  return Promise.all([...traces.values()].map((trace) => findingOf(context, trace)));
}

async function findingOf(context: DatabaseContext, trace: Traces): Promise<DoctorFinding> {
  const { tenant, deletedAt, schema, placed, own, tables } = trace;
  const { cluster, session } = context;
  return finding({
    where: `${placeName(context)}.${schema}`,
    tenant,
    deletedAt,
    traces: [
      ...(own ? [`schema ${schema}`] : []),
      ...(tables.length > 0 ? [`rows with its key in ${tables.join(', ')}`] : []),
      ...(placed ? ['its local placement'] : []),
    ],
    statements: await statementsFor(context, trace),
    facts: { cluster, database: session.database, schema, tables },
  });
}

/** By hand, and not by --fix: what is deleted here no plan has counted and no hold has been asked about. */
async function statementsFor({ fleet, session }: DatabaseContext, trace: Traces): Promise<string[]> {
  const { tenant, schema, placed, own, tables, key } = trace;
  const foreignKeys = await readForeignKeys(session, sideOf(trace));
  const ordered = childrenFirst(
    tables.map((name) => ({ name })),
    foreignKeys,
  );
  const column = ident(fleet.settings.tenancy.column).text();
  const rows = ordered.map(
    ({ name }) => `delete from ${ident(schema, name).text()} where ${column} = ${literal(key)}`,
  );
  return [
    ...(own
      ? [
          `drop schema ${ident(schema).text()} cascade`,
          `delete from tenantctl.ledger where unit = ${literal(`schema:${schema}`)}`,
        ]
      : rows.length > 0
        ? [SCOPE, ...rows]
        : []),
    ...(placed
      ? [`delete from tenantctl.placement where tenant = ${literal(tenant)} and schema = ${literal(schema)}`]
      : []),
  ];
}

/** Without it the administrator sees no row of a pool. */
const SCOPE = `set tenantctl.scope = 'fleet'`;

function sideOf({ tenant, key, schema }: Traces): Side {
  return {
    name: 'source',
    shared: true,
    home: {
      tenant: { id: tenant, key, plan: null, owner: null, labels: {}, limits: NO_LIMITS },
      placement: { tier: 'pool', cluster: '', database: '', schema, pool: null, role: '' },
      epoch: 0,
    },
  };
}

interface Back {
  where: string;
  tenant: string;
  deletedAt: string;
  traces: string[];
  statements: string[];
  facts: Record<string, unknown>;
}

function finding({ where, tenant, deletedAt, traces, statements, facts }: Back): DoctorFinding {
  return {
    rule: 'deleted-tenant-is-back',
    level: 'error',
    where,
    message: `tenant ${tenant}, deleted at ${deletedAt}, is here again: ${traces.join(', ')}`,
    hint: `It came with a backup from before. Its certificate does not hold any more. Delete it again as the administrator: ${statements.join('; ')};`,
    facts: { tenant, deletedAt, ...facts, statements },
  };
}
