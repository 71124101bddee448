import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DOCTOR_RULES } from '../../../src/operations/doctor/registry.js';

const FOLDER = fileURLToPath(new URL('../../../src/operations/doctor/', import.meta.url));

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

test('every rule whose findings can be mended says how, and no other', () => {
  const mending = sources().filter((text) => /\bmend: \(\) =>/.test(text));
  const mends = new Set(
    mending.flatMap((text) => [...text.matchAll(/\brule: '([a-z-]+)'/g)].map(([, name]) => name)),
  );
  const said = DOCTOR_RULES.filter((rule) => rule.mends !== null).map(({ name }) => name);
  expect(said.filter((name) => !mends.has(name))).toEqual([]);
});
