import { expect, test } from 'vitest';
import { redact, rememberSecret, rememberUrl } from '../../src/core/redact.js';

test.each([
  ['postgres://u:pw-in-url@h/d', 'postgres://u:***@h/d'],
  ['password=hunter22 user=x', 'password=*** user=x'],
  ["PASSWORD 'it''s' is no assignment", "PASSWORD 'it''s' is no assignment"],
])('a password in %s is struck out', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('a secret that is known is struck out wherever it stands, encoded or not', () => {
  rememberUrl('postgres://u:S3cr3t%2Fkey@h/d');
  expect(redact('xS3cr3t/keyx and S3cr3t%2Fkey')).toBe('x***x and ***');
});

test('a password that is an ordinary word leaves other words whole', () => {
  rememberSecret('zebrafish');
  expect(redact('zebrafish, zebrafish_keeper, tenant-zebrafish')).toBe('***, zebrafish_keeper, tenant-***');
});
