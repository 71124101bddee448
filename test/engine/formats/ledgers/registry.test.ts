import { expect, test } from 'vitest';
import { LEDGER_TOOLS } from '../../../../src/core/adoption.js';
import { LEDGER_TABLE_NAMES, TOOL_LEDGERS } from '../../../../src/engine/formats/ledgers/registry.js';

test('every tool has one reader', () => {
  expect(TOOL_LEDGERS.map(({ tool }) => tool).sort()).toEqual([...LEDGER_TOOLS].sort());
});

test.each(TOOL_LEDGERS)(
  'the ledger of $tool counts as none of the unit’s data',
  ({ table, marks, columns }) => {
    const has = new Set([...marks, ...columns]);
    const listed = LEDGER_TABLE_NAMES.filter(({ name }) => name === table);
    expect(listed.some((one) => one.columns.every((column) => has.has(column)))).toBe(true);
  },
);

test('two tools that call their tables alike are told by their columns, or else by the files', () => {
  const alike = TOOL_LEDGERS.filter(({ table }) => table === 'schema_migrations' || table === 'migrations');
  const fitting = (columns: readonly string[]) =>
    alike
      .filter(
        ({ marks, lacks }) =>
          marks.every((mark) => columns.includes(mark)) && !lacks.some((mark) => columns.includes(mark)),
      )
      .map(({ tool }) => tool);
  expect(fitting(['id', 'name', 'hash', 'executed_at'])).toEqual(['postgres-migrations']);
  expect(fitting(['id', 'migration', 'batch'])).toEqual(['laravel']);
  expect(fitting(['version', 'dirty'])).toEqual(['golang-migrate']);
  expect(fitting(['version'])).toEqual(['rails', 'dbmate']);
});
