import type { Certificate } from '../core/certificate.js';
import { bytesText } from './bytes.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';

/** What a deletion leaves behind, in sentences; the figures are those of the moment of the second look. */
export function residueSentences({ residue }: Certificate): string[] {
  return [
    ...residue.servers.flatMap(logSentences),
    ...tableSentences(residue.tables),
    ...backupSentences(residue.backups),
    ...residue.notCovered,
  ].map(oneLine);
}

type Server = Certificate['residue']['servers'][number];

function logSentences({ cluster, walLsn, walKeptBytes, archiving, slots, replicas }: Server): string[] {
  const kept =
    walKeptBytes === null
      ? 'until its checkpoints recycle it'
      : `with ${bytesText(walKeptBytes)} kept for replicas`;
  return [
    `The write-ahead log of ${cluster} holds the deleted rows up to ${walLsn}, ${kept}${archiving ? '; it is archived elsewhere, for how long this tool cannot see' : ''}.`,
    ...(slots.length === 0
      ? []
      : [`Replication slots of ${cluster} hold log back: ${slots.map(({ name }) => name).join(', ')}.`]),
    ...replicas.map(({ name, replayLsn, past }) =>
      past === true
        ? `Replica ${name} of ${cluster} has replayed the deletion (${replayLsn}).`
        : `Replica ${name} of ${cluster} ${past === false ? `had not replayed the deletion (${replayLsn})` : 'could not be asked how far it is'}.`,
    ),
  ];
}

/** What was dropped has no pages any more, and no dead rows on them. */
function tableSentences(tables: Certificate['residue']['tables']): string[] {
  if (tables.length === 0) return [];
  const dead = tables.reduce((sum, { deadRows }) => sum + deadRows, 0);
  const old = tables.filter(({ analyzed }) => !analyzed).map(({ table }) => table);
  return [
    `Files of ${counted(tables.length, 'shared table')} hold deleted rows until vacuum and new rows have written over them; the server counted ${count(dead)} dead rows in them.`,
    ...(old.length === 0
      ? []
      : [`Planner statistics, which hold sample values, are from before: ${old.join(', ')}.`]),
  ];
}

function backupSentences(backups: Certificate['residue']['backups']): string[] {
  return backups.map(
    ({ name, clusters, expiresAt }) =>
      `Backups ${name} of ${clusters.join(', ')} may hold its data until ${expiresAt}.`,
  );
}
