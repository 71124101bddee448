import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../src/core/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { failureOf, folderWith, loadText, problemOf, problemsIn } from './support.js';

const URL = 'postgres://u:hunter2222@h/d';

describe('finding the file', () => {
  test('the nearest file from the working folder upwards is used, and paths are relative to it', async () => {
    const top = folderWith({ 'tenantctl.config.yaml': 'catalog: local', 'a/b/package.json': '{"name":"b"}' });
    const config = await loadConfig({ cwd: join(top, 'a', 'b'), env: {} });
    expect(config.file).toBe(join(top, 'tenantctl.config.yaml'));
    expect(config.root).toBe(top);
    expect(config.catalog).toEqual({ kind: 'local', directory: join(top, '.tenantctl') });
  });

  test.each([
    ['tenantctl.config.yml', 'catalog: local'],
    ['tenantctl.config.json', '{ "catalog": "local" }'],
    ['tenantctl.config.mjs', 'export default { catalog: "local" };'],
    ['tenantctl.config.js', 'module.exports = { catalog: "local" };'],
    ['package.json', '{ "name": "x", "tenantctl": { "catalog": "local" } }'],
    ['tenantctl.config.json', '{ "$schema": "./schema.json", "catalog": "local" }'],
  ])('%s is read', async (name, text) => {
    expect((await loadText(text, { name })).catalog.kind).toBe('local');
  });

  test('without a file the command is told to run init', async () => {
    const error = await failureOf(loadConfig({ cwd: folderWith(), env: {} }));
    expect([error.code, error.exit]).toEqual(['CONFIG_MISSING', EXIT.config]);
    expect(error.hint).toContain('tenantctl init');
  });

  test('without a file a catalog from the environment or the flag is enough', async () => {
    const fromEnv = await loadConfig({ cwd: folderWith(), env: { TENANTCTL_CATALOG_URL: URL } });
    const fromFlag = await loadConfig({ cwd: folderWith(), env: {}, flags: { catalog: URL } });
    expect([fromEnv.catalog, fromFlag.catalog]).toEqual(Array(2).fill({ kind: 'url', url: URL }));
    expect([fromEnv.file, Object.keys(fromEnv.values.clusters)]).toEqual([null, []]);
  });

  test.each(['', '# nothing yet', 'plans:\n  # none\n', 'plans: { a: { tier: schema } }'])(
    'a file that names no catalog is told so: %j',
    async (text) => {
      const error = await failureOf(loadText(text));
      expect([error.code, error.exit]).toEqual(['CATALOG_MISSING', EXIT.config]);
      expect(error.hint).toContain('tenantctl init');
    },
  );

  test('a named file is used, and a named file that is not there is an error that names it', async () => {
    const cwd = folderWith({ 'conf/other.yaml': 'catalog: local' });
    expect((await loadConfig({ cwd, file: 'conf/other.yaml', env: {} })).root).toBe(join(cwd, 'conf'));
    const error = await failureOf(
      loadConfig({ cwd, file: 'conf/nope.yaml', env: { TENANTCTL_CATALOG_URL: URL } }),
    );
    expect([error.code, error.message]).toEqual([
      'CONFIG_MISSING',
      'There is no configuration file conf/nope.yaml.',
    ]);
  });

  test('a named file stands in messages as it was given', async () => {
    const cwd = folderWith({ 'bad.yaml': 'catalog: [', 'wrong.yaml': 'catalog: local\nnonsense: 1' });
    for (const file of ['/nope.yaml', '../nope.yaml', join(cwd, 'bad.yaml'), './wrong.yaml']) {
      const error = await failureOf(loadConfig({ cwd, file, env: {} }));
      expect(error.message).toMatch(new RegExp(`(^|[ (])${file.replaceAll('.', '\\.')}[ :.]`));
    }
  });

  test('a kind of file that is not supported is named with those that are', async () => {
    const cwd = folderWith({ 'tenantctl.config.ts': 'export default {}' });
    const error = await failureOf(loadConfig({ cwd, file: 'tenantctl.config.ts', env: {} }));
    expect(error.hint).toContain('.yaml, .yml, .json, .mjs, .js');
  });

  test('a file that cannot be read is not passed over for one further up', async () => {
    const top = folderWith({ 'tenantctl.config.yaml': 'catalog: local' });
    mkdirSync(join(top, 'a', 'tenantctl.config.yaml'), { recursive: true });
    const error = await failureOf(loadConfig({ cwd: join(top, 'a'), env: {} }));
    expect(error.code).toBe('CONFIG_UNREADABLE');
  });

  test.each([
    ['tenantctl.config.yaml', 'catalog: local\nplans: [a', 'tenantctl.config.yaml:3:1: '],
    [
      'tenantctl.config.yaml',
      'catalog: local\ncatalog: local',
      'tenantctl.config.yaml:2:1: duplicated mapping key',
    ],
    ['tenantctl.config.json', '{\n "a": x }', "tenantctl.config.json:2:7: Unexpected token 'x'"],
    [
      'tenantctl.config.json',
      '{\n "a": 1,\n}',
      'tenantctl.config.json:3:1: Expected double-quoted property name',
    ],
    ['tenantctl.config.json', '{ "a": [1,,2] }', "tenantctl.config.json:1:11: Unexpected token ','"],
    ['package.json', '{ "tenantctl": ', 'package.json:1:16: '],
    ['tenantctl.config.mjs', 'const a = 1;', 'tenantctl.config.mjs: It has no default export.'],
    ['tenantctl.config.mjs', 'throw new Error("no weather");', 'no weather'],
  ])('%s that cannot be parsed is reported with line and column: %j', async (name, text, message) => {
    const error = await failureOf(loadText(text, { name }));
    expect([error.code, error.exit]).toEqual(['CONFIG_UNREADABLE', EXIT.config]);
    expect(error.message).toContain(message);
  });

  test('a key of cosmiconfig itself ($import) reads no other file', async () => {
    expect(await problemOf('$import: /etc/hostname')).toContain('["$import"]: is not a known key');
  });
});

describe('precedence', () => {
  const text = 'catalog: { url: "postgres://file@h/d" }\nrollout: { retries: 2 }';
  const env = { TENANTCTL_CATALOG_URL: 'postgres://env@h/d', TENANTCTL_ROLLOUT_RETRIES: '3' };
  const flags = { catalog: 'postgres://flag@h/d' };
  const urlOf = async (given: object) => (await loadText(text, given)).catalog;

  test('default, file, environment and flag beat each other in this order', async () => {
    expect((await loadText('catalog: local')).values.rollout.retries).toBe(5);
    expect((await loadText(text)).values.rollout.retries).toBe(2);
    expect((await loadText(text, { env })).values.rollout.retries).toBe(3);
    expect(await urlOf({})).toEqual({ kind: 'url', url: 'postgres://file@h/d' });
    expect(await urlOf({ env })).toEqual({ kind: 'url', url: 'postgres://env@h/d' });
    expect(await urlOf({ env, flags })).toEqual({ kind: 'url', url: 'postgres://flag@h/d' });
  });

  test('a URL from outside beats `catalog: local`', async () => {
    expect((await loadText('catalog: local', { flags })).catalog.kind).toBe('url');
  });

  test('an empty variable counts as not set', async () => {
    expect((await loadText(text, { env: { TENANTCTL_ROLLOUT_RETRIES: '' } })).values.rollout.retries).toBe(2);
  });

  test('a variable that the file asks for may be missing where the setting comes from elsewhere', async () => {
    const missing = 'catalog: { url: "${NOT_SET}" }';
    expect((await loadText(missing, { flags })).catalog).toEqual({ kind: 'url', url: 'postgres://flag@h/d' });
  });

  test('values from the environment are not interpolated', async () => {
    const config = await loadText('catalog: local', {
      env: { TENANTCTL_MIGRATIONS_DIRECTORY: '${HOME}', HOME: '/x' },
    });
    expect(config.values.migrations.directory).toBe('${HOME}');
  });

  test('a problem of a setting that nothing names has no origin', async () => {
    const env = { TENANTCTL_CATALOG_URL: URL, TENANTCTL_ROLLOUT_WINDOW_FROM: '09:00' };
    const error = await failureOf(loadConfig({ cwd: folderWith(), env }));
    expect(error.message).toMatch(/rollout\.window\.to: is required: a time such as "09:00"$/m);
  });

  test.each([
    [
      'TENANTCTL_ROLLOUT_RETRIES',
      'many',
      'rollout.retries',
      'must be a whole number from 0 to 1000, not text',
    ],
    ['TENANTCTL_RETENTION_EXPORT', 'yes', 'retention.export', 'must be `true` or `false`, not text'],
    [
      'TENANTCTL_MOVES_GRACE',
      '10 minutes',
      'moves.grace',
      'must be a duration such as 250ms, 10s, 5m, 24h, 30d',
    ],
    ['TENANTCTL_TENANCY_RLS', 'on', 'tenancy.rls', 'must be one of `enforce`, `require`, `observe`, `off`'],
  ])('an unreadable %s is reported by its name', async (name, value, path, message) => {
    expect(await problemsIn('catalog: local', { env: { [name]: value } })).toEqual([
      { path, message, origin: name },
    ]);
  });
});

describe('problems', () => {
  test('five mistakes of five kinds are reported at once, each with its path and line', async () => {
    const text = [
      'catalog: { url: "${CATALOG_URL}" }',
      'clusters:',
      '  main: { url: "mysql://x", regin: eu }',
      'plans: { pro: { tier: schema, cluster: mian } }',
      'rollout:',
      '  lockTimeout: 2',
    ].join('\n');
    const error = await failureOf(loadText(text));
    expect([error.code, error.exit]).toEqual(['CONFIG_INVALID', EXIT.config]);
    expect(error.message.split('\n')).toEqual([
      'The configuration has 5 problems:',
      '  catalog.url: the environment variable CATALOG_URL is not set (tenantctl.config.yaml:1)',
      expect.stringMatching(
        /^ {2}clusters\.main\.url: must be a connection URL.* \(tenantctl\.config\.yaml:3\)$/,
      ),
      '  clusters.main.regin: is not a known key; did you mean `region`? (tenantctl.config.yaml:3)',
      '  rollout.lockTimeout: must be a duration such as 250ms, 10s, 5m, 24h, not a number (tenantctl.config.yaml:6)',
      '  plans.pro.cluster: names a cluster that is not configured; there is main (tenantctl.config.yaml:4)',
    ]);
    expect(error.facts['problems']).toHaveLength(5);
  });

  test.each([
    ['app_role: x', 'tenancy.app_role: is not a known key; did you mean `appRole`?'],
    ['columntype: uuid', 'tenancy.columntype: is not a known key; did you mean `columnType`?'],
    ['zzzzzz: 1', 'tenancy.zzzzzz: is not a known key; known here: column, columnType'],
  ])('an unknown key suggests the nearest: %s', async (line, message) => {
    expect(await problemOf(`tenancy: { ${line} }`)).toContain(message);
  });

  test('the same name for two pools is reported at both', async () => {
    const cluster = '{ url: local, pools: { shared: { database: a } } }';
    const told = await problemOf(`clusters:\n  one: ${cluster}\n  two: ${cluster}`);
    expect(told).toContain(
      'clusters.one.pools.shared: has the name of another pool (clusters.two.pools.shared)',
    );
    expect(told).toContain(
      'clusters.two.pools.shared: has the name of another pool (clusters.one.pools.shared)',
    );
  });

  test.each([
    [
      'plans: { a: { tier: pool, pool: x } }',
      'plans.a.pool: names a pool that is not configured; there is shared',
    ],
    ['plans: { a: { tier: schema, pool: shared } }', 'plans.a.pool: belongs to plans with `tier: pool` only'],
    ['plans: { a: { tier: schema, region: eu } }', 'plans.a: asks for its region, which no cluster has'],
    ['plans: { a: { tier: schema, labels: { x: y } } }', 'plans.a: asks for label x, which no cluster has'],
    [
      'plans: { a: { tier: schema, cluster: constructor } }',
      'plans.a.cluster: names a cluster that is not configured',
    ],
    ['plans: { a: {} }', 'plans.a.tier: is required: one of `pool`, `schema`, `database`'],
    ['plans: { A: { tier: pool } }', 'plans.A: must be called by 1 to 48 characters'],
    [
      'clusters: { a: { url: local, pools: { x: { database: d }, y: { database: d, schema: app } } } }',
      'clusters.a.pools.x: is the same database and schema as clusters.a.pools.y',
    ],
    [
      'backups: [{ name: n, clusters: [x], expireAfter: 1d }]',
      'backups[0].clusters[0]: names a cluster that',
    ],
    ['rollout: { waves: [{ name: a }, { name: a }] }', 'rollout.waves[1].name: is used twice'],
    [
      'rollout: { waves: [{ name: a, checks: [{}] }] }',
      'rollout.waves[0].checks[0]: must have either `sql` or',
    ],
    [
      'rollout: { waves: [{ name: a, select: foo }] }',
      'rollout.waves[0].select: cannot be read as a selector',
    ],
    ['hooks: { afterFlip: ["./x"] }', 'hooks.afterFlip[0]: must be text, as part of a list of commands'],
    [
      'clusters: { a: { url: local, labels: { x: 1 } } }',
      'clusters.a.labels.x: must be text, as part of labels',
    ],
    ['clusters: { a: { url: local, labels: { "": x } } }', 'must have a name that is not empty'],
    [
      'retention: { export: 2026-01-01 }',
      'retention.export: must be `true` or `false`, not this kind of value',
    ],
    ['clusters: []', 'clusters: must be a mapping of keys, not a list'],
  ])('%s is refused', async (lines, message) => {
    expect(await problemOf(lines)).toContain(message);
  });

  test('a cluster may be the local server only where the catalog is', async () => {
    const text = `catalog: { url: "${URL}" }\nclusters: { a: { url: local } }`;
    expect((await problemsIn(text))[0]?.path).toBe('clusters.a.url');
  });

  test('a plan called after a property of every object is a plan like others', async () => {
    const { values } = await loadText('catalog: local\nplans: { constructor: { tier: schema } }');
    expect(values.plans['constructor']?.tier).toBe('schema');
  });

  test('a file whose anchors form a ring ends', async () => {
    expect(await problemOf('a: &a { b: *a }')).toContain('a: is not a known key');
  });

  test('a file that is no mapping is told so', async () => {
    expect((await problemsIn('- a'))[0]).toMatchObject({
      path: '(the whole file)',
      message: 'must be a mapping of keys, not a list',
    });
  });
});
