import type { SignedCertificate } from './certificate.js';

/** The form of a value: the name of a type, a list of values of a form, or members with theirs; `?` allows null. */
type Form =
  'text' | 'text?' | 'whole' | 'whole?' | 'flag' | 'flag?' | readonly [Form] | { [member: string]: Form };

/** The same as the types of certificate.ts, for a file that anybody may have written. */
const DOCUMENT: Form = {
  certificate: {
    format: 'whole',
    certificate: 'text',
    fleet: 'text',
    issuedAt: 'text',
    tenant: { id: 'text', tier: 'text', salt: 'text', key: 'text', owner: 'text?' },
    request: { offboarding: 'text', requestedBy: 'text', reason: 'text?', basis: 'text?', ticket: 'text?' },
    retention: { requestedAt: 'text', retainMs: 'whole', dueAt: 'text', rule: 'text' },
    holdCheck: { at: 'text', held: 'flag', placementsRead: 'whole' },
    export: { manifestSha256: 'text?', finishedAt: 'text?', without: 'text?' },
    scope: [{ cluster: 'text', database: 'text', schema: 'text', found: 'text' }],
    deletion: { begunAt: 'text', endedAt: 'text' },
    objects: [
      {
        place: 'text',
        object: 'text',
        kind: 'text',
        rowsBefore: 'whole?',
        action: 'text',
        rowsAfter: 'whole?',
        batches: 'whole?',
        firstTxid: 'text?',
        lastTxid: 'text?',
        lsn: 'text?',
      },
    ],
    rescan: {
      at: 'text',
      clusters: ['text'],
      databases: 'whole',
      readers: [{ role: 'text', tables: 'whole' }],
      rowsFound: 'whole',
      notRead: ['text'],
      control: { at: 'text', expected: 'whole', found: 'whole' },
    },
    residue: {
      servers: [
        {
          cluster: 'text',
          at: 'text',
          walLsn: 'text',
          walKeptBytes: 'whole?',
          archiving: 'flag',
          slots: [{ name: 'text', restartLsn: 'text?' }],
          replicas: [{ name: 'text', replayLsn: 'text?', past: 'flag?' }],
        },
      ],
      tables: [{ table: 'text', deadRows: 'whole', lastVacuum: 'text?', analyzed: 'flag' }],
      backups: [{ name: 'text', clusters: ['text'], expireAfterMs: 'whole', expiresAt: 'text' }],
      notCovered: ['text'],
    },
    tool: 'text',
    configuration: 'text',
    operator: { actor: 'text', databaseUser: 'text' },
    audit: { seq: 'whole', hash: 'text' },
  },
  signature: { algorithm: 'text', keyId: 'text', value: 'text' },
  publicKey: 'text',
};

/**
 * Reads the text of a certificate's file.
 * @returns the document, or what is wrong with its form
 */
export function readCertificateText(text: string): { document: SignedCertificate } | { problems: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    return { problems: ['it is not JSON'] };
  }
  // A member that stands there twice, or a number in another spelling, could be read differently by somebody else.
  if (withoutSpace(text) !== JSON.stringify(value))
    return { problems: ['it does not read the same to every program'] };
  const problems = misfits(DOCUMENT, value, 'the file');
  return problems.length > 0 ? { problems } : { document: value as SignedCertificate };
}

/** JSON text without the white space between its tokens. */
function withoutSpace(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '');
}

function misfits(form: Form, value: unknown, path: string): string[] {
  if (typeof form === 'string') return isOfType(form, value) ? [] : [`${path} is not ${EXPECTED[form]}`];
  if (Array.isArray(form)) {
    if (!Array.isArray(value)) return [`${path} is not a list`];
    return value.flatMap((item: unknown, at) => misfits(form[0] as Form, item, `${path}[${at}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path} is not an object`];
  return memberMisfits(form as { [member: string]: Form }, value as Record<string, unknown>, path);
}

/** A member more could say, unsigned or unread, the opposite of the others. */
function memberMisfits(
  form: { [member: string]: Form },
  value: Record<string, unknown>,
  path: string,
): string[] {
  const inside = (member: string) => (path === 'the file' ? member : `${path}.${member}`);
  const unknown = Object.keys(value).filter((member) => !Object.hasOwn(form, member));
  return [
    ...unknown.map((member) => `${inside(member)} is not part of a certificate`),
    ...Object.entries(form).flatMap(([member, own]) =>
      Object.hasOwn(value, member)
        ? misfits(own, value[member], inside(member))
        : [`${inside(member)} is missing`],
    ),
  ];
}

const EXPECTED = {
  text: 'a text',
  'text?': 'a text or null',
  whole: 'a whole number',
  'whole?': 'a whole number or null',
  flag: 'true or false',
  'flag?': 'true, false or null',
} as const;

function isOfType(type: keyof typeof EXPECTED, value: unknown): boolean {
  if (type.endsWith('?') && value === null) return true;
  if (type.startsWith('text')) return typeof value === 'string';
  if (type.startsWith('whole')) return Number.isSafeInteger(value);
  return typeof value === 'boolean';
}
