import { describe, expect, test } from 'vitest';
import { redact } from '../../src/core/redact.js';
import { failureOf, loadText, problemOf } from './support.js';

describe('hostile values', () => {
  const long = 'é'.repeat(32);
  test.each([
    ['tenancy: { column: "a\\0b" }', 'tenancy.column: must not contain a NUL character'],
    [`tenancy: { column: ${long} }`, 'tenancy.column: is longer than 63 bytes'],
    ['tenancy: { appRole: "" }', 'tenancy.appRole: must be an identifier of 1 to 63 bytes'],
    ['tenancy: { appRole: pg_monitor }', 'tenancy.appRole: is a name that PostgreSQL keeps for itself'],
    [
      'tenancy: { extensionsSchema: tenantctl }',
      'tenancy.extensionsSchema: is a schema that PostgreSQL or tenantctl',
    ],
    [`tenancy: { shared: [ok, "a\\0b"] }`, 'tenancy.shared[1]: must not contain a NUL character'],
    ['tenancy: { columnType: "uuid; drop" }', 'tenancy.columnType: must be one of `uuid`'],
    ['tenancy: { setting: tenant }', 'tenancy.setting: must look like prefix.name'],
    ['tenancy: { setting: "a.b; drop" }', 'tenancy.setting: must look like prefix.name'],
    ['tenancy: { setting: TenantCtl.scope }', 'tenancy.setting: must not begin with tenantctl.'],
    ['tenancy: { names: { schema: tenant } }', 'tenancy.names.schema: must contain `{id}` exactly once'],
    [
      'tenancy: { names: { database: "{id}_{id}" } }',
      'tenancy.names.database: must contain `{id}` exactly once',
    ],
    [
      'tenancy: { names: { database: "{id}_{key}" } }',
      'tenancy.names.database: may hold `{id}` and no other braces',
    ],
    ['tenancy: { names: { schema: "pg_{id}" } }', 'tenancy.names.schema: must not begin with pg_'],
    [
      'tenancy: { names: { schema: "tenant_of_acme__{id}" } }',
      'tenancy.names.schema: can give names longer than 63',
    ],
    [
      'clusters: { a: { url: local, schemas: { database: "a\\0" } } }',
      'clusters.a.schemas.database: must not contain',
    ],
  ])('%s is refused', async (lines, message) => {
    expect(await problemOf(lines)).toContain(message);
  });

  test('the longest pattern that always fits is accepted', async () => {
    await expect(
      loadText(`catalog: local\ntenancy: { names: { schema: "${'t'.repeat(15)}{id}" } }`),
    ).resolves.toBeDefined();
  });
});

describe('secrets', () => {
  test('no message repeats a URL, whatever is wrong with it', async () => {
    const texts = [
      'catalog: { url: "postgres://u:hunter2222@h:port/d" }',
      'catalog: { url: "mysql://u:hunter2222@h/d" }',
      'catalog: postgres://u:hunter2222@h/d',
      'catalog: {url:postgres://u:hunter2222@h/d}',
      'catalog: { url: *hunter2222 }',
      'catalog: { url: !hunter2222 x }',
      'catalog: { url: "postgres://u:hunter2222@h/d }',
      `catalog: local\nsigning: { "key:hunter2222" }`,
      `catalog: local\nclusters: { "main:postgres://u:hunter2222@h/d" }`,
      `catalog: local\nclusters: { main: { ur: "postgres://u:hunter2222@h/d" } }`,
    ];
    for (const text of texts) {
      const error = await failureOf(loadText(text));
      expect(JSON.stringify([error.message, error.hint, error.facts])).not.toContain('hunter');
    }
    const error = await failureOf(
      loadText('{"catalog": "postgres://u:hunter2222@h/d" x}', { name: 'tenantctl.config.json' }),
    );
    expect(error.message).not.toContain('hunter');
  });

  test('secrets are known to the redaction once loaded', async () => {
    const env = { PW: 'swordfish-1', KEY: 'key-material-2' };
    const clusters = 'clusters: { main: { url: "postgres://u:${PW}@h/d" } }';
    await loadText(`catalog: local\n${clusters}\nsigning: { key: "\${KEY}" }`, { env });
    expect(redact('a swordfish-1 b key-material-2')).toBe('a *** b ***');
  });
});
