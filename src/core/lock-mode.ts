/** PostgreSQL's table locks, weakest first. */
export const LOCK_MODES = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** Whom a lock keeps waiting. */
export type Blocked = 'nothing' | 'writers' | 'readers and writers';

const AND_STRONGER = (mode: LockMode): LockMode[] => LOCK_MODES.slice(LOCK_MODES.indexOf(mode));

const CONFLICTS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  'ACCESS SHARE': AND_STRONGER('ACCESS EXCLUSIVE'),
  'ROW SHARE': AND_STRONGER('EXCLUSIVE'),
  'ROW EXCLUSIVE': AND_STRONGER('SHARE'),
  'SHARE UPDATE EXCLUSIVE': AND_STRONGER('SHARE UPDATE EXCLUSIVE'),
  SHARE: ['ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE', ...AND_STRONGER('SHARE ROW EXCLUSIVE')],
  'SHARE ROW EXCLUSIVE': AND_STRONGER('ROW EXCLUSIVE'),
  EXCLUSIVE: AND_STRONGER('ROW SHARE'),
  'ACCESS EXCLUSIVE': LOCK_MODES,
};

/** The modes that another session must not hold while one of ours takes `mode`. */
export function conflictsOf(mode: LockMode): readonly LockMode[] {
  return CONFLICTS[mode];
}

/** A plain SELECT reads under ACCESS SHARE; INSERT, UPDATE and DELETE write under ROW EXCLUSIVE. */
export function blockedBy(mode: LockMode): Blocked {
  if (CONFLICTS[mode].includes('ACCESS SHARE')) return 'readers and writers';
  return CONFLICTS[mode].includes('ROW EXCLUSIVE') ? 'writers' : 'nothing';
}

/** The stronger of two locks. */
export function stronger(one: LockMode, other: LockMode): LockMode {
  return LOCK_MODES.indexOf(one) >= LOCK_MODES.indexOf(other) ? one : other;
}
