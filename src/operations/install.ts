import { TOOL_VERSION } from '../core/version.js';
import { withLock } from '../pg/locks.js';
import { type Sql, ident, sql } from '../pg/sql.js';
import { sqlstateOf } from '../pg/errors.js';
import { auditInsert } from '../engine/catalog/audit.js';
import type { Fleet } from '../engine/context.js';
import { CATALOG, LOCAL_STATE, assertNotTaken, installOwnSchema } from '../engine/ledger/own-schema.js';

export interface InstallResult {
  /** The database that holds the catalog. */
  catalog: string;
  /** The migrations of the catalog that were applied now; empty when nothing changed. */
  created: string[];
}

/**
 * Installs the catalog, or upgrades it. Again: no change.
 * @throws conflict `SCHEMA_TAKEN` or `TOOL_OUTDATED` (exit 5); nothing was changed
 */
export async function installFleet(fleet: Fleet): Promise<InstallResult> {
  await createCatalogDatabase(fleet);
  const created = await fleet.catalog((connection) =>
    withLock(connection, 'install', 'catalog', async () => {
      // Before the first of the two is made, so that a refusal has changed nothing.
      await assertNotTaken(connection, CATALOG);
      const local = await installOwnSchema(connection, LOCAL_STATE, TOOL_VERSION);
      fleet.reach('install.ledger');
      const catalog = await installOwnSchema(connection, CATALOG, TOOL_VERSION);
      if (catalog.length > 0) await connection.atomically([installEntry(fleet, catalog)]);
      return [...local, ...catalog];
    }),
  );
  return { catalog: fleet.catalogDatabase, created };
}

function installEntry(fleet: Fleet, applied: string[]): Sql {
  return auditInsert(fleet.actor, { action: 'catalog.install', details: { applied } });
}

/** On the local server the catalog's database is ours to make; elsewhere the URL names one that is there. */
async function createCatalogDatabase(fleet: Fleet): Promise<void> {
  try {
    await fleet.catalog(async () => undefined);
  } catch (error) {
    if (sqlstateOf((error as Error).cause) !== '3D000') throw error;
    await fleet.catalogServer(async (connection) => {
      await connection.execute(sql`create database ${ident(fleet.catalogDatabase)}`).catch(ignoreExisting);
    });
  }
}

function ignoreExisting(error: unknown): void {
  if (!['42P04', '23505'].includes(sqlstateOf(error) ?? '')) throw error;
}
