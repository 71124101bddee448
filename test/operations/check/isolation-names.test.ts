import { expect, it } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { query, useServer } from '../../support/server.js';
import { fleetWith } from './probing.js';

const server = useServer();

/** Names with dots, quotes, upper case, other scripts, words of the grammar, brackets and quotes of strings. */
const PRODUCT = `
  create table "Or.der" (tenant_id uuid not null, "Id" bigint not null, "select" text, "e.mail" text, "it's" text, primary key (tenant_id, "Id"),
    constraint "Or.der ""mail"" key" unique ("e.mail"));
  create unique index "Unique.USING btree (" on "Or.der" ("it's" text_pattern_ops) where "select" <> ') USING btree (';
  create table "数据 ""x""" (tenant_id uuid not null, "user" bigint not null, "Übung" bigint, primary key (tenant_id, "user"));
  alter table "Or.der" add unique ("Id");
  alter table "数据 ""x""" add constraint "fk.é" foreign key ("Übung") references "Or.der" ("Id") on delete set null ("Übung");
  create table "table" (tenant_id uuid not null, "group" bigint not null, "order" date not null, primary key (tenant_id, "group", "order")) partition by range ("order");
  create table "table.1" partition of "table" for values from ('2026-01-01') to ('2027-01-01');
  create function "Do.It"() returns trigger language plpgsql as $$ begin new."select" := coalesce(new."select", 'a'); return new; end $$;
  create trigger "Do it.now" before insert on "Or.der" for each row execute function "Do.It"();`;

const FAULTS = `
  create view "All.Orders" as select * from "Or.der"; grant select on "All.Orders" to app_user;
  create materialized view "kept ""all""" as select count(*) from "Or.der"; grant select on "kept ""all""" to app_user;
  create function "Count.all"() returns bigint language sql stable security definer as $$ select count(*) from app."Or.der" $$;
  create policy "all.of ""them""" on "数据 ""x""" for select using (true);
  grant select on "table.1" to app_user; alter table "table.1" disable row level security;
  create publication "send.All" for table "Or.der", "table";
  create sequence "No.s"; grant update on "No.s" to app_user;
  grant truncate on "Or.der" to app_user;`;

it(
  'objects of any name are probed and judged alike, and mended by the statements of their findings',
  { timeout: 120_000 },
  async () => {
    const fleet = await fleetWith(server.current, PRODUCT, {
      names: { schema: 't_{id}', database: 'd_{id}' },
    });
    const before = await fleet.probe();
    expect(before.coverage.notProbed).toEqual([]);
    expect(before.findings.map(({ rule, where }) => `${rule} ${where.split('.app.')[1]}`).toSorted()).toEqual(
      [
        'key-tells-foreign-rows Or.der.Or.der "mail" key',
        'key-tells-foreign-rows Or.der.Or.der_Id_key',
        'reference-to-foreign-row 数据 "x".fk.é',
      ],
    );
    await fleet.force(`alter table "Or.der" no force row level security; ${FAULTS}`);
    const found = (await checkIsolation(fleet.another())).findings;
    const rules = new Set(found.map(({ rule }) => rule));
    for (const rule of EXPECTED) expect(rules).toContain(rule);
    for (let round = 0; round < 3; round += 1)
      for (const { facts } of (await checkIsolation(fleet.another())).findings)
        for (const statement of facts.sql ?? [])
          await query(server.current.superuserUrl(fleet.database), statement).catch((error: unknown) => {
            throw new Error(statement, { cause: error });
          });
    const left = await checkIsolation(fleet.another());
    expect(left.findings).toEqual([]);
    expect(left.coverage.notProbed).toEqual([]);
  },
);

const EXPECTED = [
  'foreign-rows-read',
  'partition-reached',
  'view-reaches-foreign-rows',
  'definer-function-shows-rows',
  'materialized-view-shows-rows',
  'reference-to-foreign-row',
  'key-tells-foreign-rows',
  'unique-without-tenant',
  'foreign-key-without-tenant',
  'policy-always-true',
  'publication',
  'dangerous-table-right',
  'view-without-invoker',
];
