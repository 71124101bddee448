import { describe, expect, test } from 'vitest';
import { differenceOf } from '../../../src/engine/pools/differences.js';
import type { PoolTable } from '../../../src/engine/pools/tables.js';

const open = (name: string, more: Partial<PoolTable> = {}): PoolTable => ({
  oid: 1,
  name,
  owner: 'jo',
  listed: name,
  tenanted: true,
  required: true,
  rls: false,
  forced: false,
  tenant: false,
  guard: false,
  fleet: false,
  users: false,
  ...more,
});
const held = (name: string, more: Partial<PoolTable> = {}): PoolTable =>
  open(name, { rls: true, forced: true, tenant: true, fleet: true, ...more });

const named = (mode: 'enforce' | 'require' | 'observe' | 'off', enforce: string[], tables: PoolTable[]) => {
  const difference = differenceOf({ mode, enforce }, tables, 'tenant_id');
  return {
    enforce: difference.enforce.map(({ table }) => table.name),
    open: difference.open.map(({ name }) => name),
    problems: difference.problems,
  };
};

describe('in what a pool differs from its entry in the configuration', () => {
  test.each([
    ['observe', ['note'], [open('note'), open('item')], { enforce: ['note'], open: [], problems: [] }],
    ['observe', ['note'], [held('note'), open('item')], { enforce: [], open: [], problems: [] }],
    ['observe', [], [held('note')], { enforce: [], open: ['note'], problems: [] }],
    ['off', [], [held('note')], { enforce: [], open: ['note'], problems: [] }],
    ['enforce', [], [open('note'), held('item')], { enforce: ['note'], open: [], problems: [] }],
    ['require', [], [open('note')], { enforce: [], open: [], problems: [] }],
  ] as const)('%s with %j', (mode, enforce, tables, difference) => {
    expect(named(mode, [...enforce], [...tables])).toEqual(difference);
  });

  test('policies of the user hold a table only beside our restrictive one, and are never taken off', () => {
    const users = open('note', { rls: true, forced: true, users: true, fleet: true });
    expect(named('enforce', [], [users]).enforce).toEqual(['note']);
    expect(named('enforce', [], [{ ...users, guard: true }]).enforce).toEqual([]);
    expect(named('observe', [], [users]).open).toEqual([]);
  });

  test('a partition follows the table that it is a part of; what cannot be enforced is told', () => {
    const part = open('event_1', { listed: 'event' });
    const tables = [open('event'), part, open('line', { tenanted: false })];
    expect(named('observe', ['event', 'line', 'gone'], tables)).toEqual({
      enforce: ['event', 'event_1'],
      open: [],
      problems: ['line: it has no column tenant_id', 'gone: there is no such table'],
    });
  });
});
