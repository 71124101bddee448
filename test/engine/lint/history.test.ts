import { describe, expect, test } from 'vitest';
import { lint, lintExample, settings } from './examples.js';

const QUIET = new Set(['missing-down-file', 'several-tables-locked']);

/** What the last of several files is told of. */
async function last(...texts: string[]): Promise<string[]> {
  const files = texts
    .map((text, index) => `-- ${String(index + 2).padStart(4, '0')}_step.sql\n${text}`)
    .join('\n');
  const name = `${String(texts.length + 1).padStart(4, '0')}_step.sql`;
  return (await lintExample(files))
    .filter(({ where, rule }) => where === name && !QUIET.has(rule))
    .map(({ rule }) => rule);
}

describe('what earlier files have made counts', () => {
  test('a CHECK that is valid spares SET NOT NULL its look at the rows, one that is not does not', async () => {
    const check = 'alter table invoice add constraint c check (number is not null and total > 0) not valid;';
    const required = 'alter table invoice alter number set not null;';
    expect(await last(check, required)).toEqual(['set-not-null-scan']);
    expect(await last(check, 'alter table invoice validate constraint c;', required)).toEqual([]);
    expect(await last(check, `alter table invoice validate constraint c; ${required}`)).toEqual([]);
    expect(
      await last(
        check,
        'alter table invoice validate constraint c;',
        'alter table invoice drop constraint c;',
        required,
      ),
    ).toEqual(['set-not-null-scan']);
  });

  test.each([
    ['customer', 'email', 'varchar(101)'],
    ['customer', 'email', 'text'],
    ['invoice', 'total', 'numeric(20,2)'],
    ['invoice', 'number', 'varchar'],
  ])('%s.%s becomes %s without a word', async (table, column, type) => {
    expect(await last(`alter table ${table} alter ${column} type ${type};`)).toEqual([]);
  });

  test.each([
    ['customer', 'email', 'varchar(99)'],
    ['invoice', 'total', 'numeric(20,3)'],
    ['invoice', 'number', 'varchar(10)'],
    ['invoice', 'number', 'text[]'],
    ['elsewhere', 'x', 'text'],
  ])('%s.%s does not become %s unseen', async (table, column, type) => {
    expect(await last(`alter table ${table} alter ${column} type ${type};`)).toEqual(['column-type-change']);
  });

  test('a table that was renamed is known by its new name', async () => {
    const rename =
      '-- tenantctl: phase=contract\nalter table invoice rename to bill; alter table bill rename column number to no;';
    expect(await last(rename, 'alter table bill alter no type varchar(9);')).toEqual(['column-type-change']);
    expect(await last(rename, 'alter table bill alter no type varchar;')).toEqual([]);
  });

  test('what the file itself makes is seen by nobody yet', async () => {
    const text = `create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));
      create index note_body on note (tenant_id, body); insert into note select tenant_id, id from invoice;
      alter table note alter body set not null, add check (id > 0), add column x uuid default gen_random_uuid();
      alter table note rename column body to text; update note set x = gen_random_uuid(); alter table note drop column text;`;
    expect(await last(text)).toEqual([]);
  });

  test('rows that a unique key names are no mass of rows', async () => {
    const key = 'create unique index concurrently k on invoice (number);';
    const one = "update invoice set status = 'x' where number = 'A-1' and total > 0;";
    expect(await last(`-- tenantctl: no-transaction\n${key}`, one)).toEqual([]);
    expect(await last(one)).toEqual(['data-change-unbatched']);
    expect(await last("insert into country values ('FR', 'France');")).toEqual([]);
  });
});

describe('a fleet', () => {
  const NOTE =
    'create table note (id bigint primary key, slug text unique, owner bigint references note (id), tenant_id uuid);';
  const rules = async (text: string, tiers: readonly 'pool'[]) =>
    (await lint({ '0001_note.sql': text }, settings('enforce', { sharedTiers: tiers }))).map(
      ({ rule }) => rule,
    );

  test('with pools is told of keys without the tenant column', async () => {
    expect(await rules(NOTE, ['pool'])).toEqual([
      'pool-table-without-tenant-index',
      'pool-key-without-tenant-column',
      'pool-key-without-tenant-column',
      'pool-foreign-key-without-tenant-column',
    ]);
  });

  test('without pools is not, nor are files that are for other tiers', async () => {
    expect(await rules(NOTE, [])).toEqual([]);
    expect(await rules(`-- tenantctl: tiers=schema,database\n${NOTE}`, ['pool'])).toEqual([]);
  });
});

describe('schemas in names', () => {
  test('that a setting would leave out are shown without', async () => {
    const found = await lintExample(
      'select 1;\nalter table public.invoice add column note text;\ndrop table billing.x;',
    );
    const foreign = found.filter(({ rule }) => rule === 'foreign-schema');
    expect(foreign.map(({ facts, hint }) => [facts.line, hint])).toEqual([
      [
        2,
        'Write `alter table invoice add column note text;`, or set `migrations.onForeignSchema: rewrite`, which reads it so.',
      ],
      [3, 'Leave the schema out of the name.'],
    ]);
  });

  test('are left out where the setting says so, and tables are known without them', async () => {
    const rewriting = settings('enforce', {
      adaptation: { onForeignSchema: 'rewrite', extensionsSchema: 'extensions' },
    });
    const found = await lintExample(
      'alter table public.invoice alter column number set not null;',
      rewriting,
    );
    expect(found.map(({ rule }) => rule)).toEqual(['set-not-null-scan', 'missing-down-file']);
  });

  test('are looked for in down files, where drops are no finding', async () => {
    const found = await lint({
      '0001_a.sql': 'create table a (tenant_id uuid primary key);',
      'down/0001_a.sql': '-- back\ndrop table public.a;\ncommit;\ndrop table b;',
    });
    expect(found.map(({ rule, where, facts }) => `${where}:${facts.line} ${rule}`)).toEqual([
      'down/0001_a.sql:2 foreign-schema',
      'down/0001_a.sql:3 own-transaction',
    ]);
  });
});

test('what the loader would refuse at the first place is told at every place', async () => {
  const found = await lintExample(`-- tenantctl: no-transaktion
begin;
set search_path = x;
create index concurrently on invoice (tenant_id, total);
drop extension pgcrypto;
commit;`);
  expect(
    found.filter(({ rule }) => !QUIET.has(rule)).map(({ rule, facts }) => `${facts.line} ${rule}`),
  ).toEqual([
    '1 unknown-directive',
    '2 own-transaction',
    '3 own-session',
    '4 concurrently-in-transaction',
    '4 concurrent-index-unnamed',
    '5 extension-drop',
    '6 own-transaction',
  ]);
});
