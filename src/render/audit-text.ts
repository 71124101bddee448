import type { AuditDifference, AuditRecord, Checkpoint } from '../core/audit.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections, valueText } from './records.js';
import { UNCHANGED } from './run-text.js';
import { properties, table } from './table.js';

/** Entries of the audit log as a table. */
export function auditText({
  entries,
  next,
}: {
  entries: readonly AuditRecord[];
  next: number | null;
}): string {
  if (entries.length === 0) return 'no entries';
  const rows = entries.map(
    ({ seq, at, action, phase, tenant, unit, actor, databaseUser, reason, ticket }) => [
      String(seq),
      at,
      phase === 'done' ? action : `${action} (${phase})`,
      valueText(tenant ?? unit),
      valueText(actor),
      databaseUser,
      [ticket, reason]
        .filter((text) => text !== null)
        .map(oneLine)
        .join(': ') || '-',
    ],
  );
  const more = next === null ? '' : `more: --after ${next}`;
  return sections(table(['entry', 'at', 'action', 'of', 'actor', 'database user', 'why'], rows), more);
}

interface VerificationView {
  ok: boolean;
  entries: number;
  head: { seq: number; hash: string };
  checkpoints: { file: string | null; inFile: number; inCatalog: number; signatures: string };
  differences: readonly AuditDifference[];
}

/** Whether the log is what was written, and against what that was held. */
export function auditVerificationText(view: VerificationView, colors: Colors): string {
  const { ok, entries, head, differences } = view;
  const title = ok
    ? `${colors.green('ok')} ${counted(entries, 'entry', 'entries')}, one chain, as it was written`
    : `${colors.red('differs')}: ${counted(differences.length, 'difference')} in ${counted(entries, 'entry', 'entries')}`;
  const lines = differences.map(({ kind, message }) => `  ${kind}: ${oneLine(message)}`);
  return sections(
    [title, ...lines].join('\n'),
    properties([
      ['last entry', `${head.seq} ${head.hash}`],
      ['checkpoints', checkpointsText(view)],
    ]),
  );
}

function checkpointsText({ checkpoints }: VerificationView): string {
  const { file, inFile, inCatalog, signatures } = checkpoints;
  if (file === null)
    return `no file, so an end that was cut off would not be seen; ${count(inCatalog)} in the catalog itself`;
  const checked = signatures === 'checked' ? 'signatures checked' : 'signatures not checked: no key';
  return `${count(inFile)} in ${file}, ${checked}; ${count(inCatalog)} in the catalog itself`;
}

interface CheckpointView {
  checkpoint: Pick<Checkpoint, 'seq' | 'hash' | 'keyId' | 'at'>;
  file: string;
  isNew: boolean;
  written: boolean;
}

/** What was signed, or would be. */
export function checkpointText({ checkpoint, file, isNew, written }: CheckpointView, colors: Colors): string {
  const { seq, hash, keyId, at } = checkpoint;
  const what = properties([
    ['entry', `${seq} ${hash}`],
    ['at', at],
    ['key', keyId],
    ['file', file],
  ]);
  if (!isNew) return sections('nothing new since the last checkpoint', what);
  if (!written) return sections(`would sign ${counted(seq, 'entry', 'entries')}`, what, UNCHANGED);
  return sections(`${colors.green('ok')} signed ${counted(seq, 'entry', 'entries')}`, what);
}
