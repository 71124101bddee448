import { type Tree, findAll, partsOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

export const enumValueUsedAtOnce: LintRule = {
  name: 'enum-value-used-at-once',
  check: 'migrations',
  level: 'error',
  summary:
    'A value that was added to an enum cannot be used in the same transaction: the file fails in every home.',
  explanation:
    'PostgreSQL refuses it (55P04), unless the type is made in the same transaction. The string is looked for in the statements behind ALTER TYPE … ADD VALUE.',
  remedy: 'Use the value in the next migration file.',
  bad: "alter type payment_method add value 'sepa';\nalter table invoice alter column paid_with set default 'sepa';",
  good: "-- 0002_sepa.sql\nalter type payment_method add value 'sepa';\n-- 0003_sepa_default.sql\nalter table invoice alter column paid_with set default 'sepa';",
  file: ({ script }) => {
    if (script.directives.noTransaction) return [];
    const made = new Set<string>();
    const added = new Set<string>();
    return script.steps.flatMap(({ kind, body, command, at }) => {
      if (kind === 'CreateEnumStmt') made.add(typeIn(body));
      if (kind === 'AlterEnumStmt' && body['oldVal'] === undefined && !made.has(typeIn(body)))
        added.add(String(body['newVal']));
      if (added.size === 0 || kind === 'AlterEnumStmt') return [];
      const words = stringsIn(command);
      return [...added]
        .filter((value) => words.has(value))
        .map((value) => ({
          at,
          message: `'${value}' was added to an enum in the same transaction: using it fails with 55P04.`,
        }));
    });
  },
};

const typeIn = (body: Tree): string => partsOf(body['typeName']).at(-1) ?? '';

function stringsIn(tree: Tree): ReadonlySet<string> {
  return new Set(
    findAll(tree, 'A_Const').flatMap(({ sval }) => (sval as { sval?: string } | undefined)?.sval ?? []),
  );
}
