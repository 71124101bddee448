import type { Certificate, SignedCertificate } from '../core/certificate.js';
import type { CertificateVerification } from '../core/certificate-proof.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';
import { residueSentences } from './residue-text.js';
import { properties, table } from './table.js';

/** Objects that are named one by one on one screen. */
const SHOWN = 12;

/** A certificate for people, on one screen. It claims no more than was done: rows were deleted, places were dropped. */
export function certificateText(
  { certificate, signature }: SignedCertificate,
  verification: CertificateVerification,
  colors: Colors,
): string {
  const { tenant, deletion, objects } = certificate;
  return sections(
    `Tenant ${tenant.id} was deleted between ${deletion.begunAt} and ${deletion.endedAt}: ${deletedText(objects)}.`,
    properties(particulars(certificate)),
    objectsTable(objects),
    rescanText(certificate),
    [
      'What may still hold its data',
      ...residueSentences(certificate).map((sentence) => `  ${sentence}`),
    ].join('\n'),
    signatureText(signature.keyId, verification, colors),
  );
}

function deletedText(objects: Certificate['objects']): string {
  const rows = objects.reduce(
    (sum, { kind, rowsBefore }) => sum + (kind === 'table' ? (rowsBefore ?? 0) : 0),
    0,
  );
  const tables = objects.filter(({ kind }) => kind === 'table').length;
  const dropped = objects.filter(({ kind, action }) => kind !== 'table' && action === 'dropped');
  const more = dropped.length === 0 ? '' : `, and ${counted(dropped.length, 'other object')} dropped`;
  return `${counted(rows, 'row')} of ${counted(tables, 'table')}${more}`;
}

function particulars(certificate: Certificate): [string, string][] {
  const { request, retention, holdCheck, scope, operator, audit } = certificate;
  const why = [request.basis, request.ticket].filter((text) => text !== null).map(oneLine);
  return [
    ['certificate', certificate.certificate],
    [
      'issued',
      `${certificate.issuedAt} by ${oneLine(operator.actor)}, database user ${oneLine(operator.databaseUser)}`,
    ],
    ['requested', [retention.requestedAt, ...why].join(', ')],
    ['due', `${retention.dueAt}, ${oneLine(retention.rule)}`],
    [
      'legal hold',
      `none, read at ${holdCheck.at} in ${counted(holdCheck.placementsRead, 'home')} and again with each step`,
    ],
    ['export', exportText(certificate)],
    ...scope.map(({ cluster, database, schema, found }): [string, string] => [
      'place',
      oneLine(`${database}.${schema} on ${cluster}: ${found}`),
    ]),
    ['audit log', `entry ${audit.seq} ${audit.hash}`],
  ];
}

function exportText({ export: { manifestSha256, finishedAt, without } }: Certificate): string {
  if (manifestSha256 === null) return `none: ${oneLine(without ?? '')}`;
  return `${finishedAt}, manifest sha256 ${manifestSha256}`;
}

/** Those that held rows first; tables that held none are counted, as --json names them. */
function objectsTable(objects: Certificate['objects']): string {
  const held = objects
    .filter(({ rowsBefore }) => rowsBefore !== 0)
    .toSorted((one, other) => (other.rowsBefore ?? 0) - (one.rowsBefore ?? 0));
  const rows = held
    .slice(0, SHOWN)
    .map(({ object, kind, rowsBefore, action, rowsAfter, lsn }) => [
      oneLine(object),
      kind,
      rowsBefore === null ? '-' : count(rowsBefore),
      action,
      rowsAfter === null ? '-' : count(rowsAfter),
      lsn ?? '-',
    ]);
  const empty = objects.length - held.length;
  const more = [
    ...(held.length > SHOWN ? [`and ${count(held.length - SHOWN)} more: --json has them all`] : []),
    ...(empty > 0 ? [`and ${counted(empty, 'table')} that held no row`] : []),
  ];
  return [table(['object', 'kind', 'rows before', 'action', 'rows after', 'lsn'], rows), ...more].join('\n');
}

function rescanText({ rescan, operator }: Certificate): string {
  const { at, clusters, databases, readers, rowsFound, notRead, control } = rescan;
  const who = readers.map(({ role, tables }) => {
    const same = role === operator.databaseUser ? ', the role that deleted' : '';
    return `role ${role}${same}: ${counted(tables, 'table')}`;
  });
  const blind = notRead.length === 0 ? '' : ` Not read: ${notRead.map(oneLine).join(', ')}.`;
  return oneLine(
    `A second look at ${at} over ${counted(databases, 'database')} of ${clusters.join(', ')} (${who.join('; ')}) found ${counted(rowsFound, 'row')}. ` +
      `The same look before the deletion saw ${count(control.found)} of ${count(control.expected)} rows.${blind}`,
  );
}

function signatureText(
  keyId: string,
  { ok, keyFrom, differences }: CertificateVerification,
  colors: Colors,
): string {
  if (!ok)
    return `${colors.red('not as it was signed')}: ${differences.map(({ message }) => oneLine(message)).join('; ')}`;
  const whose = keyFrom === 'given' ? 'the configured key' : 'an earlier key, which it brings along itself';
  return `${colors.green('signature right')}: key ${keyId}, ${whose}`;
}

/** What `certificate verify` has found. */
export function certificateVerificationText(
  { ok, certificate, tenant, keyId, keyFrom, differences }: CertificateVerification,
  colors: Colors,
): string {
  const title = ok
    ? `${colors.green('ok')} certificate ${certificate} of tenant ${tenant} is as it was signed, and what it says fits together`
    : `${colors.red('differs')}: ${counted(differences.length, 'difference')}`;
  const lines = differences.map(({ kind, message }) => `  ${kind}: ${oneLine(message)}`);
  return sections([title, ...lines].join('\n'), keyText(keyId, keyFrom));
}

function keyText(keyId: string | null, keyFrom: 'given' | 'file'): string {
  if (keyId === null) return '';
  if (keyFrom === 'given') return `key ${keyId}, as given with --key`;
  return `key ${keyId} came with the file: that the file was not changed since is sure, who has signed it is not. Ask for the key by another way and give it with --key.`;
}
