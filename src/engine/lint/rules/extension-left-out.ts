import type { LintRule } from '../rule.js';

export const extensionLeftOut: LintRule = {
  name: 'extension-left-out',
  check: 'migrations',
  level: 'info',
  down: true,
  summary: 'A part of what the file asks of an extension is not done.',
  explanation:
    'CREATE EXTENSION is done once a database, in `tenancy.extensionsSchema`; its SCHEMA and VERSION, and ALTER EXTENSION, would have one tenant decide for all, and are left out.',
  remedy: 'Write CREATE EXTENSION alone; do the rest by hand, once a database.',
  bad: "create extension citext schema public version '1.6';",
  good: 'create extension citext;',
  file: ({ script }) => {
    const refused = new Set(script.adapted?.shared.map(({ offset }) => offset));
    return (script.adapted?.ignored ?? [])
      .filter(({ offset }) => !refused.has(offset))
      .map(({ offset, text }) => ({ at: offset, message: `${text}.` }));
  },
};
