import { beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { useServer } from '../../../support/server.js';
import { type PreflightFleet, customer, placesOf, preflightFleet } from './support.js';

const server = useServer();
let fleet: PreflightFleet;
let acme: Tenant;
let resident: Tenant;
const toSchema = { id: 'acme', to: 'schema' } as const;
let toSecond: { id: string; to: 'pool'; pool: string };

const both = async (statements: string): Promise<void> => {
  await fleet.own(fleet.pool, statements);
  await fleet.own(fleet.second, statements);
};

beforeAll(async () => {
  fleet = await preflightFleet(server.current);
  acme = await fleet.tenant('acme', 'pool');
  toSecond = { id: 'acme', to: 'pool', pool: `${acme.pool}second` };
  resident = await fleet.tenant('resident', 'pool', toSecond.pool);
  await fleet.run(fleet.pool, customer(acme.key, 1, 'same@example.com') + customer(acme.key, 2));
  await fleet.run(fleet.second, customer(resident.key, 5, 'same@example.com'));
});

test('unique keys that hold the tenant column are kept by every home', async () => {
  expect([...(await fleet.findings(toSchema)), ...(await fleet.findings(toSecond))]).toEqual([]);
});

test('a key that is unique among all tenants is weakened by leaving the pool', async () => {
  await both('create unique index email_anywhere on customer (email)');
  const weakened = await fleet.findings(toSchema, 'unique-key-weakened');
  await both('drop index email_anywhere');
  expect(placesOf(weakened)).toEqual(['warning customer.email_anywhere']);
  expect(weakened[0]?.hint).toContain('create unique index on "customer" ("tenant_id", email);');
});

test('a key of nothing but uuids is unique wherever it is', async () => {
  await both('create unique index token_anywhere on journal (token)');
  const found = await fleet.findings(toSchema);
  await both('drop index token_anywhere');
  expect(found).toEqual([]);
});

test('a value that a tenant of the new pool has already cannot come in', async () => {
  await both('create unique index email_anywhere on customer (email)');
  const taken = await fleet.findings(toSecond, 'unique-value-taken');
  expect(placesOf(taken)).toEqual(['error customer.email_anywhere']);
  expect(taken[0]?.message).toContain('Value (same@example.com)');
  await fleet.run(fleet.second, `update customer set email = 'another@example.com'`);
  const free = await fleet.findings(toSecond, 'unique-value-taken');
  await fleet.run(fleet.second, `update customer set email = 'same@example.com'`);
  await both('drop index email_anywhere');
  expect(free).toEqual([]);
});

test('values of expressions are compared as the index does, and only where its condition holds', async () => {
  await fleet.run(fleet.second, `update customer set email = 'SAME@example.com'`);
  await both('create unique index email_lower on customer (lower(email)) where score is not null');
  const outside = await fleet.findings(toSecond, 'unique-value-taken');
  await fleet.run(fleet.second, 'update customer set score = 1');
  await fleet.run(fleet.pool, 'update customer set score = 1');
  const inside = await fleet.findings(toSecond, 'unique-value-taken');
  await both('drop index email_lower');
  expect([placesOf(outside), placesOf(inside)]).toEqual([[], ['error customer.email_lower']]);
});

test('empty values meet only where the index says that they are equal', async () => {
  await both(
    'alter table customer add column code text; create unique index code_anywhere on customer (code)',
  );
  await fleet.run(fleet.pool, 'update customer set code = id::text where id > 1');
  const apart = await fleet.findings(toSecond, 'unique-value-taken');
  await both(
    'drop index code_anywhere; create unique index code_anywhere on customer (code) nulls not distinct',
  );
  const equal = await fleet.findings(toSecond, 'unique-value-taken');
  await both('alter table customer drop column code');
  expect([placesOf(apart), placesOf(equal)]).toEqual([[], ['error customer.code_anywhere']]);
});
