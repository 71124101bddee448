import { beforeAll, expect, test } from 'vitest';
import { openMoveOf } from '../../../src/engine/catalog/moves.js';
import { goBack, goOn } from '../../../src/operations/moves/conduct.js';
import type { Tier } from '../../../src/core/tier.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { query, useServer } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';
import { withReach } from './reach.js';
import { ZOO } from './zoo.js';

const KEYS: [string, string, string][] = [
  ['numeric', '1.0', '1.00'],
  ['float8', '0', '-0'],
  ['float8', `'NaN'`, `'-Infinity'`],
  ['bytea', `'\\x00ff27'`, `'\\x5c27'`],
  ['timestamptz', `'0044-03-15 12:00:00.123456+02 BC'`, `'infinity'`],
  ['date', `'-infinity'`, `'0001-01-01 BC'`],
  ['interval', `'1 mon -3 days 04:05:06.789'`, `'30 days'`],
  ['char(6)', `'a'`, `'b'''`],
  ['text', `E'tab\\t"quoted" \\\\ {brace},\\n'`, `''`],
  ['text[]', `array['a,b', null, '"']`, `'{}'`],
  ['int4range', `'[1,5)'`, `'empty'`],
  ['bit(3)', `'101'`, `'111'`],
  ['colour', `'Red"one'`, `'blue'`],
  ['word', `'one'`, `'two'`],
  ['pair', `row(1, 'a "b"')`, `row(null, '')`],
  ['jsonb', `'{"a": [1, 2.50]}'`, `'null'`],
  ['inet', `'::1'`, `'10.0.0.0/8'`],
  ['timetz', `'12:00:00+02'`, `'00:00:00-11:30'`],
];
const LONG = `W"eird.T'able\\ ${'x'.repeat(63)}`.slice(0, 63);
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const HOSTILE = [
  `create type colour as enum ('Red"one', 'blue'); create domain word as varchar(9) check (value <> '');`,
  `create type pair as (a int, b text);`,
  ...KEYS.map(
    ([type], n) =>
      `create table key_${n} (tenant_id uuid not null, k ${type} not null, v text default 'v', primary key (tenant_id, k));`,
  ),
  `create table ${quoted(LONG)} (tenant_id uuid not null, "I""d" int not null, "select" text, "v_round" int, "x" int, "k" int, "s" int, "c" int, "r" int, "ctid2" int, primary key (tenant_id, "I""d"));`,
  `create table "Child" (tenant_id uuid not null, id int not null, "Parent" int not null, primary key (tenant_id, id), constraint "F'k""1" foreign key (tenant_id, "Parent") references ${quoted(LONG)} on update cascade);`,
].join('\n');

const server = useServer();
let fleet: MovingFleet;
beforeAll(async () => {
  fleet = await movingFleet(server.current, { migrations: directoryOf(numbered(...ZOO, HOSTILE)) });
});
const superuser = (database: string): string => server.current.superuserUrl(database);

const moveOf = async (id: string) => {
  const move = await fleet.fleet.catalog((connection) => openMoveOf(connection, id));
  if (move === undefined) throw new Error(`tenant ${id} is not being moved`);
  return move;
};

const as = (schema: string, key: string): string =>
  `set search_path = "${schema}"; set app.tenant_id = '${key}'; set datestyle = 'German, DMY'; set intervalstyle = 'iso_8601';
   set bytea_output = 'escape'; set extra_float_digits = -3; set timezone = 'Asia/Kathmandu'; set quote_all_identifiers = on;`;

const content = async (id: string): Promise<unknown[]> => {
  const { database, schema, key } = await fleet.show(id);
  const tables = [...KEYS.map((_, n) => `key_${n}`), LONG, 'Child'];
  const all: unknown[] = [];
  for (const table of tables) {
    const rows = await query(
      superuser(database),
      `select row_to_json(whole)::text as row from "${schema}".${quoted(table)} whole where tenant_id = '${key}' order by 1`,
    );
    all.push([table, rows]);
  }
  return all;
};

test.each([
  ['schema', 'database'],
  ['schema', 'pool'],
  ['pool', 'schema'],
] as [Tier, Tier][])(
  'from %s to %s, rows with any key and names of any kind arrive as they are, and come back',
  async (from, to) => {
    const id = `odd-${from}-${to}`;
    const { database, schema, key } = await fleet.tenant(id, from, 5);
    const t = `'${key}'`;
    const long = quoted(LONG);
    await query(
      superuser(database),
      `${as(schema, key)} ${KEYS.map(([, one], n) => `insert into key_${n} values (${t}, ${one});`).join('\n')}
     insert into ${long} (tenant_id, "I""d", "select") select ${t}, n, 's' || n from generate_series(1, 20) n;
     insert into "Child" select ${t}, n, n from generate_series(1, 20) n`,
    );
    const change = async (where: { database: string; schema: string }, round: number): Promise<void> => {
      await query(
        superuser(where.database),
        `${as(where.schema, key)} ${KEYS.map(([, one, other], n) => `update key_${n} set k = ${round % 2 === 0 ? other : one}, v = v || '${round}' where tenant_id = ${t};`).join('\n')}
       update ${long} set "I""d" = -"I""d" where tenant_id = ${t} and abs("I""d") % 3 = ${round}; delete from "Child" where tenant_id = ${t} and id = ${10 + round};`,
      );
    };
    const { error } = await withReach(
      fleet,
      'move.copied',
      () => {
        throw new Error('the process is gone');
      },
      (process) => fleet.promote({ id, to, method: 'online' }, process),
    );
    expect(String(error)).toContain('the process is gone');
    await change({ database, schema }, 0);
    const had = await content(id);
    expect(await goOn(fleet.fleet, await moveOf(id))).toMatchObject({ state: 'grace', verified: true });
    const there = await fleet.show(id);
    expect(await content(id)).toEqual(had);
    expect(JSON.stringify(had)).toContain('v0');
    await change(there, 1);
    const grown = await content(id);
    await goBack(fleet.fleet, await moveOf(id));
    expect(await content(id)).toEqual(grown);
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
  },
  60_000,
);
