import { expect, test } from 'vitest';
import { lintExample } from './examples.js';

const INDEX = 'create index i on invoice (tenant_id, number);';
const COLUMN = 'alter table invoice drop column number;';
const REASON = 'because the table has few rows';

const told = async (text: string) =>
  (await lintExample(text))
    .map(({ rule, facts }) => `${facts.line} ${rule}`)
    .filter((line) => !line.includes('missing-down'));

test('before the first statement it is for the whole file', async () => {
  expect(await told(`-- tenantctl: allow index-without-concurrently ${REASON}\n${INDEX}\n${INDEX}`)).toEqual(
    [],
  );
});

test('before a later statement it is for that one alone', async () => {
  const text = `${INDEX}\n-- tenantctl: allow index-without-concurrently ${REASON}\n${INDEX}\n${INDEX}`;
  expect(await told(text)).toEqual(['1 index-without-concurrently', '4 index-without-concurrently']);
});

test('behind a statement, and inside one, it is for that one', async () => {
  const beside = `select 1;\n${INDEX} -- tenantctl: allow index-without-concurrently ${REASON}\n${INDEX}`;
  expect(await told(beside)).toEqual(['3 index-without-concurrently']);
  const last = `select 1; ${COLUMN} -- tenantctl: allow drop-column ${REASON}`;
  expect(await told(last)).toEqual([]);
  const inside = `select 1;\ncreate index i\n  -- tenantctl: allow index-without-concurrently ${REASON}\n  on invoice (tenant_id, number);`;
  expect(await told(inside)).toEqual([]);
});

test('several rules share a reason', async () => {
  const text = `-- tenantctl: allow index-without-concurrently, drop-column ${REASON}\n${INDEX}\n${COLUMN}`;
  expect(await told(text)).toEqual([]);
});

test('without a reason it allows nothing, and says so', async () => {
  for (const ending of ['', ' because', ' for good reason']) {
    const found = await told(`-- tenantctl: allow drop-column${ending}\n${COLUMN}`);
    expect(found).toEqual(expect.arrayContaining(['1 allowance-without-reason', '2 drop-column']));
  }
});

test('one of several that nothing is against is named', async () => {
  const found = await lintExample(`-- tenantctl: allow drop-column, table-rewrite ${REASON}\n${COLUMN}`);
  expect(found.filter(({ rule }) => rule === 'allowance-unused').map(({ message }) => message)).toEqual([
    'Nothing here is against table-rewrite.',
  ]);
});

test('what cannot run at all cannot be allowed', async () => {
  const found = await told(`-- tenantctl: allow own-transaction ${REASON}\nbegin;\n${COLUMN}`);
  expect(found).toEqual(['1 allowance-unknown-rule', '2 own-transaction', '3 drop-column']);
});
