import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { canonicalJson } from '../../core/canonical-json.js';
import { CERTIFICATE_FORMAT, type Certificate, type SignedCertificate } from '../../core/certificate.js';
import { contradictions } from '../../core/certificate-checks.js';
import { formatDuration } from '../../core/duration.js';
import { differenceError } from '../../core/errors.js';
import { redactDeep } from '../../core/redact.js';
import type { FleetSettings } from '../../core/settings.js';
import { signText } from '../../core/signature.js';
import type { Tier } from '../../core/tier.js';
import { TOOL_VERSION } from '../../core/version.js';
import { readHead } from '../../engine/audit/chain.js';
import { fleetAndTime } from '../../engine/audit/checkpoints.js';
import { certificateInsert } from '../../engine/catalog/certificates.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import type { Sql } from '../../pg/sql.js';
import { requireSigningKey } from '../signing.js';

/** What the deletion has found and done; everything else in a certificate comes from request, settings and catalog. */
export interface DeletionRecord extends Pick<
  Certificate,
  'holdCheck' | 'scope' | 'deletion' | 'objects' | 'rescan' | 'residue'
> {
  tenant: { id: string; tier: Tier; key: string; owner: string | null };
  /** Why there is no export, where the offboarding has none. */
  withoutExport: string;
}

export interface IssuedCertificate {
  document: SignedCertificate;
  /** Store it, for the transaction that takes the offboarding to `certified`. */
  statements: Sql[];
}

/**
 * Signs the record of a deletion. A record that contradicts itself is not signed.
 * @param connection to the catalog
 * @throws configuration error `SIGNING_KEY_MISSING` (exit 3) · `CERTIFICATE_CONTRADICTED` (exit 8) that names what
 *   does not fit
 */
export async function issueCertificate(
  fleet: Fleet,
  connection: Connection,
  offboarding: StoredOffboarding,
  record: DeletionRecord,
): Promise<IssuedCertificate> {
  const key = requireSigningKey(fleet.settings);
  // Struck out before it is signed: afterwards a password in it could not be taken out any more.
  const certificate = redactDeep(await compose(fleet, connection, offboarding, record));
  const [first] = contradictions(certificate);
  if (first !== undefined) throw contradicted(certificate, first.message);
  const signature = signText(key, canonicalJson(certificate));
  const document = { certificate, signature, publicKey: key.publicKey };
  return { document, statements: [certificateInsert(document)] };
}

async function compose(
  fleet: Fleet,
  connection: Connection,
  offboarding: StoredOffboarding,
  record: DeletionRecord,
): Promise<Certificate> {
  const { fleet: id, at } = await fleetAndTime(connection);
  const salt = randomBytes(16).toString('hex');
  const hashed = (text: string) => saltedHash(salt, text);
  const { tenant, withoutExport, ...deleted } = record;
  return {
    format: CERTIFICATE_FORMAT,
    certificate: randomUUID(),
    fleet: id,
    issuedAt: at,
    tenant: {
      id: tenant.id,
      tier: tenant.tier,
      salt,
      key: hashed(tenant.key),
      owner: tenant.owner === null ? null : hashed(tenant.owner),
    },
    ...requestOf(offboarding, hashed),
    export: {
      manifestSha256: offboarding.export?.manifestSha256 ?? null,
      finishedAt: offboarding.export?.finishedAt ?? null,
      without: offboarding.export === null ? withoutExport : null,
    },
    ...deleted,
    tool: TOOL_VERSION,
    configuration: configurationHash(fleet.settings),
    operator: { actor: fleet.actor.actor, databaseUser: connection.user },
    audit: (await readHead(connection)) ?? { seq: 0, hash: '' },
  };
}

function requestOf(
  offboarding: StoredOffboarding,
  hashed: (text: string) => string,
): Pick<Certificate, 'request' | 'retention'> {
  const { requestedBy, reason, basis, ticket, requestedAt, retainMs, dueAt } = offboarding;
  return {
    request: {
      offboarding: offboarding.offboarding,
      requestedBy: hashed(requestedBy),
      reason: reason === null ? null : hashed(reason),
      basis,
      ticket,
    },
    retention: {
      requestedAt,
      retainMs,
      dueAt,
      rule: `kept for ${formatDuration(retainMs)} after the request`,
    },
  };
}

/** Somebody who knows the text can make it as well: `printf '%s' "<salt>:<text>" | sha256sum`. */
function saltedHash(salt: string, text: string): string {
  return createHash('sha256').update(`${salt}:${text}`).digest('hex');
}

/** Names the settings by which it was decided what is deleted and when, and none of the secrets. */
function configurationHash({ tenancy, retention, backups, clusters }: FleetSettings): string {
  const places = Object.values(clusters).map(({ name, region, pools, schemaDatabase }) => ({
    name,
    region,
    pools,
    schemaDatabase,
  }));
  return createHash('sha256').update(canonicalJson({ tenancy, retention, backups, places })).digest('hex');
}

function contradicted({ tenant }: Certificate, problem: string) {
  return differenceError(
    'CERTIFICATE_CONTRADICTED',
    `The deletion of tenant ${tenant.id} is not certified: ${problem}.`,
    {
      hint: 'Nothing was signed. See to what it names, then run the same command again.',
      facts: { tenant: tenant.id },
    },
  );
}
