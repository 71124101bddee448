import { routeTenant } from '../../../src/operations/route.js';
import { requireMove, openMoveOf } from '../../../src/engine/catalog/moves.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { query } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { type Writer, compareTokens, startWriter } from './writer.js';

/** A fleet over two servers, whose application writes for a tenant wherever it lives. */
export interface FarFleet extends MovingFleet {
  farWriter(id: string): Writer;
  /** Stops the application, and looks for every transaction that was acknowledged to it. */
  compared(id: string, writer: Writer): Promise<{ lost: string[]; extra: string[]; surprises: string[] }>;
  /** A process that begins when the other server is back knows its new port. */
  again(): ReturnType<MovingFleet['another']>;
  /** The unfinished move of a tenant. */
  move(id: string): Promise<Awaited<ReturnType<typeof requireMove>>>;
}

/** @param other asked again and again, as it is another one after a restart */
export async function farFleet(main: LocalServer, other: () => LocalServer): Promise<FarFleet> {
  const fleet = await movingFleet(main, {
    clusters: {
      other: {
        name: 'other',
        url: other().adminUrl('postgres'),
        app: { host: '127.0.0.1', port: other().port },
        region: null,
        labels: {},
        maxConnections: 20,
        maxPerDatabase: 8,
        pools: { far: { name: 'far', database: 'far', schema: 'app' } },
        schemaDatabase: 'far',
      },
    },
  });
  const { appRole } = fleet.settings.tenancy;
  const admin = other().adminUrl('postgres');
  await query(admin, `create role ${appRole} nologin noinherit`);
  await query(admin, `grant ${appRole} to current_user`);
  await query(
    admin,
    `create role ${fleet.application.role} login password 'not-a-secret-of-anybody' in role ${appRole}`,
  );
  const urlOf = ({ database, port }: { database: string; port: number }): string => {
    const url = new URL(fleet.application.url(database));
    url.port = String(port);
    return url.toString();
  };
  return {
    ...fleet,
    farWriter: (id) =>
      startWriter(() => routeTenant(fleet.fleet, id), urlOf, { connections: 2, customers: 200 }),
    async compared(id, writer) {
      await writer.commits(20);
      const { acked, unsure, surprises } = await writer.stop();
      const { cluster, database, schema, key } = await fleet.show(id);
      const at = cluster === 'main' ? main : other();
      const tokens = await compareTokens(at.superuserUrl(database), schema, key, acked, unsure);
      return { ...tokens, surprises: [...surprises] };
    },
    again() {
      const { other: cluster } = fleet.settings.clusters;
      if (cluster !== undefined) {
        cluster.url = other().adminUrl('postgres');
        cluster.app.port = other().port;
      }
      return fleet.another();
    },
    async move(id) {
      const move = await fleet.fleet.catalog((connection) => openMoveOf(connection, id));
      if (move === undefined) throw new Error(`no move of ${id} is open`);
      return fleet.fleet.catalog((connection) => requireMove(connection, move.move));
    },
  };
}
