import { connect, milliseconds } from './support.js';

/** Where the loop takes down what it did: one row a schema, and nothing else. */
export async function makeBenchLog(server) {
  const admin = await connect(server.adminUrl('app_shared'));
  await admin.query('create schema bench; create table bench.log (schema text, name text)');
  await admin.end();
}

/** Nothing recorded but one row. */
export const message = (schema, work) =>
  `begin; set local search_path = "${schema}"; ${work} insert into bench.log values ('${schema}', 'changed'); commit`;

/** One message a schema over so many open connections; in milliseconds. */
export async function bareLoop(server, schemas, connections, work) {
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connect(server.adminUrl('app_shared'))),
  );
  const queue = [...schemas];
  const elapsed = await milliseconds(() =>
    Promise.all(
      clients.map(async (client) => {
        for (let schema = queue.shift(); schema !== undefined; schema = queue.shift())
          await client.query(message(schema, work));
      }),
    ),
  );
  await Promise.all(clients.map((client) => client.end()));
  return elapsed;
}
