import {
  CERTIFICATE_FORMAT,
  type Certificate,
  type CertificateDifference,
  type DeletedObject,
} from './certificate.js';

/** Times are kept in seconds. */
const ROUNDING_MS = 1_000;

type Check = (certificate: Certificate) => CertificateDifference[];

/**
 * What does not fit together in a certificate. A right signature says who wrote it; this says whether what was written
 * can be: every row gone, nothing found again, nothing before its day, no hold.
 */
export function contradictions(certificate: Certificate): CertificateDifference[] {
  return CHECKS.flatMap((check) => check(certificate));
}

const CHECKS: readonly Check[] = [
  ({ format }) =>
    format === CERTIFICATE_FORMAT
      ? []
      : differs('format', `its format is ${format}; this tool knows format ${CERTIFICATE_FORMAT}`),
  readableTimes,
  ({ objects }) => (objects.length > 0 ? [] : differs('objects', 'it names nothing that was deleted')),
  ({ objects }) => objects.flatMap(remaining),
  notBeforeItsDay,
  notUnderHold,
  nothingFoundAgain,
  ({ export: { manifestSha256, finishedAt, without }, deletion }) => {
    if (manifestSha256 === null || finishedAt === null)
      return without === null
        ? differs('export', 'it says neither what was exported nor why nothing was')
        : [];
    return isAfter(finishedAt, deletion.begunAt)
      ? differs('export', 'the export ended after the deletion had begun')
      : [];
  },
  ({ issuedAt, rescan }) =>
    isAfter(rescan.at, issuedAt) ? differs('issuedAt', 'it was issued before the second look') : [],
  ({ residue }) =>
    residue.notCovered.length > 0 ? [] : differs('residue', 'it does not say what it does not cover'),
];

/** Others are never before or after anything. */
function readableTimes({
  issuedAt,
  retention,
  holdCheck,
  deletion,
  rescan,
}: Certificate): CertificateDifference[] {
  const times = [
    issuedAt,
    retention.requestedAt,
    retention.dueAt,
    holdCheck.at,
    deletion.begunAt,
    deletion.endedAt,
    rescan.at,
  ];
  const unreadable = times.filter((text) => !TIME.test(text) || Number.isNaN(Date.parse(text)));
  return unreadable.flatMap((text) => differs('form', `${JSON.stringify(text)} is not a time in UTC`));
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

/** Of rows that were deleted it must be known that none is left; what was dropped has none. */
function remaining({ object, place, kind, action, rowsAfter }: DeletedObject): CertificateDifference[] {
  if (rowsAfter === 0 || (rowsAfter === null && action !== 'rows deleted')) return [];
  return differs(
    'objects',
    `${kind} ${object} of ${place} has ${rowsAfter ?? 'an unknown number of'} rows left`,
  );
}

function notBeforeItsDay({ retention, deletion }: Certificate): CertificateDifference[] {
  const { requestedAt, retainMs, dueAt } = retention;
  const end = Date.parse(requestedAt) + retainMs;
  return [
    ...(Date.parse(dueAt) + ROUNDING_MS < end
      ? differs('retention', 'it was due before its retention period ended')
      : []),
    ...(isAfter(dueAt, deletion.begunAt)
      ? differs('retention', `the deletion began at ${deletion.begunAt}, before it was due at ${dueAt}`)
      : []),
    ...(isAfter(deletion.begunAt, deletion.endedAt)
      ? differs('deletion', 'the deletion ended before it began')
      : []),
  ];
}

function notUnderHold({ holdCheck, deletion }: Certificate): CertificateDifference[] {
  return [
    ...((holdCheck.held as boolean) ? differs('holdCheck', 'it was deleted under a legal hold') : []),
    ...(isAfter(holdCheck.at, deletion.endedAt)
      ? differs('holdCheck', 'legal holds were looked for only after the deletion')
      : []),
  ];
}

function nothingFoundAgain({ rescan, deletion }: Certificate): CertificateDifference[] {
  const { control, rowsFound, readers } = rescan;
  return [
    ...(rowsFound === 0 ? [] : differs('rescan', `the second look found ${rowsFound} rows`)),
    ...(isAfter(deletion.endedAt, rescan.at)
      ? differs('rescan', 'the second look came before the deletion ended')
      : []),
    ...(control.found === control.expected
      ? []
      : differs(
          'rescan',
          `before the deletion the second look saw ${control.found} of ${control.expected} rows, so it proves nothing`,
        )),
    ...(isAfter(control.at, deletion.endedAt)
      ? differs('rescan', 'its control was made after the deletion')
      : []),
    ...(readers.length > 0 ? [] : differs('rescan', 'nobody has looked a second time')),
  ];
}

function isAfter(one: string, other: string): boolean {
  return Date.parse(one) > Date.parse(other) + ROUNDING_MS;
}

function differs(kind: string, message: string): CertificateDifference[] {
  return [{ kind, message }];
}
