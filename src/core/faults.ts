/**
 * Named steps at which a rehearsal may kill the process (`--fail-at`). Every step after which a
 * crash leaves something behind has a name here, and a test kills the tool at each of them.
 */
export const FAULT_POINTS = {
  'install.ledger': 'the ledger of a managed database exists, its local state does not',
  'provision.recorded': 'the catalog knows the tenant as provisioning; its home does not exist',
  'provision.database-prepared': 'the managed database exists and has its local state',
  'provision.created': 'role, grants and an empty home exist',
  'provision.database-copied': 'a database was made from the template; nobody has rights in it yet',
  'provision.database-closed': 'the new database was closed to PUBLIC; its local state names no tenant',
  'provision.migrated': 'every migration is applied; the tenant is not seeded',
  'provision.seeded': 'the seed is committed and the home is open; the catalog still says provisioning',
  'provision.activated': 'the tenant is active; its hooks have not run',
  'provision.hooked': 'the hooks have run; this is not recorded yet',
  'template.created': 'a template database is half made',
  'template.migrated': 'the template has every migration; it is not locked yet',
  'migrate.recorded': 'the run is stored; nobody drives it yet',
  'migrate.planned': 'the run has begun; no unit was touched',
  'migrate.unit-started': 'a unit has begun; nothing was sent to it',
  'migrate.unit-committed': 'one unit is migrated; the catalog does not know it',
  'migrate.wave-ended': 'every unit of a wave has ended; its gate is not passed',
  'migrate.wave-closed': 'a wave has passed its gate; the next one has not begun',
  'migrate.halted': 'the budget is spent; this is not recorded',
  'migrate.halt-recorded': 'the halt is recorded; what the policy wants taken back still stands',
  'migrate.unit-taken-back': 'one unit of a failed wave is rolled back; the catalog does not know it',
  'migrate.wave-taken-back': 'every unit of a failed wave is rolled back; the wave is not closed',
  'migrate.late': 'units that came up meanwhile have a wave of their own; it has not begun',
  'migrate.finished': 'every unit is migrated; the run is not closed',
  'move.recorded': 'the move is stored and the tenant is moving; neither home knows of it',
  'move.source-held': 'the unit of the old home is not migrated any more; there is no new home',
  'move.target-made': 'the new home exists, without rows; nothing holds it yet',
  'move.target-held': 'the unit of the new home is held too; no write is marked yet',
  'move.guarded': 'every write of the tenant is marked; this is not recorded',
  'move.prepared': 'both homes are ready; nothing is copied',
  'move.table-copied': 'one table is copied',
  'move.copied': 'every table is copied; the writes since then are not',
  'move.applied': 'the new home has the changes of a cycle; the old one still marks them',
  'move.verified': 'both homes were equal at one moment; writes go on at the old one',
  'move.drained': 'in the fence: the new home has everything; nothing is decided',
  'move.left': 'the old home says that its tenant has moved; nobody else knows',
  'move.opened': 'the new home is open; the catalog still names the old one',
  'move.flipped': 'the catalog names the new home; the old one is not released',
  'move.settled': 'everything is done but the grace period has not begun',
  'move.old-emptied': 'the old copy is deleted; what helped the move is still there',
  'move.cleaned': 'nothing of the move is left in either home; the catalog does not know',
  'abort.source-freed': 'the old home is as before; the half-made new one is still there',
  'abort.target-dropped': 'both homes are as before; the catalog still says moving',
  'undo.recorded': 'the way back is stored; nothing is synchronised',
  'undo.left': 'the new home says that its tenant has gone back; nobody else knows',
  'undo.opened': 'the old home is open again; the catalog still names the new one',
  'undo.flipped': 'the catalog names the old home again; the new one still has its copy',
  'suspend.home-closed': 'the home refuses the tenant; the catalog still says active',
} as const;

export type FaultPoint = keyof typeof FAULT_POINTS;

/** Called when a step is reached. In production it does nothing. */
export type Reach = (point: FaultPoint) => void;
