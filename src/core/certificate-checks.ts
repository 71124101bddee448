import {
  CERTIFICATE_FORMAT,
  type Certificate,
  type CertificateDifference,
  type DeletedObject,
} from './certificate.js';

/** Clocks of one server are told in seconds. */
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
  ({ objects }) => (objects.length > 0 ? [] : differs('objects', 'it names nothing that was deleted')),
  ({ objects }) => objects.flatMap(remaining),
  ({ objects }) => objects.flatMap(backwards),
  dueBeforeDeleted,
  holdBeforeDeleted,
  rescanned,
  ({ rescan, issuedAt }) =>
    time(issuedAt) + ROUNDING_MS >= time(rescan.at)
      ? []
      : differs('issuedAt', 'it was issued before the second look'),
  ({ residue }) =>
    residue.notCovered.length > 0 ? [] : differs('residue', 'it does not say what it does not cover'),
];

function remaining({ object, place, kind, action, rowsAfter }: DeletedObject): CertificateDifference[] {
  const counted = kind === 'table' || kind === 'partition';
  if (rowsAfter === 0 || (rowsAfter === null && !(counted && action === 'deleted'))) return [];
  return differs(
    'objects',
    `${kind} ${object} of ${place} has ${rowsAfter ?? 'an unknown number of'} rows left`,
  );
}

function backwards({ object, place, startedAt, finishedAt }: DeletedObject): CertificateDifference[] {
  return time(startedAt) <= time(finishedAt)
    ? []
    : differs('objects', `${object} of ${place} was finished before it was begun`);
}

function dueBeforeDeleted({ retention, objects }: Certificate): CertificateDifference[] {
  const { requestedAt, retainMs, dueAt } = retention;
  const early = time(dueAt) + ROUNDING_MS < time(requestedAt) + retainMs;
  const first = firstOf(objects);
  return [
    ...(early ? differs('retention', 'the day it was due is before the end of the retention period') : []),
    ...(first !== undefined && first + ROUNDING_MS < time(dueAt)
      ? differs(
          'retention',
          `something was deleted at ${new Date(first).toISOString()}, before it was due at ${dueAt}`,
        )
      : []),
  ];
}

function holdBeforeDeleted({ holdCheck, objects }: Certificate): CertificateDifference[] {
  const first = firstOf(objects);
  return [
    ...((holdCheck.held as boolean) ? differs('holdCheck', 'it was deleted under a legal hold') : []),
    ...(first !== undefined && time(holdCheck.at) > first + ROUNDING_MS
      ? differs('holdCheck', 'holds were looked for only after something was deleted')
      : []),
  ];
}

function rescanned({ rescan, objects, operator }: Certificate): CertificateDifference[] {
  const last = Math.max(...objects.map(({ finishedAt }) => time(finishedAt)));
  const { control, rowsFound, independent, role } = rescan;
  return [
    ...(rowsFound === 0 ? [] : differs('rescan', `the second look found ${rowsFound} rows`)),
    ...(time(rescan.at) + ROUNDING_MS >= last
      ? []
      : differs('rescan', 'the second look came before the deletion ended')),
    ...(control.expected > 0 && control.found === control.expected
      ? []
      : differs(
          'rescan',
          `the second look did not see what is known to be there: ${control.found} of ${control.expected}`,
        )),
    ...(independent && role === operator.databaseUser
      ? differs('rescan', `the second look is called independent, but ${role} has deleted as well`)
      : []),
  ];
}

function firstOf(objects: readonly DeletedObject[]): number | undefined {
  return objects.length === 0 ? undefined : Math.min(...objects.map(({ startedAt }) => time(startedAt)));
}

function time(text: string): number {
  return Date.parse(text);
}

function differs(kind: string, message: string): CertificateDifference[] {
  return [{ kind, message }];
}
