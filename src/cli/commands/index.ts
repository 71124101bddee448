import { type Command, handledBy } from '../command.js';
import { activate } from './activate.js';
import { adopt } from './adopt.js';
import { auditCheckpoint, auditList, auditVerify } from './audit.js';
import { certificate, certificateKey, certificateVerify } from './certificate.js';
import { checkAll, checkDrift, checkIsolation, checkMigrations } from './check.js';
import { completion } from './completion.js';
import { configCheck, configSchema, configShow } from './config.js';
import { demo } from './demo.js';
import { devDown, devFaultPoints, devStatus, devUp, devUrl } from './dev.js';
import { exportTenant, exportVerify } from './export.js';
import { doctor } from './doctor.js';
import { help } from './help.js';
import { init } from './init.js';
import { list } from './list.js';
import { migrate } from './migrate.js';
import {
  movesAbort,
  movesComplete,
  movesList,
  movesResume,
  movesShow,
  movesUndo,
  movesWatch,
} from './moves.js';
import { offboard } from './offboard.js';
import { promote } from './promote.js';
import { provision } from './provision.js';
import { retentionHold, retentionList, retentionRelease, retentionRun } from './retention.js';
import { restore } from './restore.js';
import { rollback } from './rollback.js';
import { route } from './route.js';
import {
  runsAbort,
  runsApprove,
  runsExplain,
  runsList,
  runsPause,
  runsResume,
  runsRetry,
  runsShow,
  runsSkip,
  runsWatch,
} from './runs.js';
import { set } from './set.js';
import { show } from './show.js';
import { status } from './status.js';
import { suspend } from './suspend.js';
import { uninstall } from './uninstall.js';

/** Every command, in the order in which help lists them. A handler is loaded when it is called. */
export const COMMANDS: readonly Command[] = [
  handledBy(init, () => import('../handlers/init.js')),
  handledBy(provision, () => import('../handlers/provision.js')),
  handledBy(adopt, () => import('../handlers/adopt.js')),
  handledBy(list, () => import('../handlers/list.js')),
  handledBy(show, () => import('../handlers/show.js')),
  handledBy(route, () => import('../handlers/route.js')),
  handledBy(set, () => import('../handlers/set.js')),
  handledBy(suspend, () => import('../handlers/suspend.js')),
  handledBy(activate, () => import('../handlers/activate.js')),
  handledBy(migrate, () => import('../handlers/migrate.js')),
  handledBy(rollback, () => import('../handlers/rollback.js')),
  handledBy(runsList, () => import('../handlers/runs-list.js')),
  handledBy(runsShow, () => import('../handlers/runs-show.js')),
  handledBy(runsWatch, () => import('../handlers/runs-watch.js')),
  handledBy(runsExplain, () => import('../handlers/runs-explain.js')),
  handledBy(runsApprove, () => import('../handlers/runs-approve.js')),
  handledBy(runsPause, () => import('../handlers/runs-pause.js')),
  handledBy(runsResume, () => import('../handlers/runs-resume.js')),
  handledBy(runsRetry, () => import('../handlers/runs-retry.js')),
  handledBy(runsSkip, () => import('../handlers/runs-skip.js')),
  handledBy(runsAbort, () => import('../handlers/runs-abort.js')),
  handledBy(promote, () => import('../handlers/promote.js')),
  handledBy(movesList, () => import('../handlers/moves-list.js')),
  handledBy(movesShow, () => import('../handlers/moves-show.js')),
  handledBy(movesWatch, () => import('../handlers/moves-watch.js')),
  handledBy(movesResume, () => import('../handlers/moves-resume.js')),
  handledBy(movesUndo, () => import('../handlers/moves-undo.js')),
  handledBy(movesComplete, () => import('../handlers/moves-complete.js')),
  handledBy(movesAbort, () => import('../handlers/moves-abort.js')),
  handledBy(exportTenant, () => import('../handlers/export.js')),
  handledBy(exportVerify, () => import('../handlers/export-verify.js')),
  handledBy(restore, () => import('../handlers/restore.js')),
  handledBy(offboard, () => import('../handlers/offboard.js')),
  handledBy(retentionList, () => import('../handlers/retention-list.js')),
  handledBy(retentionRun, () => import('../handlers/retention-run.js')),
  handledBy(retentionHold, () => import('../handlers/retention-hold.js')),
  handledBy(retentionRelease, () => import('../handlers/retention-release.js')),
  handledBy(certificate, () => import('../handlers/certificate.js')),
  handledBy(certificateVerify, () => import('../handlers/certificate-verify.js')),
  handledBy(certificateKey, () => import('../handlers/certificate-key.js')),
  handledBy(auditList, () => import('../handlers/audit-list.js')),
  handledBy(auditVerify, () => import('../handlers/audit-verify.js')),
  handledBy(auditCheckpoint, () => import('../handlers/audit-checkpoint.js')),
  handledBy(checkAll, () => import('../handlers/check-all.js')),
  handledBy(checkIsolation, () => import('../handlers/check-isolation.js')),
  handledBy(checkMigrations, () => import('../handlers/check-migrations.js')),
  handledBy(checkDrift, () => import('../handlers/check-drift.js')),
  handledBy(doctor, () => import('../handlers/doctor.js')),
  handledBy(status, () => import('../handlers/status.js')),
  handledBy(configShow, () => import('../handlers/config-show.js')),
  handledBy(configCheck, () => import('../handlers/config-check.js')),
  handledBy(configSchema, () => import('../handlers/config-schema.js')),
  handledBy(uninstall, () => import('../handlers/uninstall.js')),
  handledBy(demo, () => import('../handlers/demo.js')),
  handledBy(devUp, () => import('../handlers/dev-up.js')),
  handledBy(devDown, () => import('../handlers/dev-down.js')),
  handledBy(devStatus, () => import('../handlers/dev-status.js')),
  handledBy(devUrl, () => import('../handlers/dev-url.js')),
  handledBy(devFaultPoints, () => import('../handlers/dev-fault-points.js')),
  handledBy(completion, () => import('../handlers/completion.js')),
  handledBy(help, () => import('../handlers/help.js')),
];
