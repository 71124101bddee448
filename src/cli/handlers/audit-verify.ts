import { existsSync } from 'node:fs';
import { differenceError, usageError } from '../../core/errors.js';
import { type PublicKey, parsePublicKey } from '../../core/signature.js';
import { type AuditVerification, verifyAudit } from '../../operations/audit/verify.js';
import { requireSigningKey } from '../../operations/signing.js';
import { auditVerificationText } from '../../render/audit-text.js';
import { counted } from '../../core/counted.js';
import { checkpointPath } from '../checkpoint-path.js';
import type { Call, Outcome } from '../command.js';
import type { auditVerify } from '../commands/audit.js';
import { given } from '../given.js';
import { readPublicKeys } from '../public-keys.js';

type VerifyCall = Call<typeof auditVerify>;

export default async function handle(call: VerifyCall): Promise<Outcome> {
  const { fleet, io, config, options } = call;
  const file = checkpointPath(io, config, options.checkpoints);
  if (options.checkpoints !== undefined && !existsSync(file)) throw noSuchFile(options.checkpoints);
  const data = await verifyAudit(fleet, { file, keys: await keysOf(call) });
  return {
    data,
    text: (colors) => auditVerificationText(data, colors),
    ...given({ failure: failureOf(data) }),
  };
}

async function keysOf({ fleet, io, options }: VerifyCall): Promise<PublicKey[]> {
  if (options.key.length > 0) return readPublicKeys(io, options.key);
  const { settings } = fleet;
  return settings.signing.key === null ? [] : [parsePublicKey(requireSigningKey(settings).publicKey)];
}

function failureOf({ ok, differences }: AuditVerification) {
  if (ok) return undefined;
  const [first] = differences;
  return differenceError(
    'AUDIT_DIFFERS',
    `The audit log is not what was written, in ${counted(differences.length, 'place')}: ${first?.message}.`,
    {
      hint: 'Keep the database as it is, and compare it with a backup from before. Restored from a backup, the log ends earlier than its checkpoints.',
      facts: { first },
    },
  );
}

function noSuchFile(file: string) {
  return usageError('CHECKPOINTS_MISSING', `There is no checkpoint file ${file}.`, {
    hint: '`tenantctl audit checkpoint --file <file>` begins one.',
    facts: { file },
  });
}
