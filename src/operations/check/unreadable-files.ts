import { EXIT, type TenantctlError, isTenantctlError } from '../../core/errors.js';
import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { Tally } from '../tally.js';
import { notCompared } from './drift-rules/not-compared.js';
import { type DriftCheck, checkDrift } from './drift.js';

/**
 * The check of drift beside others: files that cannot be read keep it from comparing anything, and the others from
 * nothing. What is wrong with them the check of migrations has told already.
 */
export async function checkDriftBeside(fleet: Fleet, tally: Tally): Promise<DriftCheck> {
  try {
    return await checkDrift(fleet, tally);
  } catch (error) {
    if (!isTenantctlError(error) || error.exit !== EXIT.config) throw error;
    return { findings: [withoutFiles(fleet, error)], shapes: [], skipped: [] };
  }
}

function withoutFiles({ settings }: Fleet, { code, message }: TenantctlError): Finding {
  const [first = ''] = message.split('\n', 1);
  return {
    rule: notCompared.name,
    level: notCompared.level,
    where: settings.migrations.directory,
    message: `no unit could be compared with the files: ${first}`,
    hint: 'Mend the files: `tenantctl check migrations` names each fault with its line.',
    facts: { code, units: [] },
  };
}
