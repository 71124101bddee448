import { readFileSync, readdirSync } from 'node:fs';
import { INVOICING, connect, withServer, milliseconds } from './support.js';
import { likenessTables } from '../dist/engine/shape/likeness-sql.js';
import { targetTable } from '../dist/engine/shape/own-name.js';
import { sql } from '../dist/pg/sql.js';
const N = Number(process.argv[2] ?? 600);
const folder = `${INVOICING}migrations/`;
const ddl = readdirSync(folder)
  .filter((n) => n.endsWith('.sql'))
  .sort()
  .map((n) => readFileSync(folder + n, 'utf8'))
  .filter((t) => !t.includes('tenantctl: batched'))
  .map((t) => t.replaceAll(/\bconcurrently\b/g, ''))
  .join('\n;\n');
await withServer(async (server) => {
  const admin = await connect(server.adminUrl('postgres'));
  await admin.query('create database shapes');
  await admin.end();
  const names = Array.from({ length: N }, (_, i) => `tenant_${i + 1}`);
  const left = [...names];
  const work = async () => {
    const c = await connect(server.adminUrl('shapes'));
    for (let n = left.shift(); n; n = left.shift())
      await c.query(`begin; create schema ${n}; set local search_path = ${n}; ${ddl}; commit`);
    await c.end();
  };
  console.log('fill', await milliseconds(() => Promise.all([work(), work()])));
  const su = await connect(server.superuserUrl('shapes'));
  await su.query('vacuum analyze');
  console.log(
    (
      await su.query(
        `select relkind, count(*) from pg_class c join pg_namespace n on n.oid = relnamespace where nspname='tenant_1' group by 1`,
      )
    ).rows,
    (await su.query(`select count(*) from pg_attribute`)).rows,
  );
  const set =
    "begin read only; set local search_path = pg_catalog; set local work_mem = '64MB'; set local enable_sort = off; set local jit = off";
  for (const count of [N, 250, 50]) {
    const text =
      sql`explain (analyze, costs off, timing on) with ${targetTable(names.slice(0, count))}, ${likenessTables(180000)}
      select t.schema, coalesce(l.likeness, '') as likeness from target t left join likeness l using (nsp) order by t.schema`.text();
    await su.query(set);
    const plan = (await su.query(text)).rows.map((r) => r['QUERY PLAN']).join('\n');
    await su.query('commit');
    console.log('=====', count);
    console.log(plan);
  }
  await su.end();
});
