import type { SignedCertificate } from '../../core/certificate.js';
import { type CertificateVerification, verifyCertificate } from '../../core/certificate-proof.js';
import { conflictError } from '../../core/errors.js';
import { parsePublicKey } from '../../core/signature.js';
import { parseTenantId } from '../../core/tenant.js';
import { findCertificate } from '../../engine/catalog/certificates.js';
import { requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { requireSigningKey } from '../signing.js';

export interface ShownCertificate {
  document: SignedCertificate;
  /** Whether the catalog still has it as it was signed. */
  verification: CertificateVerification;
}

/**
 * The certificate of a deleted tenant.
 * @throws conflict (exit 5) `CERTIFICATE_MISSING` when the tenant is not deleted, `TENANT_UNKNOWN` when there was none
 */
export async function showCertificate(fleet: Fleet, id: string): Promise<ShownCertificate> {
  parseTenantId(id);
  return fleet.catalog(async (connection) => {
    const document = await findCertificate(connection, id);
    if (document === undefined) return noCertificate(connection, id);
    return { document, verification: verifyCertificate(document, ownKeyFor(fleet, document)) };
  });
}

/** The configured key, where it is the one that has signed; another one may have been in use then. */
function ownKeyFor({ settings }: Fleet, { signature }: SignedCertificate) {
  if (settings.signing.key === null) return undefined;
  const own = parsePublicKey(requireSigningKey(settings).publicKey);
  return own.id === signature.keyId ? own : undefined;
}

async function noCertificate(connection: Connection, id: string): Promise<never> {
  const { status } = await requireTenant(connection, id);
  throw conflictError(
    'CERTIFICATE_MISSING',
    `Tenant ${id} is ${status}; there is no certificate of its deletion.`,
    {
      hint: `\`tenantctl offboard ${id}\` asks for it; \`tenantctl retention list\` shows what is under way.`,
      facts: { tenant: id, status },
    },
  );
}
