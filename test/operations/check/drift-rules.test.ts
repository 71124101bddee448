import { expect, test } from 'vitest';
import type { UnitRecord } from '../../../src/engine/catalog/units.js';
import { DRIFT_RULES, STATE_RULES } from '../../../src/operations/check/drift-rules/registry.js';
import { readStates } from '../../../src/operations/check/drift/states.js';
import { query, useServer } from '../../support/server.js';
import { engineSession } from '../../support/session.js';
import { driftFaults } from './drift-faults.js';

const server = useServer({ autovacuum: 'off' });

/** Rules that are found, by name, in a schema in which this was run. */
async function foundAfter(text: string): Promise<string[]> {
  const url = server.current.superuserUrl('postgres');
  await query(url, `drop schema if exists home cascade; create schema home; set search_path = home; ${text}`);
  const connection = await engineSession(server.current, 'postgres');
  const unit = { id: 'schema:home', cluster: 'main', database: 'postgres', schema: 'home' } as UnitRecord;
  try {
    const states = await readStates(connection, new Map([['home', unit]]), STATE_RULES);
    return states.map(({ by }) => by.rule.name);
  } finally {
    await connection.close();
  }
}

test.each(STATE_RULES.map((state) => [state.rule.name, state] as const))(
  '%s is found in its bad example, and in its good one nothing is',
  async (name, { rule }) => {
    const major = Number.parseInt(server.current.version, 10);
    const known = !rule.bad.includes('not enforced') || major >= 18;
    expect(known ? await foundAfter(rule.bad) : [name]).toEqual([name]);
    expect(await foundAfter(rule.good)).toEqual([]);
  },
);

test('each rule has a name of its own, and a fault of the fixtures or an example that finds it', () => {
  const names = DRIFT_RULES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const proved = new Set([
    ...driftFaults(18).flatMap(({ rules }) => rules),
    ...STATE_RULES.map(({ rule }) => rule.name),
  ]);
  expect(names.filter((name) => !proved.has(name))).toEqual([]);
});
