import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTenantctlError } from '../../src/core/errors.js';
import { listOrigins } from '../../src/config/origin.js';
import { toSettings } from '../../src/config/to-settings.js';
import { CONTRACT_ENV, CONTRACT_TEXT, loadText } from './support.js';

const localUrl = (database: string) => `postgres://admin@127.0.0.1:5499/${database}`;

describe('settings of the engine', () => {
  test('are complete for the contract’s example', async () => {
    const config = await loadText(CONTRACT_TEXT, { env: CONTRACT_ENV });
    const settings = toSettings(config);
    expect(settings.catalogUrl).toBe(CONTRACT_ENV.CATALOG_URL);
    expect(settings.clusters['main']).toEqual({
      name: 'main',
      url: CONTRACT_ENV.MAIN_URL,
      app: { host: 'pgbouncer.internal', port: 6432 },
      region: 'eu',
      labels: {},
      maxConnections: 20,
      maxPerDatabase: 8,
      pools: {
        shared: { name: 'shared', database: 'app_shared', schema: 'app', rls: 'enforce', enforce: [] },
      },
      schemaDatabase: 'app_shared',
    });
    expect(settings.migrations.directory).toBe(join(config.root, 'migrations'));
    expect(settings.provision.seed).toBe(join(config.root, 'seeds/tenant.sql'));
    expect(settings.rollout).toMatchObject({
      concurrency: 8,
      lockTimeoutMs: 2_000,
      blockingTimeoutMs: 5_000,
      statementTimeoutMs: 900_000,
      retries: 5,
      failureBudget: { count: 3, percent: 1, consecutive: null },
    });
    expect(settings.plans['free']).toEqual({
      name: 'free',
      tier: 'pool',
      cluster: 'main',
      pool: 'shared',
      region: null,
      labels: {},
      limits: { connections: null, statementTimeoutMs: null, storageBytes: null },
    });
  });

  test('with `catalog: local` and no clusters there is one, with one pool', async () => {
    const settings = toSettings(await loadText('catalog: local'), { localUrl });
    expect(settings.catalogUrl).toBe(localUrl('tenantctl'));
    expect(settings.clusters['local']).toMatchObject({
      url: localUrl('postgres'),
      app: { host: '127.0.0.1', port: 5499 },
      pools: { shared: { database: 'app_shared', schema: 'app' } },
      schemaDatabase: 'app_shared',
    });
  });

  test.each([
    ['', { count: 3, percent: 1, consecutive: null }],
    ['{ count: 5 }', { count: 5, percent: null, consecutive: null }],
    ['{ percent: 10 }', { count: null, percent: 10, consecutive: null }],
    ['{ consecutive: 2 }', { count: 3, percent: 1, consecutive: 2 }],
    ['{ count: 5, percent: 10%, consecutive: 2 }', { count: 5, percent: 10, consecutive: 2 }],
  ])('a failure budget of %j ends at what it says, and at no default beside it', async (text, budget) => {
    const config = await loadText(`catalog: local\nrollout: { failureBudget: ${text || '{}'} }`);
    expect(toSettings(config, { localUrl }).rollout.failureBudget).toEqual(budget);
  });

  test('a local server that was not started is a bug, and told as one', async () => {
    const config = await loadText('catalog: local');
    expect(() => toSettings(config)).toThrowError(expect.toSatisfy(isTenantctlError));
  });

  test('tenant schemas go to the named database, else the first pool’s, else the one in the URL', async () => {
    const database = async (more: string) => {
      const text = `catalog: local\nclusters: { a: { url: "postgres://u@h/fromurl"${more} } }`;
      return toSettings(await loadText(text), { localUrl }).clusters['a']?.schemaDatabase;
    };
    expect(await database('')).toBe('fromurl');
    expect(await database(', pools: { p: { database: frompool }, q: { database: other } }')).toBe('frompool');
    expect(await database(', pools: { p: { database: frompool } }, schemas: { database: named }')).toBe(
      'named',
    );
  });

  test('labels arrive as they were written', async () => {
    const clusters = 'clusters: { a: { url: local, labels: { ring: stable } } }';
    const plans = 'plans: { p: { tier: database, labels: { ring: stable } } }';
    const settings = toSettings(await loadText(`catalog: local\n${clusters}\n${plans}`), { localUrl });
    expect([settings.clusters['a']?.labels, settings.plans['p']?.labels]).toEqual(
      Array(2).fill({ ring: 'stable' }),
    );
  });

  test('the budget on one database never exceeds that of the server', async () => {
    const config = await loadText('catalog: local\nclusters: { a: { url: local, maxConnections: 3 } }');
    expect(toSettings(config, { localUrl }).clusters['a']?.maxPerDatabase).toBe(3);
  });

  test('no name of a record is found that was not configured', async () => {
    const settings = toSettings(await loadText('catalog: local'), { localUrl });
    expect([settings.clusters['constructor'], settings.plans['toString']]).toEqual([undefined, undefined]);
  });
});

describe('origins', () => {
  test('say where each value came from', async () => {
    const text = 'catalog: { url: "postgres://u:pass-1@h/d" }\nrollout:\n  retries: 2\n  concurrency: 4\n';
    const config = await loadText(text, { env: { TENANTCTL_ROLLOUT_RETRIES: '9' } });
    const byPath = new Map(listOrigins(config).map((line) => [line.path, line]));
    expect(byPath.get('rollout.retries')).toMatchObject({
      value: 9,
      origin: 'environment',
      source: 'TENANTCTL_ROLLOUT_RETRIES',
    });
    expect(byPath.get('rollout.concurrency')).toMatchObject({
      value: 4,
      origin: 'file',
      source: 'tenantctl.config.yaml:4',
    });
    expect(byPath.get('rollout.lockTimeout')).toMatchObject({ value: '2s', origin: 'default', source: '' });
    expect(byPath.get('provision.seed')).toMatchObject({ value: null, origin: 'default' });
    expect(byPath.has('catalog')).toBe(false);
  });

  test('a flag is named as it is typed', async () => {
    const config = await loadText('catalog: local', { flags: { catalog: 'postgres://u@h/d' } });
    expect(listOrigins(config)[0]).toMatchObject({
      path: 'catalog.url',
      origin: 'flag',
      source: '--catalog',
    });
  });

  test('show no secret', async () => {
    const hooks =
      'hooks: { afterFlip: [[curl, "https://x/?t=${TOKEN}"], [psql, "postgres://u:pass-2@h/d"]] }';
    const clusters = 'clusters: { main: { url: "postgres://u:${PW}@h/d" } }';
    const env = { PW: 'pass-1', KEY: 'key-1234', TOKEN: 'token-5678' };
    const config = await loadText(`catalog: local\n${clusters}\n${hooks}\nsigning: { key: "\${KEY}" }`, {
      env,
    });
    const shown = listOrigins(config);
    expect(JSON.stringify(shown)).not.toMatch(/pass-|key-1234|token-5678/);
    expect(shown.find(({ path }) => path === 'clusters.main.url')).toMatchObject({
      value: 'postgres://u:***@h/d',
      secret: true,
    });
    expect(shown.find(({ path }) => path === 'signing.key')).toMatchObject({ value: '***', secret: true });
  });

  test('the implied local cluster is a default', async () => {
    const shown = listOrigins(await loadText('catalog: local'));
    expect(shown[0]).toMatchObject({
      path: 'catalog',
      value: 'local',
      origin: 'file',
      source: 'tenantctl.config.yaml:1',
    });
    expect(shown.find(({ path }) => path === 'clusters.local.pools.shared.database')).toMatchObject({
      value: 'app_shared',
      origin: 'default',
    });
  });
});
