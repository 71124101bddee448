import { defineCommand } from '../command.js';

export const retentionList = defineCommand({
  path: ['retention', 'list'],
  summary: 'what is due for deletion, what is scheduled, what is on hold',
  examples: [{ run: 'tenantctl retention list', does: 'by the clock of the catalog’s server, in UTC' }],
  needs: 'fleet',
  changes: false,
});

export const retentionRun = defineCommand({
  path: ['retention', 'run'],
  summary: 'delete what is due, look again, and write a certificate for each',
  description:
    'Rows leave a pool in small batches, so that its other tenants do not wait; schemas and databases are dropped. Afterwards another role looks over every database of the cluster, and only when it finds nothing is the tenant called deleted. Killed or interrupted, the next call goes on. Nothing on hold is deleted.',
  arguments: { id: { summary: 'these tenants alone; they must be due', variadic: true, optional: true } },
  options: {
    max: {
      type: 'integer',
      value: 'number',
      configEnv: 'TENANTCTL_RETENTION_MAX',
      summary: 'with more tenants due than this nothing is deleted (exit 6)',
    },
    maxTime: {
      type: 'duration',
      value: 'duration',
      summary: 'begin no other batch after this; exit 7 if something is left',
    },
    maxRows: { type: 'integer', value: 'number', summary: 'the same for rows' },
  },
  examples: [
    { run: 'tenantctl retention run --dry-run', does: 'what would go' },
    { run: 'tenantctl retention run --yes', does: 'from cron: everything that is due, one after the other' },
    { run: 'tenantctl retention run acme --yes', does: 'one tenant' },
    { run: 'tenantctl retention run --max-time 1h --yes', does: 'and leave the rest to the next night' },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Delete what is due? There is no way back.' },
});

export const retentionHold = defineCommand({
  path: ['retention', 'hold'],
  summary: 'place a legal hold: nothing of the tenant is deleted while it stands',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [
    {
      run: 'tenantctl retention hold acme --reason "case 2026-17" --actor legal@example.org',
      does: 'stops a deletion that is at work as well, at its next batch',
    },
  ],
  needs: 'fleet',
  changes: true,
});

export const retentionRelease = defineCommand({
  path: ['retention', 'release'],
  summary: 'release the legal holds of a tenant',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [
    {
      run: 'tenantctl retention release acme --reason "case 2026-17 closed" --actor legal@example.org',
      does: 'what is due is deleted by the next `retention run`',
    },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Release the legal holds of tenant {id}?' },
});
