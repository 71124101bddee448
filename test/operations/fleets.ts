import type { FleetEvent } from '../../src/core/events.js';
import { eventStream } from '../../src/core/events.js';
import { isTenantctlError } from '../../src/core/errors.js';
import type { RunPlan, RunReport } from '../../src/core/report.js';
import type { ClusterSettings } from '../../src/core/settings.js';
import type { Tier } from '../../src/core/tier.js';
import { parseSelectors } from '../../src/core/selector.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { Fleet } from '../../src/engine/context.js';
import { type MigrateRequest, migrate } from '../../src/operations/migrate.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { directoryOf, numbered, writeFiles } from '../engine/ledger/directory.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';

const FIRST = [
  'create table item (tenant_id uuid not null, id int not null, note text, primary key (tenant_id, id));',
  "create table colour (name text primary key); insert into colour values ('red'), ('blue');",
];

export interface SmallFleet extends TestFleet {
  /** The migration directory, which tests add files to. */
  directory: string;
  tenants: Record<Tier, string[]>;
  /** Adds the next migrations to the directory. */
  add(...texts: string[]): void;
  migrate(request?: Partial<MigrateRequest> & { selectors?: string[]; fleet?: Fleet }): Promise<RunReport>;
  preview(request?: Partial<MigrateRequest>): Promise<RunPlan>;
  catalog<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** In the database of pools and tenant schemas. */
  shared<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  sharedUrl: string;
  /** In the database of a tenant of its own. */
  own<Row extends object>(tenant: string, text: string): Promise<Row[]>;
  /** Another process's view, with its own interruption and its own ear for events. */
  process(options: { signal?: AbortSignal; onEvent?: (event: FleetEvent) => void }): Fleet;
  close(): Promise<void>;
}

/**
 * Fleets with tenants in all tiers, two small migrations each. Call it at the top of a file.
 * @param server of the file; one of its own when left out
 */
export function useFleets(server: { readonly current: LocalServer } = useServer()) {
  return {
    get server() {
      return server.current;
    },
    make: (counts: Record<Tier, number>, overrides: FleetOverrides = {}) =>
      make(server.current, counts, overrides),
  };
}

async function make(
  server: ReturnType<typeof useFleets>['server'],
  counts: Record<Tier, number>,
  overrides: FleetOverrides,
): Promise<SmallFleet> {
  const directory = directoryOf(numbered(...FIRST));
  const made = await newFleet(server, { migrations: directory, seed: null, ...overrides });
  const opened: Fleet[] = [];
  const names = (tier: Tier): string[] => Array.from({ length: counts[tier] }, (_, n) => `${tier}-${n + 1}`);
  const tenants = { pool: names('pool'), schema: names('schema'), database: names('database') };
  for (const tier of ['pool', 'schema', 'database'] as const)
    await Promise.all(tenants[tier].map((id) => provisionTenant(made.fleet, { id, tier })));
  let count = FIRST.length;
  const { settings } = made;
  const sharedUrl = server.adminUrl((settings.clusters['main'] as ClusterSettings).schemaDatabase);
  const databaseOf = (tenant: string): string => settings.tenancy.names.database.replace('{id}', tenant);
  const request = (given: Partial<MigrateRequest>): MigrateRequest => ({
    select: [],
    allowEmpty: false,
    dryRun: false,
    ...given,
  });
  return {
    ...made,
    directory,
    tenants,
    add(...texts) {
      const files = numbered(...Array<string>(count).fill(''), ...texts);
      writeFiles(directory, Object.fromEntries(Object.entries(files).slice(count)));
      count += texts.length;
    },
    async migrate({ selectors = [], fleet = made.fleet, ...given } = {}) {
      const done = await migrate(fleet, request({ ...given, select: parseSelectors(selectors) }));
      if ('plan' in done) throw new Error('it was a dry run');
      return done;
    },
    async preview(given = {}) {
      const done = await migrate(made.fleet, request({ ...given, dryRun: true }));
      if (!('plan' in done)) throw new Error('it was no dry run');
      return done.plan;
    },
    sharedUrl,
    catalog: (text, values) => query(settings.catalogUrl, text, values),
    shared: (text, values) => query(sharedUrl, text, values),
    own: (tenant, text) => query(server.adminUrl(databaseOf(tenant)), text),
    process({ signal = new AbortController().signal, onEvent = () => undefined }) {
      const fleet = new Fleet(settings, {
        ...made.fleet.options,
        signal,
        emit: eventStream('test', [onEvent]),
      });
      opened.push(fleet);
      return fleet;
    },
    async close() {
      for (const fleet of opened) await fleet.close();
    },
  };
}

/** The version of every unit as its own ledger says, by the unit's id. */
export async function versionsOf(fleet: SmallFleet): Promise<Record<string, number[]>> {
  const text = `select unit, array_agg(id order by id) as ids from tenantctl.ledger
    where unit <> 'tenantctl' and rolled_back_at is null and state = 'applied' group by unit`;
  type Row = { unit: string; ids: number[] };
  const [units, shared, ...own] = await Promise.all([
    fleet.catalog<{ id: string; key: string }>(
      `select id, ledger_key as key from tenantctl_catalog.units where tier <> 'database'`,
    ),
    fleet.shared<Row>(text),
    ...fleet.tenants.database.map(async (tenant) => ({ tenant, rows: await fleet.own<Row>(tenant, text) })),
  ]);
  const entries = units.map(
    ({ id, key }) => [id, shared.find(({ unit }) => unit === key)?.ids ?? []] as const,
  );
  const dedicated = own.map(({ tenant, rows }) => [`database:${tenant}`, rows[0]?.ids ?? []] as const);
  return Object.fromEntries([...entries, ...dedicated]);
}

/** The code of the tool's error that `work` ends with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => {
      if (isTenantctlError(error)) return error.code;
      throw error;
    },
  );
}
