import { ident, sql } from '../../pg/sql.js';
import { conflictError } from '../../core/errors.js';
import { tryWithLock } from '../../pg/locks.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/** What a template is called while it is being filled: `src/engine/tiers/template.ts`. */
const HALF_MADE_TEMPLATE = /^tenantctl_making_[0-9a-f]{16}$/;

/** Half-made templates that nobody is filling. They hold what migrations make, and never held a tenant. */
export async function halfMadeDatabases(context: ClusterContext): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  for (const database of context.databases.filter((name) => HALF_MADE_TEMPLATE.test(name)))
    if (!(await isBeingMade(context, database))) findings.push(finding(context, database));
  return findings;
}

/** Its builder holds this lock until it has its final name, whichever fleet it belongs to. */
async function isBeingMade({ session }: ClusterContext, database: string): Promise<boolean> {
  const free = await tryWithLock(session, 'cluster', database, () => Promise.resolve(true));
  return free === undefined;
}

function finding(context: ClusterContext, database: string): DoctorFinding {
  return {
    rule: 'half-made-template',
    level: 'info',
    where: `${context.cluster}/${database}`,
    message: 'a template for databases of tenants was begun here and never finished; nobody is at work on it',
    hint: '`tenantctl doctor --fix` drops it; the next one is made from the migrations.',
    facts: { cluster: context.cluster, database, sql: [`drop database ${ident(database).text()}`] },
    mend: () => drop(context, database),
  };
}

async function drop({ fleet, cluster }: ClusterContext, database: string): Promise<void> {
  const connections = fleet.connections(cluster);
  await connections.leave(database);
  const done = await connections.use(connections.maintenanceDatabase, (session) =>
    tryWithLock(session, 'cluster', database, () =>
      session.execute(sql`drop database if exists ${ident(database)}`),
    ),
  );
  if (done !== undefined) return;
  throw conflictError('TEMPLATE_BUSY', `Database ${database} is being filled by another process.`, {
    hint: 'Nothing was changed.',
    facts: { cluster, database },
  });
}
