import type { SignedCertificate } from '../../core/certificate.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

/** The statement that keeps a certificate, whole: the key that signed it may be another one tomorrow. */
export function certificateInsert(document: SignedCertificate): Sql {
  const { certificate, signature } = document;
  return sql`
    insert into tenantctl_catalog.certificates (id, tenant, offboarding, body, signature, key_id, issued_at)
    values (${certificate.certificate}, ${certificate.tenant.id}, ${certificate.request.offboarding}, ${JSON.stringify(document)}::jsonb,
      ${signature.value}, ${signature.keyId}, ${certificate.issuedAt}::timestamptz)`;
}

/** The newest certificate of a tenant, or undefined. */
export async function findCertificate(
  connection: Connection,
  tenant: string,
): Promise<SignedCertificate | undefined> {
  const row = await connection.row<{ document: SignedCertificate }>(sql`
    select body as document from tenantctl_catalog.certificates where tenant = ${tenant} order by issued_at desc limit 1`);
  return row?.document;
}
