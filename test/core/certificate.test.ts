import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.js';
import { contradictions } from '../../src/core/certificate-checks.js';
import { verifyCertificateText } from '../../src/core/certificate-proof.js';
import type { Certificate, SignedCertificate } from '../../src/core/certificate.js';
import { generateSigningKey, parsePublicKey, parseSigningKey, signText } from '../../src/core/signature.js';
import { recordOf } from '../operations/certificate/record.js';

const KEY = parseSigningKey(generateSigningKey());
const OTHER = parseSigningKey(generateSigningKey());
const given = parsePublicKey(KEY.publicKey);

function certificateOf(changes: Partial<Certificate> = {}): Certificate {
  const { withoutExport, tenant, ...record } = recordOf('acme');
  return {
    format: 1,
    certificate: 'c0ffee',
    fleet: 'f1ee7',
    issuedAt: '2026-10-31T13:00:11Z',
    tenant: { id: tenant.id, tier: tenant.tier, salt: '00', key: 'k', owner: null },
    request: { offboarding: 'o', requestedBy: 'r', reason: null, basis: null, ticket: null },
    retention: {
      requestedAt: '2026-10-01T12:00:00Z',
      retainMs: 2_592_000_000,
      dueAt: '2026-10-31T12:00:00Z',
      rule: '30 days',
    },
    export: { manifestSha256: null, finishedAt: null, without: withoutExport },
    ...record,
    tool: '0.1.0',
    configuration: 'c',
    operator: { actor: 'suite', databaseUser: 'admin' },
    audit: { seq: 7, hash: 'h' },
    ...changes,
  };
}

const sign = (certificate: Certificate, key = KEY): SignedCertificate => ({
  certificate,
  signature: signText(key, canonicalJson(certificate)),
  publicKey: key.publicKey,
});
const verify = (document: unknown, key = given) => verifyCertificateText(JSON.stringify(document), key);
const kinds = (document: unknown) => verify(document).differences.map(({ kind }) => kind);

describe('a certificate', () => {
  test('verifies in whatever layout and order of members it stands', () => {
    const document = sign(certificateOf());
    const { certificate, signature, publicKey } = document;
    const turned = {
      publicKey,
      signature,
      certificate: Object.fromEntries(Object.entries(certificate).toReversed()),
    };
    for (const text of [
      JSON.stringify(document, null, 2),
      JSON.stringify(turned),
      `${JSON.stringify(document)}\n`,
    ])
      expect(verifyCertificateText(text, given)).toMatchObject({ ok: true, keyId: KEY.id, keyFrom: 'given' });
  });

  test('without a key is verified by the one it brings along, and says so', () => {
    expect(verifyCertificateText(JSON.stringify(sign(certificateOf())), undefined)).toMatchObject({
      ok: true,
      keyId: KEY.id,
      keyFrom: 'file',
    });
  });

  test.each([
    ['a number', (text: string) => text.replace('"rowsBefore":12', '"rowsBefore":13')],
    ['a time', (text: string) => text.replace('2026-10-31T13:00:09Z', '2026-10-31T13:00:08Z')],
    ['a name', (text: string) => text.replace('"acme"', '"acne"')],
    ['a sentence', (text: string) => text.replace('are not covered', 'are covered')],
    [
      'one letter of the signature',
      (text: string) => text.replace(/"value":"(.)/, (_, c: string) => `"value":"${c === 'A' ? 'B' : 'A'}`),
    ],
  ])('in which %s was changed is found out', (_what, change) => {
    const text = JSON.stringify(sign(certificateOf()));
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(verifyCertificateText(changed, given)).toMatchObject({
      ok: false,
      differences: [{ kind: 'signature' }],
    });
    expect(verifyCertificateText(changed, undefined).ok).toBe(false);
  });

  test('signed with another key is not ours, even where it brings our key along', () => {
    expect(kinds(sign(certificateOf(), OTHER))).toEqual(['signature']);
    const { certificate, signature } = sign(certificateOf(), OTHER);
    expect(kinds({ certificate, signature, publicKey: KEY.publicKey })).toEqual(['signature']);
    expect(
      kinds({ certificate, signature: { ...signature, keyId: KEY.id }, publicKey: KEY.publicKey }),
    ).toEqual(['signature']);
  });

  test('that brings no public key is not verified by it', () => {
    const document = { ...sign(certificateOf()), publicKey: 'none' };
    expect(verifyCertificateText(JSON.stringify(document), undefined)).toMatchObject({
      ok: false,
      keyId: null,
    });
    expect(verify(document).ok).toBe(true);
  });

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['another document', '{"a":1}'],
    ['a list', '[]'],
    [
      'a member twice',
      JSON.stringify(sign(certificateOf())).replace('"rowsFound":0', '"rowsFound":5,"rowsFound":0'),
    ],
    [
      'a number in another spelling',
      JSON.stringify(sign(certificateOf())).replace('"rowsFound":0', '"rowsFound":0.0'),
    ],
    ['a member more', JSON.stringify({ ...sign(certificateOf()), note: 'all is well' })],
    ['a member less', JSON.stringify({ ...sign(certificateOf()), publicKey: undefined })],
    [
      'a text for a number',
      JSON.stringify(sign(certificateOf())).replace('"rowsFound":0', '"rowsFound":"0"'),
    ],
  ])('is refused by its form: %s', (_what, text) => {
    const outcome = verifyCertificateText(text, given);
    expect(outcome.ok).toBe(false);
    expect(outcome.differences.map(({ kind }) => kind)).toContain('form');
  });
});

describe('what does not fit together is named, however well it is signed:', () => {
  const { objects, rescan, deletion, holdCheck, residue } = certificateOf();
  const [table] = objects;
  if (table === undefined) throw new Error('the record has a table');
  test.each<[string, Partial<Certificate>, string]>([
    ['a row left', { objects: [{ ...table, rowsAfter: 1 }] }, 'objects'],
    ['rows that nobody has counted again', { objects: [{ ...table, rowsAfter: null }] }, 'objects'],
    ['nothing deleted', { objects: [] }, 'objects'],
    ['rows found again', { rescan: { ...rescan, rowsFound: 3 } }, 'rescan'],
    ['a second look before the end', { rescan: { ...rescan, at: '2026-10-31T13:00:01Z' } }, 'rescan'],
    [
      'a second look that was blind',
      { rescan: { ...rescan, control: { ...rescan.control, found: 0 } } },
      'rescan',
    ],
    ['a second look by nobody', { rescan: { ...rescan, readers: [] } }, 'rescan'],
    [
      'a deletion before its day',
      { deletion: { ...deletion, begunAt: '2026-10-31T11:59:00Z' } },
      'retention',
    ],
    [
      'a day before the end of the period',
      {
        retention: {
          requestedAt: '2026-10-01T12:00:00Z',
          retainMs: 2_592_000_000,
          dueAt: '2026-10-02T12:00:00Z',
          rule: 'x',
        },
      },
      'retention',
    ],
    ['a legal hold', { holdCheck: { ...holdCheck, held: true as unknown as false } }, 'holdCheck'],
    ['holds read too late', { holdCheck: { ...holdCheck, at: '2026-11-01T00:00:00Z' } }, 'holdCheck'],
    [
      'neither an export nor a reason for none',
      { export: { manifestSha256: null, finishedAt: null, without: null } },
      'export',
    ],
    [
      'an export after the deletion began',
      { export: { manifestSha256: 'm', finishedAt: '2026-10-31T13:00:05Z', without: null } },
      'export',
    ],
    ['an issue before the second look', { issuedAt: '2026-10-31T12:00:00Z' }, 'issuedAt'],
    ['silence about what is not covered', { residue: { ...residue, notCovered: [] } }, 'residue'],
    ['a time that is none', { issuedAt: 'yesterday' }, 'form'],
    ['another format', { format: 2 as unknown as 1 }, 'format'],
  ])('%s', (_what, changes, kind) => {
    const changed = certificateOf(changes);
    expect(contradictions(changed).map((difference) => difference.kind)).toContain(kind);
    expect(kinds(sign(changed))).toContain(kind);
    expect(contradictions(certificateOf())).toEqual([]);
  });
});
