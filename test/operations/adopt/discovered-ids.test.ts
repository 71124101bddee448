import { describe, expect, it } from 'vitest';
import { parseTenantId } from '../../../src/core/tenant.js';
import { foundAt } from '../../../src/operations/adopt/discover/found.js';
import { assignIds } from '../../../src/operations/adopt/discover/ids.js';
import { isPattern, patternOf, variablePart } from '../../../src/operations/adopt/discover/pattern.js';

/** A schema of its own for each name, so that equal names are different tenants. */
const found = (names: readonly string[]) =>
  names.map((name, at) =>
    foundAt(name, { tier: 'schema', cluster: 'main', database: 'app', schema: `${at}${name}`, key: null }),
  );

const idsOf = (names: readonly string[], taken: readonly string[] = []) =>
  assignIds(found(names), new Set(taken));

const DIGITS = /-?[0-9a-f]{8}$/;

describe('the id of a tenant that was found', () => {
  it.each([
    ['acme', 'acme'],
    ['Beta.Corp', 'beta-corp'],
    ['a b/c', 'a-b-c'],
    ['_-x', 'x'],
    ['x_', 'x_'],
    ['42', '42'],
    ['7B0C1A5E-4a1c-4a53-9d5b-2f6f3c1d9e01', '7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01'],
    ['pg_acme', 'pg-acme'],
    ['x'.repeat(48), 'x'.repeat(48)],
  ])('is its name where an id may be so: %s', (name, id) => {
    expect(idsOf([name])).toEqual([id]);
  });

  it.each([
    '北京',
    '---',
    '',
    'public',
    'template1',
    'x'.repeat(49),
    `${'long-'.repeat(20)}end`,
    '\u{1F600}',
    'ſ',
    'İ',
  ])('ends in eight digits where it would be none, reserved or too long: %j', (name) => {
    const [id = ''] = idsOf([name]);
    expect(parseTenantId(id)).toBe(id);
    if (name !== 'İ') expect(id).toMatch(DIGITS);
  });

  it('is another one for each, whatever the names; one that is an id already keeps it', () => {
    const ids = idsOf(['Acme', 'acme', 'ACME', 'a.b', 'a b', 'twin', 'twin']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[1]).toBe('acme');
    for (const [at, stem] of [
      [0, 'acme'],
      [2, 'acme'],
      [3, 'a-b'],
      [4, 'a-b'],
      [5, 'twin'],
      [6, 'twin'],
    ] as const)
      expect(ids[at]).toMatch(new RegExp(`^${stem}-[0-9a-f]{8}$`));
  });

  it('is never that of a tenant that is there, or was', () => {
    expect(idsOf(['acme'], ['acme'])[0]).toMatch(/^acme-[0-9a-f]{8}$/);
  });

  it('is the same every time, whoever else is found', () => {
    const [alone] = idsOf(['北京']);
    expect(idsOf(['北京', 'acme', 'beta'])[0]).toBe(alone);
  });
});

describe('a pattern of LIKE', () => {
  it.each([
    ['tenant_%', 'tenant_acme', 'acme'],
    ['tenant\\_%', 'tenant_acme', 'acme'],
    ['%', 'acme', 'acme'],
    ['%_prod', 'acme_prod', 'acme'],
    ['a%z', 'az', ''],
    ['北京_%', '北京\u{1F600}acme', 'acme'],
    ['\\%%', '%acme', 'acme'],
    ['x%y%z', 'x1y2z', '1y2'],
    ['acme', 'acme', 'acme'],
  ])('%s leaves open of %s: %s', (pattern, name, part) => {
    expect(variablePart(pattern, name)).toBe(part);
  });

  it.each([
    ['tenant_%', true],
    ['a\\\\', true],
    ['a\\', false],
    ['a\\\\\\', false],
    ['', false],
  ])('%j may be one: %s', (text, may) => {
    expect(isPattern(text)).toBe(may);
  });

  it('comes from the names of the configuration, whose own characters mean themselves', () => {
    expect(patternOf('tenant_{id}')).toBe('tenant\\_%');
    expect(patternOf('100%_{id}_x')).toBe('100\\%\\_%\\_x');
  });
});
