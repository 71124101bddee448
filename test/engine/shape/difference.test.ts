import { expect, test } from 'vitest';
import { differenceOf } from '../../../src/engine/shape/difference.js';
import { type Shape, type ShapeLine, groupByShape } from '../../../src/engine/shape/shape.js';

const shape = (...lines: [ShapeLine['kind'], string, string?][]): Shape => ({
  fingerprint: JSON.stringify(lines),
  lines: lines.map(([kind, name, definition = '']) => ({ kind, name, definition })),
});

test('equal shapes have no difference', () => {
  const one = shape(['table', 'invoice'], ['column', 'invoice.total', 'numeric(10,2)']);
  expect(differenceOf(one, one)).toEqual([]);
});

test('columns are told by table and name', () => {
  const expected = shape(
    ['table', 'invoice'],
    ['column', 'invoice.due_on', 'date'],
    ['column', 'invoice.total', 'numeric(10,2)'],
  );
  const actual = shape(
    ['table', 'invoice'],
    ['column', 'invoice.note', 'text'],
    ['column', 'invoice.total', 'numeric(12,2)'],
  );
  expect(differenceOf(expected, actual)).toEqual([
    'table invoice lacks column due_on',
    'column invoice.note is extra',
    'column invoice.total is numeric(12,2), not numeric(10,2)',
  ]);
});

test('a whole table is one sentence, whatever belongs to it', () => {
  const table = shape(
    ['table', 'pay ment'],
    ['column', 'pay ment.id', 'bigint'],
    ['constraint', 'pay ment.payment_pkey', 'PRIMARY KEY (id)'],
    ['index', 'payment_pkey', 'CREATE UNIQUE INDEX payment_pkey ON "pay ment" USING btree (id)'],
    ['index', 'payment_idx', 'CREATE INDEX payment_idx ON ONLY "pay ment" USING btree (id)'],
    ['policy', 'pay ment.mine', 'permissive for all'],
  );
  expect(differenceOf(table, shape())).toEqual(['table pay ment is missing']);
  expect(differenceOf(shape(), table)).toEqual(['table pay ment is extra']);
});

test('a constraint that brings an index is told once', () => {
  const with_ = shape(
    ['table', 't'],
    ['constraint', 't.t_key', 'UNIQUE (a)'],
    ['index', 't_key', 'CREATE UNIQUE INDEX t_key ON t USING btree (a)'],
  );
  expect(differenceOf(with_, shape(['table', 't']))).toEqual(['constraint t_key of t is missing']);
});

test.each([
  ['constraint', 't.c', 'CHECK (a > 0)', 'CHECK (a > 0) NOT VALID', 'constraint c of t is not validated'],
  ['index', 'i', 'CREATE INDEX i', 'CREATE INDEX i (invalid)', 'index i is invalid'],
  ['trigger', 't.g', 'CREATE TRIGGER g', 'CREATE TRIGGER g (disabled)', 'trigger g of t is disabled'],
  ['trigger', 't.g', 'CREATE TRIGGER g (disabled)', 'CREATE TRIGGER g', 'trigger g of t is enabled'],
  ['enum', 'mood', "'ok'", "'ok', 'sad'", "enum mood differs: it is 'ok', 'sad', not 'ok'"],
  [
    'table',
    't',
    'row level security enabled',
    '',
    'table t differs: it is nothing, not row level security enabled',
  ],
  [
    'function',
    'f(integer)',
    'begin\n return 1;\nend',
    'begin\n return 2;\nend',
    'function f(integer) differs: line 2 is return 2;, not return 1;',
  ],
] as const)('%s %s: from %j to %j', (kind, name, before, after, sentence) => {
  expect(differenceOf(shape([kind, name, before]), shape([kind, name, after]))).toEqual([sentence]);
});

test('units are grouped by shape, the largest group first', () => {
  const fingerprints = new Map([
    ['a', 'x'],
    ['b', 'y'],
    ['c', 'y'],
    ['d', 'w'],
  ]);
  expect(groupByShape(fingerprints)).toEqual([
    { fingerprint: 'y', members: ['b', 'c'] },
    { fingerprint: 'w', members: ['d'] },
    { fingerprint: 'x', members: ['a'] },
  ]);
});
