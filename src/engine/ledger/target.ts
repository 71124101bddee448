import type { UnitLimits, UnitTenancy } from '../../core/settings.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
import { type StatementLimits, limitSettings, usualLimits } from './limits.js';
import type { Migration } from './migration.js';
import { mayLackDefault, tablesToDefault } from './new-tables.js';
import type { ParsedStatement } from './parser.js';

/** A unit and the rules under which migrations are applied to it. */
export interface MigrationTarget {
  unit: MigrationUnit;
  tenancy: UnitTenancy;
  rollout: UnitLimits;
  /** The run this belongs to, or null. */
  run: string | null;
  toolVersion: string;
  /**
   * Files that run in a transaction commit without waiting for the disk: whoever set this calls `lostCommits` before
   * anybody hears that they are done.
   */
  flushedLater?: boolean;
  /** Hears what a long step is at, or waits for. */
  onStep?: (step: string) => void;
  /** Aborted when work that can be gone on with later is to end. */
  signal?: AbortSignal;
  /** Lends a second connection to the unit's database, to see who keeps the first one waiting. */
  watch?: (work: (observer: Connection) => Promise<void>) => Promise<void>;
}

/** One try at a unit. */
export interface MigrationAttempt extends MigrationTarget {
  /** How long a statement that blocks others may stand in the queue for its lock. */
  queueMs: number;
}

/** The schemas that unqualified names are looked up in: the unit's own, then the one for extensions. */
function searchPath(target: MigrationTarget): string {
  return ident(target.unit.schema).text() + ', ' + ident(target.tenancy.extensionsSchema).text();
}

/**
 * The settings of a migration, for the transaction or (`isLocal` false) for the session. The administrator
 * says that it acts for the whole fleet: in a pool forced row-level security would otherwise hide every row from a
 * backfill and let a foreign key accept orphans, and the old home of a tenant that has moved would refuse it. The cast fails (3F000) where the schema
 * is gone: the next one on the path would take its place without a word.
 */
export function migrationSettings(
  target: MigrationTarget,
  limits: StatementLimits = usualLimits(target),
  isLocal = true,
): Sql {
  return sql`${ident(target.unit.schema).text()}::regnamespace, set_config('search_path', ${searchPath(target)}, ${isLocal}),
    ${limitSettings(limits, isLocal)},
    set_config('tenantctl.scope', 'fleet', ${isLocal})`;
}

/**
 * The call that takes the unit and records what is about to be applied. It goes before the settings of
 * the migration: the server plans a function's statements anew whenever the search path has changed.
 */
export function claim(
  target: MigrationTarget,
  after: number | null,
  migrations: readonly Migration[],
  state: 'started' | 'applied',
): Sql {
  return sql`tenantctl.claim(${target.unit.ledgerKey}, ${after}::integer, ${migrations.map((m) => m.id)}::integer[],
    ${migrations.map((m) => m.name)}::text[], ${migrations.map((m) => m.checksum)}::text[],
    ${state}, ${target.toolVersion}, ${target.run}::text)`;
}

/**
 * What follows each migration in the same transaction: in a pool the rules of row-level security, in
 * the other tiers the default of the tenant column. Null when there is nothing to do.
 * @param complete statements whose tables have the default already
 */
export function completion(
  target: MigrationTarget,
  migrations: readonly Migration[],
  complete: ReadonlySet<ParsedStatement> = new Set(),
): Sql | null {
  const { unit, tenancy } = target;
  if (unit.shared) return securing(target);
  if (unit.adopted) return completionOfNamed(target, migrations);
  if (!mayLackDefault(migrations, tenancy.column, complete)) return null;
  return sql`select tenantctl.complete_home(${unit.schema}, ${tenancy.column}, ${tenancy.setting})`;
}

function securing({ unit, tenancy }: MigrationTarget): Sql | null {
  const { rls, enforce = [] } = tenancy;
  if (rls === 'off' && enforce.length === 0) return null;
  return sql`select tenantctl.secure_pool(${unit.schema}, ${tenancy.column}, ${tenancy.setting}, ${tenancy.appRole},
    ${rls}, ${tenancy.shared}::text[], ${enforce}::text[])`;
}

/** In a home that was adopted, only what the migrations make: the tables that were there stay as another tool had made them. */
function completionOfNamed({ unit, tenancy }: MigrationTarget, migrations: readonly Migration[]): Sql | null {
  const statements = migrations.flatMap((migration) => migration.statements);
  const tables = [...new Set(statements.flatMap((statement) => tablesToDefault(statement, tenancy.column)))];
  if (tables.length === 0) return null;
  return sql`select tenantctl.default_tenant_column(${unit.schema}, ${tables}::text[], ${tenancy.column}, ${tenancy.setting})`;
}
