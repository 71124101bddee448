import pg from 'pg';
import { vi } from 'vitest';
import type { FleetSettings } from '../../src/core/settings.js';
import type { Fleet } from '../../src/engine/context.js';
import { writeFiles } from '../engine/ledger/directory.js';
import type { SmallFleet } from './fleets.js';

/** Fails on tenants that were spoiled, and on no others. */
export const UNIQUE =
  'alter table item add constraint item_note unique (note); -- tenantctl: allow key-built-under-lock because the table has few rows';
export const STEP = 'alter table item add column extra text;';
export const GO = { wait: false, dryRun: false };

/** A rollout with one unit at a time, so that it is known what comes after what. */
export const oneByOne = (rollout: Partial<FleetSettings['rollout']> = {}) => ({
  rollout: { concurrency: 1, retries: 0, ...rollout },
});

export const budget = (count: number) => ({ count, percent: 100, consecutive: null });

export function schemaOf(fleet: SmallFleet, tenant: string): string {
  return fleet.settings.tenancy.names.schema.replace('{id}', tenant);
}

/** Gives schema tenants rows on which `UNIQUE` fails. */
export async function spoil(fleet: SmallFleet, ...tenants: string[]): Promise<void> {
  for (const tenant of tenants)
    await fleet.shared(
      `insert into "${schemaOf(fleet, tenant)}".item select gen_random_uuid(), i, 'same' from generate_series(1, 2) i`,
    );
}

export async function repair(fleet: SmallFleet, ...tenants: string[]): Promise<void> {
  for (const tenant of tenants)
    await fleet.shared(`delete from "${schemaOf(fleet, tenant)}".item where id = 2`);
}

/** Adds a migration with its way back. */
export function addReversible(fleet: SmallFleet, id: number, up: string, down: string): void {
  fleet.add(up);
  writeFiles(fleet.directory, { [`down/${String(id).padStart(4, '0')}_step.sql`]: down });
}

export interface UnitRow {
  unit: string;
  wave: string;
  status: string;
  reason: string | null;
  attempts: number;
  from: number | null;
  to: number | null;
}

/** The stored units of the latest run, in their order. */
export function unitRows(fleet: SmallFleet): Promise<UnitRow[]> {
  return fleet.catalog(`
    select u.unit, w.name as wave, u.status, u.reason, u.attempts, u.from_version as "from", u.to_version as "to"
      from tenantctl_catalog.run_units u join tenantctl_catalog.run_waves w on w.run = u.run and w.ordinal = u.wave
     where u.run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by u.wave, u.ordinal`);
}

export async function statuses(fleet: SmallFleet): Promise<Record<string, string>> {
  return Object.fromEntries((await unitRows(fleet)).map(({ unit, status }) => [unit, status]));
}

/** What was decided about the latest run, in order. */
export async function decisions(fleet: SmallFleet): Promise<[string, string][]> {
  const rows = await fleet.catalog<{ decision: string; reason: string }>(`
    select decision, reason from tenantctl_catalog.run_decisions
     where run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by seq`);
  return rows.map(({ decision, reason }) => [decision, reason]);
}

export async function runRow(
  fleet: SmallFleet,
): Promise<{ status: string; reason: string | null; open: boolean }> {
  const [row] = await fleet.catalog<{ status: string; reason: string | null; open: boolean }>(`
    select status, status_reason as reason, finished_at is null as open
      from tenantctl_catalog.runs order by started_at desc limit 1`);
  if (row === undefined) throw new Error('there is no run');
  return row;
}

/** The units whose work began, in order. */
export const started = (fleet: SmallFleet): string[] =>
  fleet.events.flatMap((event) => (event.type === 'unit.started' ? [event.unit] : []));

/** The same fleet, worked on by somebody else who gives a reason. */
export function somebody(fleet: SmallFleet, actor: string, reason: string | null = null): Fleet {
  const other = fleet.process({});
  Object.assign(other.options, { actor: { actor, reason, ticket: null } });
  return other;
}

/** Migrations of a unit as its ledger has them, with those that were taken back. */
export function history(fleet: SmallFleet, tenant: string): Promise<{ id: number; back: boolean }[]> {
  return fleet.shared(
    `select id, rolled_back_at is not null as back from tenantctl.ledger where unit = $1 order by applied_at, id`,
    [`schema:${schemaOf(fleet, tenant)}`],
  );
}

/** A migration that stops at a barrier while it is closed. */
export const AT_BARRIER = 'select pg_advisory_xact_lock(4711);';

/** Closes the barrier of a fleet's shared database. */
export async function closeBarrier(fleet: Pick<SmallFleet, 'sharedUrl'>) {
  const keeper = new pg.Client({ connectionString: fleet.sharedUrl });
  keeper.on('error', () => undefined);
  await keeper.connect();
  await keeper.query('select pg_advisory_lock(4711)');
  const waiting = `select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  return {
    /** Waits until a migration stands at the barrier. */
    reached: () =>
      vi.waitUntil(async () => (await keeper.query(waiting)).rowCount, { interval: 5, timeout: 20_000 }),
    open: () => keeper.end(),
  };
}

/** A migration that stands at the closed barrier. */
export async function migratingAtBarrier(fleet: SmallFleet) {
  fleet.add(AT_BARRIER);
  const barrier = await closeBarrier(fleet);
  const running = fleet.migrate();
  await barrier.reached();
  return { barrier, running };
}

/** Waits until the process that drives the run has looked at what people decided by now. */
export async function lookedAgain(fleet: SmallFleet): Promise<void> {
  const [now] = await fleet.catalog<{ now: string }>('select clock_timestamp()::text as now');
  const looked = `select from pg_stat_activity where datname = current_database() and state = 'idle'
    and query like '%as skipped%' and query_start > $1::timestamptz and pid <> pg_backend_pid()`;
  await vi.waitUntil(async () => (await fleet.catalog(looked, [now?.now])).length > 0, {
    interval: 20,
    timeout: 20_000,
  });
}
