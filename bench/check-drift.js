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

/** What one writes at first: a fingerprint of the schema with this name, asked for once a schema. */
const PLAIN_LOOK = `
  select md5(string_agg(item, E'\\n' order by item)) from (
    select concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as item
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where n.nspname = $1 and c.relkind in ('r', 'p', 'v')
    union all
    select concat_ws(' ', o.conrelid::regclass, o.conname, pg_get_constraintdef(o.oid)) from pg_constraint o
      join pg_namespace n on n.oid = o.connamespace where n.nspname = $1
    union all
    select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1
  ) items`;

/** `check drift` over a fleet of schemas with everything it does, against looking at one schema after the other. */
export async function drift() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    await age(server);
    const [seconds, megabytes, plain, own] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = process.memoryUsage().heapUsed;
      seconds.push((await milliseconds(() => oneFinding(fleet))) / 1_000);
      megabytes.push((process.memoryUsage().heapUsed - before) / 2 ** 20);
      // Right after each other, as the machine may have other work.
      const times = (eachMs) => (eachMs * SCHEMAS) / 1_000 / seconds.at(-1);
      plain.push(times(await plainLoop(server)));
      own.push(times(await ownLoop(server)));
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
        claim: 'a loop with a fingerprint query for each schema ÷ check drift',
        ratio: median(plain),
        atLeast: 20,
        figures: { plain },
      },
      {
        claim: 'a loop with our own look at one schema ÷ check drift',
        ratio: median(own),
        figures: { own },
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

/** Milliseconds a schema. */
async function plainLoop(server) {
  const client = await connect(server.adminUrl(DATABASE));
  const looks = await timed((schema) => client.query(PLAIN_LOOK, [schema]));
  await client.end();
  return looks;
}

/** The same with what `check drift` reads of a single schema. */
async function ownLoop(server) {
  const endpoint = { name: 'bench', url: server.adminUrl(DATABASE), maxConnections: 4, maxPerDatabase: 4 };
  const connection = await Connection.open(endpoint, DATABASE, 'bench');
  const looks = await timed((schema) => readShape(connection, schema));
  await connection.close();
  return looks;
}

async function timed(look) {
  const looks = [];
  for (const schema of schemasOf(SCHEMAS).slice(0, LOOP_SAMPLE))
    looks.push(await milliseconds(() => look(schema)));
  return median(looks);
}

/** A server of some age has looked at its catalogs; only a superuser may ask for it. */
async function age(server) {
  const superuser = await connect(server.superuserUrl(DATABASE));
  for (const id of DRIFTED) await superuser.query(`alter table tenant_${id}.invoice add column note text`);
  await superuser.query('vacuum analyze');
  await superuser.end();
}
