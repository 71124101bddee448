import { dbmateLedger } from './dbmate.js';
import { djangoLedger } from './django.js';
import { drizzleLedger } from './drizzle.js';
import { flywayLedger } from './flyway.js';
import { golangMigrateLedger } from './golang-migrate.js';
import { laravelLedger } from './laravel.js';
import type { ToolLedger } from './ledger.js';
import { nodePgMigrateLedger } from './node-pg-migrate.js';
import { postgresMigrationsLedger } from './postgres-migrations.js';
import { prismaLedger } from './prisma.js';
import { railsLedger } from './rails.js';
import { sqitchLedger } from './sqitch.js';

/** All ledgers that are read. A table may fit two of them, as that of Rails and dbmate: then the files tell. */
export const TOOL_LEDGERS: readonly ToolLedger[] = [
  flywayLedger,
  sqitchLedger,
  prismaLedger,
  drizzleLedger,
  postgresMigrationsLedger,
  nodePgMigrateLedger,
  laravelLedger,
  djangoLedger,
  golangMigrateLedger,
  railsLedger,
  dbmateLedger,
];

/** A table that some migration tool keeps for itself. */
export interface LedgerTableName {
  name: string;
  /** Columns that tell it from a table of the application's of that name. */
  columns: readonly string[];
}

/** Tables that describe a unit to its migration tool and are none of its data: ledgers, and what stands beside them. */
export const LEDGER_TABLE_NAMES: readonly LedgerTableName[] = [
  { name: 'migrations', columns: ['id', 'name', 'hash', 'executed_at'] },
  { name: 'migrations', columns: ['id', 'migration', 'batch'] },
  { name: 'pgmigrations', columns: ['name', 'run_on'] },
  { name: 'schema_migrations', columns: ['version'] },
  { name: 'ar_internal_metadata', columns: ['key', 'value'] },
  { name: 'flyway_schema_history', columns: ['installed_rank', 'checksum'] },
  { name: '_prisma_migrations', columns: ['migration_name', 'checksum'] },
  { name: '__drizzle_migrations', columns: ['hash', 'created_at'] },
  { name: 'django_migrations', columns: ['app', 'name'] },
  { name: 'releases', columns: ['installer_name', 'installer_email'] },
  { name: 'projects', columns: ['project', 'creator_name', 'creator_email'] },
  { name: 'changes', columns: ['change_id', 'script_hash', 'planner_name'] },
  { name: 'tags', columns: ['tag_id', 'change_id', 'planner_name'] },
  { name: 'dependencies', columns: ['change_id', 'dependency', 'dependency_id'] },
  { name: 'events', columns: ['change_id', 'event', 'planner_name'] },
];
