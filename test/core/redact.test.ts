import { expect, test } from 'vitest';
import { redact, redactDeep, rememberSecret, rememberUrl } from '../../src/core/redact.js';

test.each([
  ['postgres://u:pw-in-url@h/d', 'postgres://u:***@h/d'],
  ['password=hunter22 user=x', 'password=*** user=x'],
  ['PGPASSWORD=hunter22 psql', 'PGPASSWORD=*** psql'],
  ['DB_PASSWORD: hunter22', 'DB_PASSWORD: ***'],
  ["PASSWORD 'it''s' is no assignment", "PASSWORD 'it''s' is no assignment"],
])('a password in %s is struck out', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('a secret that is known is struck out wherever it stands, encoded or not', () => {
  rememberUrl('postgres://u:S3cr3t%2Fkey@h/d');
  expect(redact('xS3cr3t/keyx and S3cr3t%2Fkey')).toBe('x***x and ***');
});

test('a password that is a long word leaves other words whole', () => {
  rememberSecret('zebrafish_pond');
  expect(redact('zebrafish_pond, zebrafish_ponds, tenant-zebrafish_pond')).toBe(
    '***, zebrafish_ponds, tenant-***',
  );
});

test.each(['postgres', 'active', '4111'])(
  'the password %s takes nothing out of results, and is masked where a text says what it is',
  (password) => {
    rememberUrl(`postgres://postgres:${password}@h/postgres`);
    const result = { database: 'postgres', status: 'active', key: '11111111-1111-4111-8111-111111111111' };
    expect(redactDeep(result)).toEqual(result);
    expect(redact(`postgres://postgres:${password}@h/postgres, password=${password}`)).toBe(
      'postgres://postgres:***@h/postgres, password=***',
    );
  },
);
