import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RULES } from '../../../src/engine/lint/registry.js';
import { FAULTS, lint, lintExample, settingsFor } from './examples.js';

/** Examples that break the directory itself; the operation tells them. */
const OF_THE_DIRECTORY = new Set(['files-not-in-order']);
const OF_FILES = RULES.filter(({ name }) => !OF_THE_DIRECTORY.has(name));

test.each(OF_FILES)('$name finds its bad example', async (rule) => {
  const found = await lintExample(rule.bad, settingsFor(rule));
  expect(found.filter((finding) => finding.rule === rule.name)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        level: rule.level,
        facts: expect.objectContaining({ line: expect.any(Number) }),
      }),
    ]),
  );
});

test.each(OF_FILES)('the good example of $name has no error, nor what the rule is about', async (rule) => {
  const found = await lintExample(rule.good, settingsFor(rule));
  expect(found.filter((finding) => finding.level === 'error' || finding.rule === rule.name)).toEqual([]);
});

test('a rule has a name of its own, and says why and what to do', () => {
  const names = RULES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const bare = RULES.filter(({ summary, explanation, remedy }) =>
    [summary, explanation, remedy].some((text) => text.length < 20),
  );
  expect(bare.map(({ name }) => name)).toEqual([]);
});

test('the fixtures are the bad examples, one file each', () => {
  const files = readdirSync(FAULTS)
    .filter((name) => name !== 'base.sql')
    .sort();
  expect(files).toEqual(RULES.map(({ name }) => `${name}.sql`).sort());
  const texts = RULES.map(({ name }) => [name, readFileSync(new URL(`${name}.sql`, FAULTS), 'utf8')]);
  expect(texts).toEqual(RULES.map(({ name, bad }) => [name, `${bad}\n`]));
});

test('the common base of the examples has nothing against it but what one of them needs', async () => {
  const found = await lint({ '0001_base.sql': readFileSync(new URL('base.sql', FAULTS), 'utf8') });
  expect(found.map(({ rule, message }) => [rule, message.split(' ')[0]])).toEqual([
    ['pool-key-without-tenant-column', 'customer_number_id_key'],
  ]);
});
