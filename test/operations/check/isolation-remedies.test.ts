import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/core/finding.js';
import { PROBES } from '../../../src/engine/isolation/probes/registry.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { query, useServer, withClient } from '../../support/server.js';
import { type ProbedFleet, fleetWith, probedFleet } from './probing.js';

const server = useServer();

/** One by one, as CONCURRENTLY asks for; as the superuser, who may end what others have made. */
async function mend({ database }: ProbedFleet, findings: readonly Finding[]): Promise<void> {
  for (const { facts } of findings)
    for (const statement of facts.sql ?? []) await query(server.current.superuserUrl(database), statement);
}

describe.each(PROBES)('$name', ({ name, bad }) => {
  it('is gone after the statements of its findings', { timeout: 90_000 }, async () => {
    const fleet = await probedFleet(server.current);
    const { schema } = fleet.settings.tenancy.names;
    if (bad.includes('t_acme'))
      for (const id of ['north', 'south'])
        await provisionTenant(fleet.fleet, { id, tier: 'schema', cluster: 'main' });
    await fleet.change(bad.replaceAll('t_acme', schema.replace('{id}', 'north')));
    const { findings } = await checkIsolation(fleet.fleet);
    expect(findings.map(({ rule }) => rule)).toContain(name);
    await mend(fleet, findings);
    // What comes first uncovers the next: a key that a foreign key needed.
    await mend(fleet, (await checkIsolation(fleet.another())).findings);
    expect((await checkIsolation(fleet.another())).findings).toEqual([]);
  });
});

/** Keys that have everything that a key can have. */
const KEYS = `
  create table member (tenant_id uuid not null, id bigint not null, email text collate "C", code text, nick text not null, seat int, room int, at int4range, deleted_at timestamptz,
    primary key (tenant_id, id),
    constraint member_code unique nulls not distinct (code) include (nick) with (fillfactor = 70) deferrable initially deferred,
    constraint member_nick unique (nick));
  create unique index member_email on member (lower(email) text_pattern_ops desc nulls last) include (nick) with (fillfactor = 60) where deleted_at is null and email <> ')';
  create unique index member_seat on member using btree (seat) nulls not distinct;
  create table spot (id bigint not null, tenant_id uuid not null, label text, primary key (id) include (label));
  alter table spot replica identity using index spot_pkey;
  create table part (tenant_id uuid not null, n int not null, at date not null, constraint part_n unique (n, at)) partition by range (at);
  create table part_1 partition of part for values from ('2026-01-01') to ('2027-01-01');
  create unique index part_at on part (at, n desc);`;

const DEFINITIONS = `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as index, pg_get_constraintdef(k.oid) as constraint,
    i.indisreplident as identity from pg_index i left join pg_constraint k on k.conindid = i.indexrelid
   where i.indrelid in ('app.member'::regclass, 'app.spot'::regclass, 'app.part'::regclass) and i.indisunique order by 1`;

/** The same with the tenant column at the beginning, as the server prints it. */
function withTenant(text: string | null): string | null {
  return (
    text?.replace(
      /(USING btree |(?:UNIQUE NULLS NOT DISTINCT|UNIQUE|PRIMARY KEY) )\((?!tenant_id)/,
      '$1(tenant_id, ',
    ) ?? null
  );
}

interface Definition {
  name: string;
  index: string;
  constraint: string | null;
  identity: boolean;
}

it.each(['rules', 'probes'])(
  'a key is made anew with all that it had, by the statements of the %s',
  { timeout: 90_000 },
  async (side) => {
    const fleet = await fleetWith(server.current, KEYS);
    const url = server.current.superuserUrl(fleet.database);
    const before = await query<Definition>(url, DEFINITIONS);
    const find = async () =>
      side === 'probes' ? (await fleet.probe()).findings : (await checkIsolation(fleet.another())).findings;
    const rules = side === 'probes' ? ['key-tells-foreign-rows'] : ['unique-without-tenant'];
    const wanted = (await find()).filter(({ rule }) => rules.includes(rule));
    await mend(fleet, wanted);
    expect((await find()).filter(({ rule }) => rules.includes(rule))).toEqual([]);
    const changed = new Set(wanted.map(({ where }) => where.split(/[. ]/).at(-1)));
    expect([...changed].toSorted()).toEqual(
      side === 'probes'
        ? ['member_code', 'member_nick', 'member_seat', 'part_at', 'part_n', 'spot_pkey']
        : ['member_code', 'member_email', 'member_nick', 'member_seat', 'part_at', 'part_n', 'spot_pkey'],
    );
    expect(await query<Definition>(url, DEFINITIONS)).toEqual(
      before.map((one) =>
        changed.has(one.name.replace('app.', ''))
          ? { ...one, index: withTenant(one.index), constraint: withTenant(one.constraint) }
          : one,
      ),
    );
  },
);

it('writers go on while a new key is made beside the old one', async () => {
  const fleet = await fleetWith(server.current, KEYS);
  const { findings } = await fleet.probe();
  const [create = ''] = findings.find(({ where }) => where.endsWith('.member_nick'))?.facts.sql ?? [];
  expect(create).toContain('concurrently');
  await withClient(server.current.superuserUrl(fleet.database), async (writer) => {
    await writer.query(
      `begin; set local tenantctl.scope = 'fleet'; insert into app.member (tenant_id, id, nick, code, seat) values (gen_random_uuid(), 1, 'a', 'a', 1)`,
    );
    // It waits for the writer to end, and holds nobody up until then.
    const made = query(server.current.superuserUrl(fleet.database), create);
    await query(
      server.current.superuserUrl(fleet.database),
      `insert into app.member (tenant_id, id, nick, code, seat) values (gen_random_uuid(), 2, 'b', 'b', 2)`,
    );
    await writer.query('commit');
    await made;
  });
  expect(
    await query(server.current.superuserUrl(fleet.database), 'select nick from app.member order by 1'),
  ).toHaveLength(2);
});

it('an exclusion without the tenant column gets it, where the server can compare the column so', async () => {
  const product = `create extension btree_gist;
    create table booking (tenant_id uuid not null, id int not null, room int not null, at int4range not null, primary key (tenant_id, id),
      constraint booking_once exclude using gist (room with =, at with &&) where (room > 0) deferrable);`;
  const fleet = await fleetWith(server.current, product);
  const { findings } = await checkIsolation(fleet.another());
  expect(findings.map(({ rule }) => rule)).toEqual(['unique-without-tenant']);
  await mend(fleet, findings);
  expect((await checkIsolation(fleet.another())).findings).toEqual([]);
  expect(
    await query(
      server.current.superuserUrl(fleet.database),
      `select pg_get_constraintdef(oid) as made from pg_constraint where conname = 'booking_once'`,
    ),
  ).toEqual([
    { made: 'EXCLUDE USING gist (tenant_id WITH =, room WITH =, at WITH &&) WHERE ((room > 0)) DEFERRABLE' },
  ]);
});
