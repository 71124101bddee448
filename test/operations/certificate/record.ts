import { randomUUID } from 'node:crypto';
import type { StoredOffboarding } from '../../../src/engine/catalog/offboardings.js';
import type { DeletionRecord } from '../../../src/operations/certificate/issue.js';

export const OWNER = 'jane.doe@acme.example';
export const REQUESTER = 'Jane Doe';
export const REASON = 'Jane asked by phone';
export const KEY = '5a1c9f5e-0c1b-4f57-8d1e-6f0a1b2c3d4e';

/** A request that fell due an hour ago. */
export function offboardingOf(tenant: string, changes: Partial<StoredOffboarding> = {}): StoredOffboarding {
  return {
    offboarding: randomUUID(),
    tenant,
    state: 'purged',
    requestedBy: REQUESTER,
    reason: REASON,
    basis: 'GDPR Art. 17',
    ticket: 'T-42',
    statusBefore: 'active',
    requestedAt: '2026-10-01T12:00:00Z',
    retainMs: 30 * 86_400_000,
    dueAt: '2026-10-31T12:00:00Z',
    due: true,
    export: {
      directory: '/srv/exports/acme',
      manifestSha256: 'a'.repeat(64),
      rows: 12,
      bytes: 3_456,
      finishedAt: '2026-10-01T12:05:00Z',
    },
    begunAt: '2026-10-31T13:00:00Z',
    finishedAt: null,
    wantsExport: true,
    progress: {},
    ...changes,
  };
}

/** What a deletion of a pool tenant would have found and done. */
export function recordOf(id: string, changes: Partial<DeletionRecord> = {}): DeletionRecord {
  return {
    tenant: { id, tier: 'pool', key: KEY, owner: OWNER },
    withoutExport: 'the request asked for none',
    holdCheck: { at: '2026-10-31T13:00:00Z', held: false, placementsRead: 1 },
    scope: [{ cluster: 'main', database: 'app_shared', schema: 'app', found: 'its home' }],
    deletion: { begunAt: '2026-10-31T13:00:00Z', endedAt: '2026-10-31T13:00:09Z' },
    objects: [
      {
        place: 'main/app_shared',
        object: 'app.invoice',
        kind: 'table',
        rowsBefore: 12,
        action: 'rows deleted',
        rowsAfter: 0,
        batches: 1,
        firstTxid: '812',
        lastTxid: '812',
        lsn: '0/1A2B3C8',
      },
      {
        place: 'main/app_shared',
        object: 'app.totals',
        kind: 'materialized view',
        rowsBefore: null,
        action: 'filled again',
        rowsAfter: null,
        batches: null,
        firstTxid: null,
        lastTxid: null,
        lsn: null,
      },
    ],
    rescan: {
      at: '2026-10-31T13:00:10Z',
      clusters: ['main'],
      databases: 3,
      readers: [{ role: 'tenantctl_rescan', tables: 18 }],
      rowsFound: 0,
      notRead: [],
      control: { at: '2026-10-31T12:59:59Z', expected: 12, found: 12 },
    },
    residue: {
      servers: [
        {
          cluster: 'main',
          at: '2026-10-31T13:00:10Z',
          walLsn: '0/1A2B400',
          walKeptBytes: 16_777_216,
          archiving: false,
          slots: [{ name: 'standby', restartLsn: '0/1A00000' }],
          replicas: [{ name: 'standby', replayLsn: '0/1A2B400', past: true }],
        },
      ],
      tables: [{ table: 'app.invoice', deadRows: 12, lastVacuum: null, analyzed: true }],
      backups: [
        {
          name: 'nightly',
          clusters: ['main'],
          expireAfterMs: 3_024_000_000,
          expiresAt: '2026-12-05T13:00:09Z',
        },
      ],
      notCovered: ['Log files, caches and copies outside these clusters are not covered.'],
    },
    ...changes,
  };
}
