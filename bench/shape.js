import { Connection } from '../dist/pg/connection.js';
import { readFingerprints, readShape } from '../dist/engine/shape/read.js';
import { PRODUCT } from './growing-migrations.js';
import { backendMemory, connect, median, milliseconds, withServer } from './support.js';

const SCHEMAS = 2_000;
const ROUNDS = 3;
const LOOP_SAMPLE = 50;
const DATABASE = 'shapes';

/** Fingerprints of a whole fleet in one database, against a look at each schema by itself. */
export async function shapes() {
  return withServer(async (server) => {
    await fill(server);
    const [seconds, megabytes, ours] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const connection = await open(server);
      const before = process.memoryUsage().heapUsed;
      seconds.push((await milliseconds(() => allAlike(connection))) / 1_000);
      ours.push((process.memoryUsage().heapUsed - before) / 2 ** 20);
      megabytes.push(await backendMemory(connection.pid));
      await connection.close();
    }
    const each = await loop(server);
    return [
      {
        claim: `fingerprints of ${SCHEMAS} schemas of ten tables, seconds on a new connection`,
        ratio: median(seconds),
        atMost: 2,
        figures: { seconds, backendMegabytes: median(megabytes), ownMegabytes: median(ours) },
      },
      {
        claim: 'the same, schema by schema ÷ all at once',
        ratio: (each * SCHEMAS) / 1_000 / median(seconds),
        atLeast: 10,
        figures: { eachMs: each },
      },
    ];
  });
}

async function allAlike(connection) {
  const { fingerprints, busy } = await readFingerprints(connection, names());
  const sorts = new Set(fingerprints.values()).size;
  if (fingerprints.size !== SCHEMAS || sorts !== 1 || busy.length > 0)
    throw new Error(`${fingerprints.size} schemas of ${sorts} sorts, ${busy.length} busy`);
}

async function loop(server) {
  const connection = await open(server);
  const looks = [];
  for (const schema of names().slice(0, LOOP_SAMPLE))
    looks.push(await milliseconds(() => readShape(connection, schema)));
  await connection.close();
  return median(looks);
}

const names = () => Array.from({ length: SCHEMAS }, (_, index) => `tenant_${index + 1}`);

function open(server) {
  const endpoint = { name: 'bench', url: server.adminUrl(DATABASE), maxConnections: 4, maxPerDatabase: 4 };
  return Connection.open(endpoint, DATABASE, 'bench');
}

/** Bare DDL on two connections: what is measured is the reading. */
async function fill(server) {
  const admin = await connect(server.adminUrl('postgres'));
  await admin.query(`create database ${DATABASE}`);
  await admin.end();
  const ddl = PRODUCT;
  const left = names();
  const work = async () => {
    const client = await connect(server.adminUrl(DATABASE));
    for (let name = left.shift(); name !== undefined; name = left.shift())
      await client.query(`begin; create schema ${name}; set local search_path = ${name}; ${ddl}; commit`);
    await client.end();
  };
  await Promise.all([work(), work()]);
  // A server of some age has looked at its catalogs; only a superuser may ask for it.
  const superuser = await connect(server.superuserUrl(DATABASE));
  await superuser.query('vacuum analyze');
  await superuser.end();
}
