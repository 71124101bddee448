import type { DoctorRule } from '../doctor-rule.js';

/** What nobody claims, and what has come back. */
export const UNCLAIMED_RULES: readonly DoctorRule[] = [
  {
    name: 'orphan-schema',
    level: 'warning',
    summary: 'a schema named like a tenant’s that nobody knows',
    explanation:
      'It may hold rows of somebody who was to be deleted, and it is in the way of a new tenant of that name. It was made or restored by hand, or its local placement was taken away.',
    remedy: 'Look at what is in it, and drop it by hand, or take it in.',
    mends: null,
  },
  {
    name: 'orphan-database',
    level: 'warning',
    summary: 'a database named like a tenant’s that the catalog does not know',
    explanation:
      'It may hold rows of somebody who was to be deleted, it counts for limits and backups, and it is in the way of a new tenant of that name. The finding says what the database itself says of who lives there.',
    remedy: 'Look at what is in it, and drop it by hand; if it is a lost tenant’s, make the catalog again.',
    mends: null,
  },
  {
    name: 'orphan-role',
    level: 'warning',
    summary: 'a role of a tenant that no home uses',
    explanation:
      'A process died between dropping a home and dropping its role. It cannot log in and has rights on nothing, but the next home of that name would find it.',
    remedy: '`tenantctl doctor --fix`.',
    mends: 'drop the role, which has rights on nothing',
  },
  {
    name: 'half-made-template',
    level: 'info',
    summary: 'a template of databases that was never finished',
    explanation:
      'Databases of tenants are copies of a template. Whoever was filling this one has died; it never held a tenant, and the next one is made from the migrations.',
    remedy: '`tenantctl doctor --fix`.',
    mends: 'drop the template',
  },
  {
    name: 'replication-slot',
    level: 'warning',
    summary: 'a replication slot that nobody reads',
    explanation:
      'The server keeps every log file since it was left, until the disk is full, and a database with a logical slot cannot be dropped. This tool makes none.',
    remedy: 'If its reader does not come back, drop the slot as a role with REPLICATION.',
    mends: null,
  },
  {
    name: 'deleted-tenant-is-back',
    level: 'error',
    summary: 'a deleted tenant that a backup has brought back',
    explanation:
      'A certificate says that its rows are gone, and here they are again: a database, a schema, rows with its key, or its local placement. A backup from before the deletion was restored.',
    remedy:
      'Run the statements of the finding, which delete it again. `--fix` does not: no plan has counted what is deleted, and no hold was asked about.',
    mends: null,
  },
];
