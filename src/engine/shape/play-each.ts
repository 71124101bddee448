import { TOOL_VERSION } from '../../core/version.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { Message } from '../ledger/message.js';
import type { Migration } from '../ledger/migration.js';
import { reachesOut } from '../ledger/reaches-out.js';
import { type MigrationTarget, migrationSettings } from '../ledger/target.js';
import { printShape } from './read.js';
import type { Shape } from './shape.js';

/** What the files make, one after the other; or why they cannot be played on an empty schema. */
export type PlayedEach = { shapes: ReadonlyMap<number, Shape> } | { reason: string };

/**
 * Plays migrations on an empty schema and reads its shape after each, without what this tool adds for homes of its own: so another
 * tool would have made it. All of it is one transaction that is taken back, and schema `tenantctl` is not needed. Files that may
 * act beyond the transaction are not played at all.
 *
 * @param unit lends its tier and database; the unit itself is not touched
 * @returns shapes by the number of the file; 0 is an empty schema
 */
export async function playEach(
  fleet: Fleet,
  connection: Connection,
  unit: MigrationUnit,
  migrations: readonly Migration[],
): Promise<PlayedEach> {
  const beyond = reachesOut(migrations);
  if (beyond !== null) return { reason: `${beyond} acts where no rollback reaches` };
  const schema = `tenantctl_shape_${connection.pid}`;
  const { tenancy, rollout } = fleet.settings;
  const target = { unit: { ...unit, schema }, tenancy, rollout, run: null, toolVersion: TOOL_VERSION };
  const shapes = new Map<number, Shape>();
  try {
    await connection.message(`begin; ${sql`create schema ${ident(schema)}`.text()}`);
    shapes.set(0, await shapeOf(connection, schema));
    for (const migration of migrations) {
      await connection.message(played(target, migration).text);
      shapes.set(migration.id, await shapeOf(connection, schema));
    }
    return { shapes };
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return { reason: error.message };
  } finally {
    if (connection.usable) await connection.rollback();
  }
}

function played(target: MigrationTarget, migration: Migration): Message {
  return new Message().add(sql`select ${migrationSettings(target)}`.text()).addFresh(migration);
}

async function shapeOf(connection: Connection, schema: string): Promise<Shape> {
  await connection.execute(raw('set local search_path = pg_catalog'));
  return (await printShape(connection, schema)) as Shape;
}
