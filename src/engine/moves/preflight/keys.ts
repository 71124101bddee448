import type { PreflightRule } from './finding.js';

/** Without a key nothing says which row of the copy a changed row is. */
export const tablesWithoutKey: PreflightRule = async ({ source, method }) =>
  source.tables
    .filter(({ key }) => key.length === 0)
    .map(({ name }) => ({
      rule: 'table-without-key',
      level: method === 'offline' ? 'warning' : 'error',
      where: name,
      message: `Table ${name} has no primary key and no unique key over columns that are NOT NULL, so its changes cannot be followed.`,
      hint: 'Add a primary key with a migration, or move with --method offline, which holds writes for the whole copy.',
    }));
