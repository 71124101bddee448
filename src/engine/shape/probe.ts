import { tenancyOf } from '../../core/pool-rules.js';
import { TOOL_VERSION } from '../../core/version.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { Message } from '../ledger/message.js';
import type { Migration } from '../ledger/migration.js';
import { reachesOut } from '../ledger/reaches-out.js';
import { type MigrationTarget, completion, migrationSettings } from '../ledger/target.js';
import { printShape } from './read.js';
import type { Shape } from './shape.js';

/** What the files make, or why they cannot be played on an empty schema. */
export type Played = { shape: Shape; reason?: never } | { shape: null; reason: string };

/**
 * Plays migrations on an empty schema, reads its shape and takes everything back: nothing is left, and
 * nobody else ever sees it. The files are played as for a new home of the unit's tier, so a pool gets its
 * policies. This takes about as long as making a schema.
 *
 * Files that may act beyond the transaction are not played at all.
 *
 * @param unit lends its tier and database; the unit itself is not touched
 * @param migrations those of its tier, up to the version wanted
 */
export async function playMigrations(
  fleet: Fleet,
  unit: MigrationUnit,
  migrations: readonly Migration[],
): Promise<Played> {
  const beyond = reachesOut(migrations);
  if (beyond !== null) return { shape: null, reason: `${beyond} acts where no rollback reaches` };
  return fleet.managed(unit.cluster, unit.database, async (connection) => {
    connection.touched += 1;
    try {
      return { shape: await playAndRollBack(fleet, connection, unit, migrations) };
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      return { shape: null, reason: error.message };
    }
  });
}

async function playAndRollBack(
  fleet: Fleet,
  connection: Connection,
  unit: MigrationUnit,
  migrations: readonly Migration[],
): Promise<Shape> {
  // Two may be played in one database at once.
  const schema = `tenantctl_shape_${connection.pid}`;
  const { rollout } = fleet.settings;
  const target: MigrationTarget = {
    // Played as for a new home, whichever unit lends its place.
    unit: { ...unit, schema, adopted: null },
    tenancy: tenancyOf(fleet.settings, unit),
    rollout,
    run: null,
    toolVersion: TOOL_VERSION,
  };
  const message = new Message().add('begin').add(sql`create schema ${ident(schema)}`.text());
  message.add(sql`select ${migrationSettings(target)}`.text());
  for (const migration of migrations) message.addFresh(migration);
  const finish = completion(target, migrations);
  if (finish !== null) message.add(finish.text());
  message.add('set local search_path = pg_catalog');
  try {
    await connection.message(message.text);
    return (await printShape(connection, schema)) as Shape;
  } finally {
    if (connection.usable) await connection.rollback();
  }
}
