import { beforeAll, describe, expect, test } from 'vitest';
import { type Condition, readCondition } from '../../../src/engine/isolation/condition.js';
import { loadParser } from '../../../src/engine/ledger/parser.js';

beforeAll(loadParser);

const TENANT = `(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid`;
const HELD = `(tenant_id = ${TENANT})`;

function read(text: string): Condition {
  return readCondition(text, 'tenant_id');
}

describe('a condition that holds rows to the tenant', () => {
  test.each([
    HELD,
    `(${TENANT} = tenant_id)`,
    `(${HELD} AND (status = 'open'::text))`,
    `((${HELD} AND open) OR (${HELD} AND (owner = CURRENT_USER)))`,
    `(tenant_id = ( SELECT ${TENANT} AS tenant))`,
    `(tenant_id = app.current_tenant())`,
    `app.is_mine(tenant_id)`,
    `(tenant_id IN ( SELECT m.tenant FROM app.member m))`,
    `CASE WHEN open THEN ${HELD} ELSE false END`,
    'false',
  ])('%s', (text) => {
    expect(read(text)).toMatchObject({ holdsTenant: true, alwaysTrue: false, failsOpen: false });
  });
});

describe('a condition that lets rows of others pass', () => {
  test.each([
    `(tenant_id IS NOT NULL)`,
    `(tenant_id = tenant_id)`,
    `(tenant_id = '6f1c0000-0000-4000-8000-000000000000'::uuid)`,
    `(tenant_id <> ${TENANT})`,
    `(NOT ${HELD})`,
    `(${HELD} OR public)`,
    `CASE WHEN open THEN true ELSE ${HELD} END`,
    `(owner = CURRENT_USER)`,
  ])('%s', (text) => {
    expect(read(text)).toMatchObject({ holdsTenant: false, failsOpen: false });
  });
});

test.each(['true', `(${HELD} OR true)`, '(1 = 1)', `('a'::text = 'a'::text)`])(
  'true for every row: %s',
  (text) => {
    expect(read(text)).toMatchObject({ alwaysTrue: true, holdsTenant: false });
  },
);

test.each([
  `((${TENANT} IS NULL) OR ${HELD})`,
  `((current_setting('app.tenant_id'::text, true) = ''::text) OR ${HELD})`,
  `(tenant_id = COALESCE(${TENANT}, tenant_id))`,
])('true for a session without a tenant: %s', (text) => {
  expect(read(text)).toMatchObject({ failsOpen: true, holdsTenant: false });
});

test.each([
  `(tenant_id = (current_setting('app.tenant_id'::text))::uuid)`,
  `(tenant_id = (current_setting('app.tenant_id'::text, true))::uuid)`,
  `(tenant_id = (NULLIF(current_setting('app.tenant_id'::text), ''::text))::uuid)`,
])('a setting read bare: %s', (text) => {
  expect(read(text)).toMatchObject({ bareSetting: true, holdsTenant: true, settings: ['app.tenant_id'] });
});

test('a setting that is compared as text does not throw while it is empty', () => {
  expect(read(`(tenant_name = current_setting('app.tenant_id'::text, true))`).bareSetting).toBe(false);
});
