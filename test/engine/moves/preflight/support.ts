import type { Tenant } from '../../../../src/core/tenant.js';
import type { Tier } from '../../../../src/core/tier.js';
import type { LocalServer } from '../../../../src/embedded/server.js';
import type { MoveFinding } from '../../../../src/engine/moves/preflight/finding.js';
import type { PromoteRequest } from '../../../../src/operations/moves/move-plan.js';
import { planMove } from '../../../../src/operations/moves/plan.js';
import { provisionTenant } from '../../../../src/operations/provision.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../../support/fleet.js';
import { withClient } from '../../../support/server.js';
import { ZOO } from '../../../operations/moves/zoo.js';
import { directoryOf, numbered } from '../../ledger/directory.js';

export interface PreflightFleet extends TestFleet {
  /** The database of the pool `shared`, and that of the pool `second`; both have their tables in schema app. */
  pool: string;
  second: string;
  tenant(id: string, tier: Tier, pool?: string): Promise<Tenant>;
  /** Statements of a superuser, who sees every row, with the schema on the path. */
  run(database: string, statements: string, schema?: string): Promise<void>;
  /** The same of the administrator, who owns the tables. */
  own(database: string, statements: string, schema?: string): Promise<void>;
  /** What one rule, or every one, says of a move. */
  findings(request: PromoteRequest, rule?: string): Promise<MoveFinding[]>;
}

/** A fleet with the tables of the zoo and two pools, for looking at moves without making them. */
export async function preflightFleet(
  server: LocalServer,
  overrides: FleetOverrides = {},
): Promise<PreflightFleet> {
  const made = await newFleet(server, {
    migrations: directoryOf(numbered(...ZOO)),
    seed: null,
    ...overrides,
  });
  const { fleet, settings } = made;
  const main = fleet.cluster('main');
  const [first] = Object.values(main.pools);
  if (first === undefined) throw new Error('the test fleet has a pool');
  const second = `${first.database}_second`;
  main.pools[`${first.name}second`] = { name: `${first.name}second`, database: second, schema: 'app' };
  const run = (url: string, statements: string, schema = 'app'): Promise<void> =>
    withClient(url, async (client) => {
      await client.query(
        `set search_path = "${schema}", ${settings.tenancy.extensionsSchema}; ${statements}`,
      );
    });
  return {
    ...made,
    pool: first.database,
    second,
    run: (database, statements, schema) => run(server.superuserUrl(database), statements, schema),
    own: (database, statements, schema) => run(server.adminUrl(database), statements, schema),
    async tenant(id, tier, pool = tier === 'pool' ? first.name : undefined) {
      const { tenant } = await provisionTenant(fleet, {
        id,
        tier,
        ...(pool === undefined ? {} : { pool }),
      });
      return tenant;
    },
    async findings(request, rule) {
      const plan = await planMove(fleet, request);
      if (plan === null) throw new Error(`tenant ${request.id} lives there already`);
      return plan.findings.filter((found) => rule === undefined || found.rule === rule);
    },
  };
}

/** A row of the zoo's table of customers. */
export function customer(key: string, id: number, email = `c${id}@example.com`): string {
  return `insert into customer (tenant_id, id, email) values ('${key}', ${id}, '${email}');`;
}

/** The statement, or the last of several, that a hint asks for. */
export function statementIn({ hint }: MoveFinding): string {
  const statements = hint.match(/\b(?:alter|revoke|grant|drop|update|delete|create) [^;]*;/g);
  const last = statements?.at(-1);
  if (last === undefined) throw new Error(`no statement in: ${hint}`);
  return last;
}

/** Names, so that a test can say what was found: `error customer.email`. */
export function placesOf(findings: readonly MoveFinding[]): string[] {
  return findings.map(({ level, where }) => `${level} ${where}`);
}
