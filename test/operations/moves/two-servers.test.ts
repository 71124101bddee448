import { beforeAll, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { requireMove, openMoveOf } from '../../../src/engine/catalog/moves.js';
import { routeTenant } from '../../../src/operations/route.js';
import { finishMove, goBack, goOn } from '../../../src/operations/moves/conduct.js';
import { withReach } from './reach.js';
import { useOtherMajor } from '../../support/other-major.js';
import { query, useServer } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { startWriter, compareTokens } from './writer.js';

const server = useServer();
const other = useOtherMajor();
let fleet: MovingFleet;

const CLEAN = { lost: [], extra: [], surprises: [] };

beforeAll(async () => {
  fleet = await movingFleet(server.current, {
    clusters: {
      other: {
        name: 'other',
        url: other.current.adminUrl('postgres'),
        app: { host: '127.0.0.1', port: other.current.port },
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
  await query(other.current.adminUrl('postgres'), `create role ${appRole} nologin noinherit`);
  await query(other.current.adminUrl('postgres'), `grant ${appRole} to current_user`);
  await query(
    other.current.adminUrl('postgres'),
    `create role ${fleet.application.role} login password 'not-a-secret-of-anybody' in role ${appRole}`,
  );
});

function writerOf(id: string) {
  const urlOf = ({ database, port }: { database: string; port: number }): string => {
    const url = new URL(fleet.application.url(database));
    url.port = String(port);
    return url.toString();
  };
  return startWriter(() => routeTenant(fleet.fleet, id), urlOf, { connections: 2, customers: 200 });
}

async function settle(id: string, writer: ReturnType<typeof writerOf>) {
  await writer.commits(20);
  const { acked, surprises } = await writer.stop();
  const { cluster, database, schema, key } = await fleet.show(id);
  const at = cluster === 'main' ? server.current : other.current;
  return {
    ...(await compareTokens(at.superuserUrl(database), schema, key, acked)),
    surprises: [...surprises],
  };
}

const stored = (id: string) => fleet.fleet.catalog((connection) => openMoveOf(connection, id));

test.each([
  ['pool', 'pool'],
  ['schema', 'schema'],
  ['database', 'database'],
  ['pool', 'schema'],
  ['schema', 'pool'],
] as [Tier, Tier][])(
  'a tenant moves from %s to %s on a server of another major version, and back again',
  async (from, to) => {
    const id = `far-${from}-${to}`;
    await fleet.tenant(id, from);
    const writer = writerOf(id);
    await writer.commits(20);
    const there = await fleet.promote({ id, to, cluster: 'other', graceMs: 0 });
    expect(there).toMatchObject({ state: 'completed', method: 'online' });
    await writer.commits(20);
    const back = await fleet.promote({ id, to: from, cluster: 'main' });
    await writer.commits(20);
    await goBack(fleet.fleet, await fleet.fleet.catalog((connection) => requireMove(connection, back.move)));
    expect(await settle(id, writer)).toEqual(CLEAN);
    expect(await fleet.show(id)).toMatchObject({ cluster: 'other', tier: to, epoch: 4, status: 'active' });
  },
  90_000,
);

test.each(['move.table-copied', 'move.copied', 'move.verified'] as const)(
  'a target server that dies at %s stops the move; when it is back, the move goes on',
  async (point) => {
    const id = `dies-${point.replace(/\W/g, '-')}`;
    await fleet.tenant(id, 'pool');
    const writer = writerOf(id);
    await writer.commits(10);
    let dead: Promise<void> | undefined;
    const { error } = await withReach(
      fleet,
      point,
      () => (dead ??= other.current.stop()),
      (dying) => fleet.promote({ id, to: 'database', cluster: 'other' }, dying),
    );
    expect(error).toMatchObject({ exit: 4 });
    await dead;
    await writer.commits(10);
    await other.restart();
    const move = await stored(id);
    if (move === undefined) throw new Error('the move is gone');
    const report = await goOn(again(), move);
    expect(report.state).toBe('grace');
    expect(await settle(id, writer)).toEqual(CLEAN);
    await finishMove(again(), { ...move, ...report } as never);
  },
  90_000,
);

/** A process that begins when the server is back knows its new port. */
function again() {
  const { other: cluster } = fleet.settings.clusters;
  if (cluster !== undefined) {
    cluster.url = other.current.adminUrl('postgres');
    cluster.app.port = other.current.port;
  }
  return fleet.another();
}
