import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';
import { type Scene, placeOf } from './scene.js';

export const poolNotProbed: Rule = {
  name: 'pool-not-probed',
  check: 'isolation',
  level: 'error',
  summary:
    'The administrator may not act as the role of the application: no crossing of a pool was tried, and nothing of it is proved.',
  explanation:
    'The probes act as the application does, with SET ROLE. Where that is refused each of them ends before it begins, and what the rules read of the catalogs is all that is known. A check that has tried nothing must not look like one that has found nothing.',
  remedy:
    'Let the administrator act as that role, and check again; since PostgreSQL 16 the membership needs SET TRUE, and nothing has to be inherited.',
  bad: 'revoke app_user from tenantctl_admin cascade;',
  good: 'grant app_user to tenantctl_admin with inherit false, set true;',
};

/**
 * About a pool in which no attempt can be made as the application's role.
 * @param grant the statement that the administrator lacks
 */
export function poolNotProbedFinding(scene: Scene, grant: string): Finding {
  const { schema, ledgerKey, role } = scene;
  const pool = ledgerKey.replace(/^pool:/, '');
  return {
    rule: poolNotProbed.name,
    level: poolNotProbed.level,
    where: placeOf(scene, `${schema}, role ${role}`),
    message: `No probe of pool ${pool} could be made: the administrator may not act as role ${role}.`,
    hint: poolNotProbed.remedy,
    facts: { pool, role, sql: [grant] },
  };
}
