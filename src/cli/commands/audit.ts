import { defineCommand } from '../command.js';

const CHECKPOINT_FILE = {
  type: 'string',
  value: 'file',
  path: true,
} as const;

export const auditList = defineCommand({
  path: ['audit', 'list'],
  summary: 'who did what to which tenant, when and why',
  description:
    'Entries in the order in which they were written, the newest last. Without --since and --after these are the newest; with one of them the page begins there.',
  options: {
    tenant: { type: 'string', value: 'id', summary: 'only about this tenant' },
    actor: { type: 'string', value: 'name', summary: 'only asked for by this one' },
    since: {
      type: 'string',
      value: 'duration|time',
      summary: 'since so long ago (24h), or since this time (2026-11-22T08:00:00Z)',
    },
    limit: { type: 'integer', value: 'number', default: 50, summary: 'how many on one page' },
    after: {
      type: 'integer',
      min: 0,
      value: 'entry',
      summary: 'begin behind the entry of this number; 0 is the beginning of the log',
    },
  },
  examples: [
    { run: 'tenantctl audit list --tenant acme', does: 'the newest entries about one tenant' },
    { run: 'tenantctl audit list --since 24h --actor jo', does: 'what somebody has done since yesterday' },
    {
      run: 'tenantctl audit list --after 0 --limit 1000 --json',
      does: 'the whole log in pages; data.next is the next --after',
    },
  ],
  needs: 'fleet',
  changes: false,
});

export const auditVerify = defineCommand({
  path: ['audit', 'verify'],
  summary: 'prove that the audit log is what was written: chain, head and checkpoints',
  description:
    'Walks the whole chain and names the first entry that was changed, removed or slipped in (exit 8). That its end was cut off shows only against checkpoints in a file outside the database.',
  options: {
    checkpoints: {
      ...CHECKPOINT_FILE,
      summary: 'file with checkpoints; default: audit-checkpoints.ndjson beside the configuration',
    },
    key: {
      type: 'list',
      value: 'file',
      path: true,
      summary: 'public key that signed them, as PEM; default: the one of signing.key',
    },
  },
  examples: [
    { run: 'tenantctl audit verify', does: 'from the first entry to the last' },
    {
      run: 'tenantctl audit verify --checkpoints /mnt/worm/fleet.ndjson --key audit.pub.pem',
      does: 'against checkpoints that are kept elsewhere',
    },
  ],
  needs: 'fleet',
  changes: false,
});

export const auditCheckpoint = defineCommand({
  path: ['audit', 'checkpoint'],
  summary: 'sign how the audit log stands and write that to a file outside the database',
  description:
    'Adds one signed line. Whoever cuts or rewrites the log afterwards is found out by `audit verify`. Nothing is signed that does not verify. Keep the file where nobody who administers the database can write.',
  options: {
    file: {
      ...CHECKPOINT_FILE,
      summary: 'file to add to; default: audit-checkpoints.ndjson beside the configuration',
    },
  },
  examples: [{ run: 'tenantctl audit checkpoint --file /mnt/worm/fleet.ndjson', does: 'daily, from cron' }],
  needs: 'fleet',
  changes: true,
});
