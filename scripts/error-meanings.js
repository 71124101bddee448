/** What error codes mean whose message does not stand beside them as one text, because it depends on the case. */
export const ERROR_MEANINGS = {
  ADOPT_USAGE: 'The options of `adopt` do not go together.',
  CHECK_FINDINGS: 'A check has found something of level error that no baseline knows.',
  DOCTOR_FINDINGS: 'The doctor has found something of level error.',
  EXPORT_USAGE: 'The options of `export` do not go together.',
  INTERRUPTED: 'Interrupted by a signal: what had begun is finished, or, where a command only looks, ended.',
  LOCAL_SERVER_DISK_FULL: 'The local server cannot write: the disk or quota is full.',
  LOCAL_SERVER_MEMORY: 'The local server gets no shared memory.',
  LOCAL_SERVER_ORPHANS: 'Processes of a killed local server are still at work in its directory.',
  LOCAL_SERVER_PERMISSION: 'The local server may not use its data directory.',
  LOCAL_SERVER_PORT_TAKEN: 'Another program listens on the port of the local server.',
  LOCAL_SERVER_SETTING: 'The local server does not take one of its settings.',
  LOCAL_SERVER_UNKNOWN_UID: 'The user id under which the local server would run has no name.',
  LOOK_STOPPED: 'A check or the doctor was ended before everything was looked at.',
  MIGRATION_FAILED: 'A statement of a migration failed on a unit; its file, line and SQLSTATE are named.',
  MIGRATION_FOREIGN_SCHEMA:
    'A migration names a schema, and would do there what belongs into the schema of a tenant.',
  MOVES_DUE: 'The grace period of moves is over; `moves complete` deletes the old copies.',
  MOVE_AMBIGUOUS: 'Several moves answer to what was given; name one of them.',
  MOVE_SIDE_EFFECT: 'Bringing rows into the new home changed others as well; nothing of that cycle was kept.',
  NOT_ALL_REACHED:
    'A check or the doctor could not reach some places, and has found no error elsewhere; it can be repeated later.',
  NOTHING_SELECTED: 'No unit matches the selection, or the fleet has none yet.',
  OWNER_NOT_ASSUMABLE:
    'A home that another tool had made belongs to a role that is gone, or that the administrator may not act as; the grant is named.',
  PREFLIGHT_FAILED:
    'Something stands in the way of a move; each finding says what to do. Nothing was changed.',
  PROVISION_PARTIAL: 'Some rows of the list failed, or not every row was read.',
  PROVISION_USAGE: 'The options of `provision` do not go together.',
  RESTORE_SIDE_EFFECT: 'Bringing in the rows of an export changed others as well; no row was changed.',
  RESTORE_USAGE: 'The options of `restore` do not go together.',
  RETENTION_DUE: 'The retention period of tenants is over; `retention run` deletes what is due.',
  ROLE_NOT_ASSUMABLE: 'The role of a tenant is gone, or the administrator may not assume it.',
  ROWS_HIDDEN:
    'Row-level security hides rows of a table from the administrator, so they could not be copied.',
  RUN_FILES_CHANGED: 'A migration file is gone, or is not as it was when the run was made.',
  RUN_NOT_TAKEN_BACK:
    'That run cannot be taken back: there is none, it is a rollback, or it has not finished.',
  RUN_PAUSED: 'The run is paused with units to go.',
  RUN_UNKNOWN: 'There is no such run, or none yet.',
  SET_USAGE: 'The options of `set` do not go together, or there is nothing to set.',
  TENANT_EXISTS: 'A tenant of that id is there already, or half made.',
  TIMEOUT: '`--timeout` was reached: what had begun is finished, or, where a command only looks, ended.',
  UNIT_NOT_SKIPPED: 'The unit is not part of the run, or neither pending nor failed there.',
};
