import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DOCTOR_RULES } from '../../../src/operations/doctor/registry.js';

const FOLDER = fileURLToPath(new URL('../../../src/operations/doctor/', import.meta.url));

const REFERENCE = fileURLToPath(new URL('../../../docs/reference/', import.meta.url));

/** Every file of the doctor but the registry itself. */
function sources(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'registry.ts')
    .map((name) => readFileSync(join(FOLDER, name), 'utf8'));
}

test('every rule that finds something is in the registry once, and none is there that finds nothing', () => {
  const found = sources().flatMap((text) =>
    [...text.matchAll(/\brule: '([a-z-]+)'/g)].map(([, name]) => name),
  );
  const listed = DOCTOR_RULES.map(({ name }) => name);
  expect(found.length).toBeGreaterThan(30);
  expect(listed.toSorted()).toEqual([...new Set(found)].toSorted());
});

test.each(DOCTOR_RULES.map((rule) => [rule.name, rule] as const))(
  '%s says what is found, why it hurts and what to do, on a page of its own to which the list leads',
  (name, { level, summary, explanation, remedy, mends }) => {
    expect(summary).toMatch(/^[^\n]{10,150}[^.\s]$/);
    for (const text of [explanation, remedy]) expect(text).toMatch(/^[A-Z`][^\n]{15,700}\.$/);
    const page = readFileSync(join(REFERENCE, 'doctor', `${name}.md`), 'utf8');
    for (const text of [`level ${level}`, explanation, remedy, ...(mends === null ? [] : [mends])])
      expect(page).toContain(text.replaceAll('<', '&lt;'));
    expect(readFileSync(join(REFERENCE, 'checks.md'), 'utf8')).toContain(`[\`${name}\`](doctor/${name}.md)`);
  },
);

test('no page is about a rule that is no more', () => {
  const pages = readdirSync(join(REFERENCE, 'doctor')).map((page) => page.replace('.md', ''));
  expect(pages.toSorted()).toEqual(DOCTOR_RULES.map(({ name }) => name).toSorted());
});

test('every rule whose findings can be mended says how, and no other', () => {
  const mending = sources().filter((text) => /\bmend: \(\) =>/.test(text));
  const mends = new Set(
    mending.flatMap((text) => [...text.matchAll(/\brule: '([a-z-]+)'/g)].map(([, name]) => name)),
  );
  const said = DOCTOR_RULES.filter((rule) => rule.mends !== null).map(({ name }) => name);
  expect(said.filter((name) => !mends.has(name))).toEqual([]);
});
