import { Connection } from '../dist/pg/connection.js';
import { readShape } from '../dist/engine/shape/read.js';
import { checkDrift } from '../dist/operations/check/drift.js';
import { fleetOfSchemas, growingMigrations, schemasOf } from './growing-migrations.js';
import { connect, median, milliseconds, withServer } from './support.js';

const SCHEMAS = 2_000;
const ROUNDS = 3;
const LOOP_SAMPLE = 50;
const DATABASE = 'app_shared';
/** Changed by hand, so that there is something to find. */
const DRIFTED = ['t7', 't700', 't1999'];

/** `check drift` over a fleet of schemas with everything it does, against a look at each schema by itself. */
export async function drift() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    await age(server);
    const [seconds, megabytes, eachMs, ratios] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = process.memoryUsage().heapUsed;
      seconds.push((await milliseconds(() => oneFinding(fleet))) / 1_000);
      megabytes.push((process.memoryUsage().heapUsed - before) / 2 ** 20);
      // Right after each other, as the machine may have other work.
      eachMs.push(await loop(server));
      ratios.push((eachMs.at(-1) * SCHEMAS) / 1_000 / seconds.at(-1));
    }
    await fleet.close();
    migrations.remove();
    return [
      {
        claim: `check drift over ${SCHEMAS} schemas of ten tables, seconds`,
        ratio: median(seconds),
        atMost: 3,
        figures: { seconds, megabytes },
      },
      {
        claim: 'a look at each schema by itself ÷ check drift',
        ratio: median(ratios),
        atLeast: 20,
        figures: { eachMs },
      },
    ];
  });
}

async function oneFinding(fleet) {
  const { findings } = await checkDrift(fleet);
  const units = findings.flatMap(({ rule, facts }) => facts.units.map((unit) => `${rule} ${unit}`));
  const wanted = DRIFTED.map((id) => `shape-differs schema:${id}`);
  if (findings.length !== 1 || units.toSorted().join() !== wanted.toSorted().join())
    throw new Error(`found ${JSON.stringify(findings.map(({ rule, message }) => ({ rule, message })))}`);
}

async function loop(server) {
  const endpoint = { name: 'bench', url: server.adminUrl(DATABASE), maxConnections: 4, maxPerDatabase: 4 };
  const connection = await Connection.open(endpoint, DATABASE, 'bench');
  const looks = [];
  for (const schema of schemasOf(SCHEMAS).slice(0, LOOP_SAMPLE))
    looks.push(await milliseconds(() => readShape(connection, schema)));
  await connection.close();
  return median(looks);
}

/** A server of some age has looked at its catalogs; only a superuser may ask for it. */
async function age(server) {
  const superuser = await connect(server.superuserUrl(DATABASE));
  for (const id of DRIFTED) await superuser.query(`alter table tenant_${id}.invoice add column note text`);
  await superuser.query('vacuum analyze');
  await superuser.end();
}
