import type { DoctorRule } from '../doctor-rule.js';

/** What was begun and stands still: what a process leaves that has died, hangs or was stopped. */
export const BEGUN_RULES: readonly DoctorRule[] = [
  {
    name: 'half-provisioned',
    level: 'warning',
    summary: 'a tenant that was begun, at which nobody is at work',
    explanation: 'The process that made it has died. The tenant is not served, and its id is taken.',
    remedy: 'The same `tenantctl provision` or `restore` finishes it.',
    mends: null,
  },
  {
    name: 'hook-owed',
    level: 'warning',
    summary: 'a tenant that is ready, and whose hooks have not run',
    explanation:
      'The process died between the two, or a hook failed: whatever `hooks.afterProvision` tells of new tenants does not know of this one.',
    remedy: 'The same `tenantctl provision` or `restore` runs what is owed, and nothing else.',
    mends: null,
  },
  {
    name: 'run-stuck',
    level: 'warning',
    summary: 'a run that no process drives',
    explanation:
      'The lock of its driver is free, so that process is dead. No other run can begin until this one is finished or ended.',
    remedy: '`tenantctl runs resume` goes on with it; `tenantctl runs abort` ends it where it stands.',
    mends: null,
  },
  {
    name: 'stale-claim',
    level: 'warning',
    summary: 'a migration that is begun on a unit, at which nobody is at work',
    explanation:
      'Locks go with the session of a process that dies, and the lease of a move is over after 30 seconds. The row by which a migration outside a transaction, or in batches, claims its unit stays: half of the migration may be there. The run may have been aborted since.',
    remedy: '`tenantctl migrate` goes on where it stopped; `tenantctl runs explain` says why it did.',
    mends: null,
  },
  {
    name: 'move-stuck',
    level: 'warning',
    summary: 'a move whose driver gives no sign of life',
    explanation:
      'Its lease is over: the process has died or hangs. Its units are not migrated meanwhile, and writes go on being marked. Where the tenant has left its home already it is refused everywhere until the move goes on; then this is an error.',
    remedy:
      '`tenantctl moves resume` goes on with it; before the cut-over `tenantctl moves abort` takes it back.',
    mends: null,
  },
  {
    name: 'move-leftovers',
    level: 'error',
    summary: 'triggers, functions and marks of a move that is over',
    explanation:
      'They go on marking or refusing writes for nobody. The move was ended while a home could not be reached, or a database was restored from the time of the move.',
    remedy: '`tenantctl doctor --fix`.',
    mends: 'remove what the move has left; no row of a tenant is touched',
  },
  {
    name: 'stranded-home',
    level: 'error',
    summary: 'a home that a move has left, although no move of its tenant is under way',
    explanation:
      'It may hold a copy of the tenant’s rows that nobody migrates, exports or deletes. The database was restored from before the old copy was deleted.',
    remedy:
      'See with `tenantctl moves list` how the moves of the tenant ended; look at the copy, and drop it by hand.',
    mends: null,
  },
  {
    name: 'silent-trigger',
    level: 'warning',
    summary: 'a trigger that a move has silenced and not put back',
    explanation:
      'While a tenant is copied into a home, triggers there do not fire for the administrator. No move is left that would put this one back; it fires for everybody else.',
    remedy: 'Make it anew with the definition that your migrations give it.',
    mends: null,
  },
  {
    name: 'offboarding-stuck',
    level: 'warning',
    summary: 'an offboarding at which nobody is at work',
    explanation:
      'The process died before the tenant was exported or its home was closed: no day of deletion is set, and the home may still be open.',
    remedy: '`tenantctl offboard <id>` goes on; with `--cancel` it brings the tenant back.',
    mends: null,
  },
  {
    name: 'deletion-stuck',
    level: 'warning',
    summary: 'a deletion at which nobody is at work',
    explanation:
      'The process died, or its budget of time or rows was spent. Some rows are deleted, there is no certificate, and what was promised is not kept yet.',
    remedy: '`tenantctl retention run <id> --yes` goes on with it.',
    mends: null,
  },
  {
    name: 'idle-session',
    level: 'warning',
    summary: 'a session of this tool that keeps locks or a transaction, and does nothing',
    explanation:
      'The server ends the session of a killed process within seconds; that of a stopped process, or of a machine that sleeps, stays with its locks, and others wait. It is told after an hour: a copy, a deletion and a pause between waves look the same.',
    remedy: 'If no command is at work, end the process, or its session with the statement of the finding.',
    mends: null,
  },
];
