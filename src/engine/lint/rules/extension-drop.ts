import type { LintRule } from '../rule.js';

export const extensionDrop: LintRule = {
  name: 'extension-drop',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary: 'An extension belongs to a database: what one file takes away is gone for all its tenants.',
  explanation:
    'DROP EXTENSION and ALTER EXTENSION … ADD or DROP are not run (exit 3), and cannot be allowed. In a down file DROP EXTENSION is left out.',
  remedy: 'Take the statement out. Drop the extension by hand, once a database, when no tenant uses it.',
  bad: 'drop extension pgcrypto;',
  good: 'create extension pgcrypto;',
  file: ({ script }) =>
    (script.adapted?.shared ?? []).map(({ offset, text }) => ({
      at: offset,
      message: `${text[0]?.toUpperCase()}${text.slice(1)}; a migration cannot take it away.`,
    })),
};
