import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { describe, expect, test } from 'vitest';
import { EXAMPLE_TEXT } from '../../src/config/example.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { LEAVES, SECTIONS } from '../../src/config/leaves.js';
import { parseYaml } from '../../src/config/parse-file.js';
import { configurationReference } from '../../src/config/reference.js';
import { STARTER_TEXT } from '../../src/config/starter.js';
import { CONTRACT_ENV, CONTRACT_TEXT, loadText } from './support.js';

const name = (path: readonly string[]) => path.join('.');
const leaf = (path: string) => LEAVES.find((candidate) => name(candidate.path) === path);

describe('every setting', () => {
  test.each(LEAVES.map((declared) => [name(declared.path), declared] as const))(
    '%s has a summary and a type',
    (_, declared) => {
      expect(declared.summary).toMatch(/^[A-Z].*\.$/);
      expect(declared.type).not.toBe('');
    },
  );

  test('sections have a summary', () => {
    const named = SECTIONS.filter(({ path }) => !['*', '[]', undefined].includes(path.at(-1)));
    expect(named.filter(({ summary }) => summary === '').map(({ path }) => name(path))).toEqual([]);
    expect(named.length).toBeGreaterThan(15);
  });

  test('with one value at a fixed place has a variable of its own', () => {
    const variables = LEAVES.flatMap(({ env }) => env ?? []);
    expect(new Set(variables).size).toBe(variables.length);
    expect(leaf('catalog.url')).toMatchObject({
      env: 'TENANTCTL_CATALOG_URL',
      flag: 'catalog',
      secret: true,
    });
    expect(leaf('tenancy.appRole')?.env).toBe('TENANTCTL_TENANCY_APP_ROLE');
    expect(leaf('migrations.onForeignSchema')?.env).toBe('TENANTCTL_MIGRATIONS_ON_FOREIGN_SCHEMA');
    expect(leaf('rollout.throttle.activeSessions')?.env).toBe('TENANTCTL_ROLLOUT_THROTTLE_ACTIVE_SESSIONS');
    expect(leaf('signing.key')).toMatchObject({ env: 'TENANTCTL_SIGNING_KEY', secret: true });
    expect(leaf('clusters.*.url')).toMatchObject({ env: null, secret: true });
    expect(leaf('tenancy.shared')?.env).toBeNull();
  });
});

describe('examples', () => {
  test("the contract's example loads, and means what it says", async () => {
    const { values } = await loadText(CONTRACT_TEXT, { env: CONTRACT_ENV });
    expect(values.clusters['main']).toMatchObject({
      app: { port: 6432 },
      pools: { shared: { schema: 'app' } },
    });
    expect(values.plans['enterprise']?.limits).toEqual({
      connections: 20,
      statementTimeout: 30_000,
      storage: 50 * 1024 ** 3,
    });
    expect(values.rollout).toMatchObject({
      blockingTimeout: 5_000,
      window: { days: [1, 2, 3, 4], from: 540, to: 960, zone: 'Europe/Berlin' },
      failureBudget: { count: 3, percent: 1 },
      throttle: { replicationLag: 10_000, activeSessions: 80 },
    });
    expect(values.rollout.waves[0]).toMatchObject({
      select: ['label.ring=canary'],
      bake: 600_000,
      approve: true,
    });
    expect(values.backups).toEqual([{ name: 'nightly', clusters: ['main'], expireAfter: 35 * 86_400_000 }]);
    expect(values.hooks).toMatchObject({ afterProvision: [['./notify.sh']], timeout: 30_000 });
    expect(values.signing.key).toBe('signing-secret');
  });

  test('what the contract shows is the default, but for what belongs to one fleet', async () => {
    const shown = (await loadText(CONTRACT_TEXT, { env: CONTRACT_ENV })).values;
    const plain = (await loadText('catalog: local')).values;
    expect(plain.migrations).toEqual(shown.migrations);
    expect(plain.tenancy).toEqual({ ...shown.tenancy, shared: [] });
    expect(plain.moves).toEqual(shown.moves);
    expect(plain.retention).toEqual(shown.retention);
    // The two usual limits hold where neither is given: see `a failure budget …` in settings.test.ts.
    const open = { waves: [], throttle: {}, window: undefined, failureBudget: {} };
    expect(plain.rollout).toEqual({ ...shown.rollout, ...open });
  });

  test('the example of the reference loads', async () => {
    await expect(loadText(EXAMPLE_TEXT, { env: CONTRACT_ENV })).resolves.toBeDefined();
  });

  test('the starter file loads, with the three plans', async () => {
    const { values, catalog } = await loadText(STARTER_TEXT);
    expect(catalog.kind).toBe('local');
    expect(Object.values(values.plans).map((plan) => plan.tier)).toEqual(['pool', 'schema', 'database']);
    expect(Object.keys(values.clusters)).toEqual(['local']);
  });

  test('the starter costs no import', () => {
    const source = readFileSync(new URL('../../src/config/starter.ts', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import /m);
  });
});

describe('the JSON Schema', () => {
  const schema = configJsonSchema();
  const accepts = (input: unknown) =>
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(input).success;

  test.each([
    ['contract', CONTRACT_TEXT],
    ['reference', EXAMPLE_TEXT],
    ['starter', STARTER_TEXT],
    ['catalog from the environment', 'plans: {}'],
    ['its own name', '{ "$schema": "./schema.json", "catalog": "local" }'],
    ['a number from a variable', 'rollout: { retries: "${N}", lockTimeout: "${T}", order: "${O}" }'],
  ])('accepts: %s', (_, text) => expect(accepts(parseYaml(text))).toBe(true));

  test.each([
    'catalog: remote',
    'plan: {}',
    'rollout: { retries: "5" }',
    'rollout: { lockTimeout: 5 }',
    'plans: { a: {} }',
  ])('refuses: %s', (text) => expect(accepts(parseYaml(text))).toBe(false));

  test('describes settings and tells their defaults', () => {
    expect(schema).toHaveProperty('properties.rollout.properties.lockTimeout.default', '2s');
    expect(schema).toHaveProperty(
      'properties.rollout.properties.lockTimeout.description',
      leaf('rollout.lockTimeout')?.summary,
    );
    expect(schema).toHaveProperty('properties.catalog.anyOf');
    expect(schema).toHaveProperty('properties.plans.default', {});
  });
});

test('docs/reference/configuration.md is up to date (`npx vitest run test/config -u` writes it)', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../docs/reference/configuration.md');
});
