import { addedConstraints, columnOf } from '../constraints.js';
import type { LintRule } from '../rule.js';

/** Constraints that give the rows which are there a value. */
const GIVES_A_VALUE = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED']);
const NUMBERED = /^(small|big)?serial\d?$/;

export const notNullWithoutDefault: LintRule = {
  name: 'not-null-without-default',
  check: 'migrations',
  level: 'error',
  summary: 'A new column that must hold a value and has no default fails in every home that has rows.',
  explanation:
    'The rows that are there would hold NULL. It succeeds in an empty home and fails in the others. The release that runs meanwhile does not name the column in its inserts, which fail as well.',
  remedy:
    'Give the column a constant default, or add it without NOT NULL, fill it in batches and require it later.',
  bad: 'alter table invoice add column currency text not null;',
  good: "alter table invoice add column currency text not null default 'EUR';",
  step: (step) => {
    if (step.action !== 'AT_AddColumn' || !step.old) return [];
    const kinds = addedConstraints(step).map(({ kind }) => kind);
    const required = kinds.includes('CONSTR_NOTNULL') || kinds.includes('CONSTR_PRIMARY');
    if (!required || kinds.some((kind) => GIVES_A_VALUE.has(kind)) || isNumbered(step.command)) return [];
    return [
      {
        at: step.at,
        message: `Column ${columnOf(step)} would be NULL in the rows that ${step.table} has: it fails there.`,
      },
    ];
  },
};

function isNumbered(command: Readonly<Record<string, unknown>>): boolean {
  const { ColumnDef: column } = command['def'] as {
    ColumnDef?: { typeName?: { names?: { String?: { sval?: string } }[] } };
  };
  return NUMBERED.test(column?.typeName?.names?.at(-1)?.String?.sval ?? '');
}
