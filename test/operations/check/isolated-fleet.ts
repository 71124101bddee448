import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../../src/core/finding.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { readPlaces } from '../../../src/operations/check/isolation-places.js';
import { readCluster, readDatabase } from '../../../src/operations/check/isolation-rules.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../support/fleet.js';
import { query, withClient } from '../../support/server.js';

const FAULTS = fileURLToPath(new URL('../../../fixtures/faults/isolation/', import.meta.url));

export interface Fault {
  rule: string;
  home: string;
  /** `rule object` of what it makes found. */
  finds: string[];
  sql: string;
}

/** The faults of the fixtures: one file each, named by the rule that finds it. */
export function readFaults(): Fault[] {
  return readdirSync(FAULTS).map((file) => {
    const text = readFileSync(`${FAULTS}${file}`, 'utf8');
    const [, home = '', found = '', sql = ''] =
      /^-- home: (\w+)\n((?:-- finds: .*\n)*)([\s\S]*)$/.exec(text) ?? [];
    const finds = [...found.matchAll(/^-- finds: (.*)$/gm)].map(([, object = '']) => object);
    return { rule: file.replace(/\.sql$/, ''), home, finds, sql: sql.trim() };
  });
}

export interface IsolatedFleet extends TestFleet {
  /** What the rules find in the whole fleet. */
  findings(): Promise<Finding[]>;
  /** The database in which a fault of this home is made. */
  databaseOf(home: string): string;
  /** Runs SQL where its home is, as the administrator, or as the superuser where it says so. */
  run(home: string, sql: string): Promise<void>;
  /** One statement as the administrator, and as the superuser when that role may not. */
  sendTo(database: string, statement: string): Promise<void>;
}

/** Tenants in all tiers, by the names that the examples of the rules use: pool `app`, `t_acme`, `t_beta`, `d_corp`, `d_dune`. */
export async function isolatedFleet(
  server: LocalServer,
  overrides: FleetOverrides = {},
): Promise<IsolatedFleet> {
  const made = await newFleet(server, {
    ...overrides,
    tenancy: { appRole: 'app_user', names: { schema: 't_{id}', database: 'd_{id}' }, ...overrides.tenancy },
  });
  const { fleet, settings } = made;
  for (const [id, tier] of TENANTS) await provisionTenant(fleet, { id, tier, cluster: 'main' });
  const shared = settings.clusters['main']?.schemaDatabase ?? '';
  const databaseOf = (home: string) => DATABASES[home] ?? shared;
  return {
    ...made,
    databaseOf,
    async findings() {
      const { databases, homes } = await readPlaces(fleet);
      const findings = await readCluster(fleet, 'main', homes.get('main') ?? []);
      for (const place of databases) findings.push(...(await readDatabase(fleet, place)));
      return findings;
    },
    run: (home, sql) => {
      const url = /^-- as a superuser/m.test(sql) ? server.superuserUrl : server.adminUrl;
      return withClient(url(databaseOf(home)), async (client) => {
        await client.query(`set search_path = ${home === 'pool' ? 'app, extensions' : 'pg_catalog'}`);
        await client.query(sql);
      });
    },
    async sendTo(database, statement) {
      const done = await withClient(server.adminUrl(database), async (client) => {
        // A REVOKE by a role that may not do it only warns.
        const warnings: unknown[] = [];
        client.on('notice', ({ severity }) => severity === 'WARNING' && warnings.push(severity));
        await client.query(statement).catch((error: unknown) => {
          if ((error as { code?: string }).code !== '42501') throw error;
          warnings.push(error);
        });
        return warnings.length === 0;
      });
      if (!done) await query(server.superuserUrl(database), statement);
    },
  };
}

const TENANTS = [
  ['small', 'pool'],
  ['acme', 'schema'],
  ['beta', 'schema'],
  ['corp', 'database'],
  ['dune', 'database'],
] as const;

const DATABASES: Readonly<Record<string, string>> = { database: 'd_corp', cluster: 'postgres' };

/** `rule object` of each, without the place of the object. */
export function named(findings: readonly Finding[]): string[] {
  return findings
    .map(({ rule, where }) => `${rule} ${where.replace(/^main(?:\/[^.]+\.|: )/, '')}`)
    .toSorted();
}
