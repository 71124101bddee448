import type { LintRule } from '../rule.js';

export const missingDownFile: LintRule = {
  name: 'missing-down-file',
  check: 'migrations',
  level: 'warning',
  summary: 'There is no way back: `tenantctl rollback` stops before this migration.',
  explanation:
    'A rollout that is to be rolled back on failure does not even begin. A file that says `-- tenantctl: irreversible` means it. Where no migration of a directory has a way back, as with Prisma and Drizzle, nothing is said.',
  remedy: 'Write the way back (`down/<the same file name>`), or say `-- tenantctl: irreversible`.',
  bad: 'alter table invoice add column note text;',
  good: '-- tenantctl: irreversible\nalter table invoice add column note text;',
  file: ({ script: { way, migration, directives, statements }, anyDown }) => {
    if (way === 'down' || migration.down !== null || directives.irreversible || !anyDown) return [];
    return [
      {
        at: statements[0]?.start ?? 0,
        message: `${migration.name} has no way back and does not say that it is irreversible.`,
      },
    ];
  },
};
