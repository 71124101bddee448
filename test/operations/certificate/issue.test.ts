import { expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { verifyCertificateText } from '../../../src/core/certificate-proof.js';
import type { SignedCertificate } from '../../../src/core/certificate.js';
import { parsePublicKey, parseSigningKey } from '../../../src/core/signature.js';
import { issueCertificate } from '../../../src/operations/certificate/issue.js';
import { showCertificate } from '../../../src/operations/certificate/show.js';
import { chooseColors } from '../../../src/render/colors.js';
import { certificateText } from '../../../src/render/certificate-text.js';
import { type TestFleet, newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';
import { insertTenant, bring } from '../../engine/catalog/rows.js';
import { KEY, OWNER, REASON, REQUESTER, offboardingOf, recordOf } from './record.js';

const server = useServer();
const plain = chooseColors({ env: {}, isTTY: false, refused: true });
const UNTRUE = /erased|purged|sanitized|sanitised|NIST/i;

/** A tenant whose deletion is done, with a certificate stored as `retention` stores it. */
async function certified(made: TestFleet, id: string): Promise<SignedCertificate> {
  const { fleet, settings } = made;
  const offboarding = offboardingOf(id);
  const { document, statements } = await fleet.catalog((connection) =>
    issueCertificate(fleet, connection, offboarding, recordOf(id)),
  );
  await withClient(settings.catalogUrl, async (client) => {
    await insertTenant(client, id);
    await bring(client, id, 'deleted');
    await client.query('update tenantctl_catalog.placements set until = now() where tenant = $1', [id]);
    await client.query(
      `insert into tenantctl_catalog.offboardings (id, tenant, requested_by, status_before, due_at, state, begun_at, finished_at)
       values ($1, $2, 'x', 'active', now(), 'certified', now(), now())`,
      [offboarding.offboarding, id],
    );
  });
  await fleet.catalog((connection) => connection.atomically(statements));
  return document;
}

let made: TestFleet;

async function fresh(): Promise<TestFleet> {
  made = await newFleet(server.current);
  return made;
}

test('a certificate is signed, and read again from the catalog when the tenant is gone it is the same', async () => {
  const { fleet, settings } = await fresh();
  const document = await certified(made, 'acme');
  const key = parsePublicKey(parseSigningKey(settings.signing.key ?? '').publicKey);
  expect(verifyCertificateText(JSON.stringify(document), key)).toMatchObject({
    ok: true,
    tenant: 'acme',
    keyId: key.id,
    differences: [],
  });
  const shown = await showCertificate(fleet, 'acme');
  expect(shown.document).toEqual(document);
  expect(shown.verification).toMatchObject({ ok: true, keyFrom: 'given' });
});

test('it names the operator, the end of the audit log and the configuration, and no secret', async () => {
  const { settings } = await fresh();
  const { certificate } = await certified(made, 'acme');
  const [head] = await query<{ seq: number; hash: string }>(
    settings.catalogUrl,
    'select seq::int, hash from tenantctl_catalog.audit_head',
  );
  expect(certificate.audit).toEqual(head);
  expect(certificate.operator).toEqual({
    actor: 'suite',
    databaseUser: new URL(settings.catalogUrl).username,
  });
  expect(certificate.configuration).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(certificate)).not.toContain(new URL(settings.catalogUrl).password);
});

test('it holds no personal data, and who knows a name can prove that it is meant', async () => {
  await fresh();
  const document = await certified(made, 'acme');
  const text = JSON.stringify(document);
  for (const personal of [OWNER, REQUESTER, REASON, KEY]) expect(text).not.toContain(personal);
  const { tenant, request } = document.certificate;
  const hash = (name: string) => createHash('sha256').update(`${tenant.salt}:${name}`).digest('hex');
  expect(tenant).toMatchObject({ owner: hash(OWNER), key: hash(KEY) });
  expect(request).toMatchObject({ requestedBy: hash(REQUESTER), reason: hash(REASON), ticket: 'T-42' });
});

test('two certificates do not share a salt, so that hashes of one name cannot be compared', async () => {
  await fresh();
  const one = await certified(made, 'one');
  const other = await certified(made, 'other');
  expect(one.certificate.tenant.owner).not.toBe(other.certificate.tenant.owner);
});

test('rendered, it stays on one screen, says what is left, and claims no more than was done', async () => {
  const { fleet } = await fresh();
  await certified(made, 'acme');
  const { document, verification } = await showCertificate(fleet, 'acme');
  const text = certificateText(document, verification, plain);
  expect(text.split('\n').length).toBeLessThanOrEqual(40);
  expect(text).not.toMatch(UNTRUE);
  expect(JSON.stringify(document)).not.toMatch(UNTRUE);
  expect(text).toContain('12 rows of 1 table');
  expect(text).toContain('found 0 rows');
  expect(text).toContain('hold deleted rows until vacuum');
  expect(text).toContain('may hold its data until 2026-12-05T13:00:09Z');
  expect(text).toContain('Replica standby of main has replayed the deletion');
  expect(text).toContain('outside these clusters are not covered');
});

test('a record that contradicts itself is not signed', async () => {
  const { fleet } = await fresh();
  const { rescan } = recordOf('acme');
  const issue = fleet.catalog((connection) =>
    issueCertificate(
      fleet,
      connection,
      offboardingOf('acme'),
      recordOf('acme', { rescan: { ...rescan, rowsFound: 1 } }),
    ),
  );
  await expect(issue).rejects.toMatchObject({ code: 'CERTIFICATE_CONTRADICTED', exit: 8 });
});

test('without a key nothing is certified', async () => {
  const { fleet, settings } = await fresh();
  settings.signing.key = null;
  const issue = fleet.catalog((connection) =>
    issueCertificate(fleet, connection, offboardingOf('acme'), recordOf('acme')),
  );
  await expect(issue).rejects.toMatchObject({ code: 'SIGNING_KEY_MISSING', exit: 3 });
});

test('one that somebody has changed in the catalog is found out when it is shown', async () => {
  const { fleet } = await fresh();
  await certified(made, 'acme');
  await withClient(server.current.superuserUrl(fleet.catalogDatabase), async (client) => {
    await client.query('set session_replication_role = replica');
    await client.query(
      `update tenantctl_catalog.certificates set body = jsonb_set(body, '{certificate,objects,0,rowsBefore}', '13')`,
    );
  });
  const { verification } = await showCertificate(fleet, 'acme');
  expect(verification).toMatchObject({ ok: false, differences: [{ kind: 'signature' }] });
});

test('a tenant that is not deleted has none, nor has one that never was', async () => {
  const { fleet, settings } = await fresh();
  await withClient(settings.catalogUrl, (client) => insertTenant(client, 'acme'));
  await expect(showCertificate(fleet, 'acme')).rejects.toMatchObject({
    code: 'CERTIFICATE_MISSING',
    exit: 5,
  });
  await expect(showCertificate(fleet, 'nobody')).rejects.toMatchObject({ code: 'TENANT_UNKNOWN', exit: 5 });
});
