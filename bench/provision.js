import { loadMigrations } from '../dist/engine/ledger/migration.js';
import { provisionTenant } from '../dist/operations/provision.js';
import { INVOICING, connect, median, milliseconds, openFleet, withServer } from './support.js';

const ROUNDS = 60;
const MIGRATIONS = {
  directory: `${INVOICING}migrations`,
  format: 'postgres-migrations',
  onForeignSchema: 'refuse',
};

/**
 * A whole tenant against its bare DDL in one message, turn by turn on reused connections. Each is first in every other round,
 * and compared with its neighbour: the machine's own pace changes within a run.
 */
export async function provisionSchema() {
  return withServer(async (server) => {
    const fleet = await openFleet(server);
    await provisionTenant(fleet, { id: 'warm', tier: 'schema' });
    const ddl = (await loadMigrations(MIGRATIONS, 'extensions'))
      .map(({ freshSql }) => `${freshSql}\n;`)
      .join('\n');
    const client = await connect(server.adminUrl('app_shared'));
    const bare = [];
    const ours = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = `begin; create schema bare_${round}; set local search_path = bare_${round}; ${ddl}; commit`;
      const contestants = [
        async () => bare.push(await milliseconds(() => client.query(text))),
        async () =>
          ours.push(await milliseconds(() => provisionTenant(fleet, { id: `t${round}`, tier: 'schema' }))),
      ];
      for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) await contestant();
    }
    await client.end();
    await fleet.close();
    return [
      {
        claim: 'provision a schema tenant ÷ its bare DDL in one message',
        ratio: median(ours.map((took, round) => took / bare[round])),
        atMost: 1.25,
        figures: { bareMs: median(bare), provisionMs: median(ours), rounds: ROUNDS },
      },
    ];
  });
}

/** The database tier: a copy of the template against an empty database and its DDL. */
export async function provisionDatabase() {
  return withServer(async (server) => {
    const fleet = await openFleet(server);
    await provisionTenant(fleet, { id: 'warm', tier: 'database' });
    const ddl = (await loadMigrations(MIGRATIONS, 'extensions'))
      .map(({ freshSql }) => `${freshSql}\n;`)
      .join('\n');
    const admin = await connect(server.adminUrl('postgres'));
    const template = (
      await admin.query(`select datname from pg_database where datname like 'tenantctl\\_template\\_%'`)
    ).rows[0].datname;
    const [copied, empty, whole] = [[], [], []];
    for (let round = 0; round < 12; round += 1) {
      copied.push(
        await milliseconds(() =>
          admin.query(`create database c${round} template ${template} strategy wal_log`),
        ),
      );
      empty.push(
        await milliseconds(async () => {
          await admin.query(`create database e${round}`);
          const client = await connect(server.adminUrl(`e${round}`));
          await client.query(`begin; create schema app; set local search_path = app; ${ddl}; commit`);
          await client.end();
        }),
      );
      whole.push(await milliseconds(() => provisionTenant(fleet, { id: `d${round}`, tier: 'database' })));
    }
    await admin.end();
    await fleet.close();
    const figures = { copyMs: median(copied), emptyAndDdlMs: median(empty), provisionMs: median(whole) };
    return [
      {
        claim: 'empty database and DDL ÷ a copy of the template',
        ratio: median(empty) / median(copied),
        atLeast: 2,
        figures,
      },
      {
        claim: 'empty database and DDL ÷ a whole tenant from the template',
        ratio: median(empty) / median(whole),
        figures,
      },
    ];
  });
}
