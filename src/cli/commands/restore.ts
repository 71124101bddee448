import { defineCommand } from '../command.js';
import { provision } from './provision.js';

const { plan, tier, cluster, pool, tenantKey, owner, label } = provision.options;

export const restore = defineCommand({
  path: ['restore'],
  summary: 'make a tenant of an export, or put an export in the place of the rows of one',
  description:
    'Verifies the export, brings its rows in, compares count and hash of every table with it, and only then lets anybody in. With --as a new tenant, in any tier, also beside the one it came from; with --into and --replace the rows of a tenant that is there, which are exported first. When it fails or is interrupted, the same command goes on where it stopped.',
  arguments: { dir: { summary: 'folder of the export' } },
  options: {
    as: {
      type: 'string',
      value: 'id',
      summary: 'id of the new tenant; otherwise the one in the export, where it was never used',
    },
    plan,
    tier,
    cluster,
    pool,
    tenantKey,
    owner,
    label,
    atExport: { type: 'boolean', summary: 'leave its home at the migration of the export' },
    into: { type: 'string', value: 'id', summary: 'tenant whose rows are replaced; needs --replace' },
    replace: { type: 'boolean', summary: 'put the export in the place of all rows of that tenant' },
    backup: {
      type: 'string',
      value: 'folder',
      path: true,
      summary: 'where its rows are exported before; otherwise <dir>-replaced-<id>',
    },
    key: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'public key that the export must be signed with',
    },
  },
  examples: [
    {
      run: 'tenantctl restore exports/acme --as acme-restored --tier pool',
      does: 'beside its living original',
    },
    {
      run: 'tenantctl restore exports/acme --as acme2 --plan pro --dry-run',
      does: 'rows, tables, place and versions, without a change',
    },
    {
      run: 'tenantctl restore exports/acme --into acme --replace --confirm acme',
      does: 'for a tenant that has deleted its own rows',
    },
  ],
  needs: 'fleet',
  changes: true,
  confirms: {
    question: 'Replace every row of tenant {into}? What it has now is exported first.',
    typed: 'into',
    beside: ['into', 'replace'],
  },
});
