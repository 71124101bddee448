import { type TenantctlError, conflictError, partialError } from '../../core/errors.js';
import { redact } from '../../core/redact.js';
import { offsetOfCodePoint, positionAt, renderCaret } from '../../core/source-position.js';
import type { MigrationUnit } from '../../core/unit.js';
import { statementsCompletedBefore } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { placeOf } from './adaptation.js';
import type { Message, SourcePlace } from './message.js';
import type { Migration } from './migration.js';
import type { ParsedStatement } from './parser.js';
import { inWordsOfLimits } from './limit-fault.js';
import type { MigrationTarget } from './target.js';
import { WAY_BACK_OPEN, wayBackOpen } from './way-back-open.js';

/** SQLSTATEs that `tenantctl.claim` raises, and what a caller makes of them. */
export const CLAIM = { busy: 'TC010', moved: 'TC011', moving: 'TC012' } as const;

/** What went wrong in a migration, as reports and events carry it. */
export interface MigrationFault {
  unit: string;
  migration: string | null;
  sqlstate: string | null;
  file: string | null;
  line: number | null;
}

/**
 * Turns an error of the server into one that a person can act on: file, line, caret, SQLSTATE.
 * Errors that are no SQL errors (a lost connection) come back as they are.
 */
export function migrationFailure(target: MigrationTarget, message: Message, error: unknown): unknown {
  const { unit } = target;
  if (!isDatabaseError(error)) return error;
  if (error.code === CLAIM.busy) return unitBusy(unit, error);
  if (error.code === CLAIM.moving) return unitMoving(unit, error);
  const position = error.position === undefined ? undefined : Number(error.position);
  const place = message.locate(position, statementsCompletedBefore(error));
  if (error.code === WAY_BACK_OPEN) return wayBackOpen(unit, place?.migration, error);
  return failed(target, error, place);
}

/** The same for a statement that was sent alone: the server counts positions from its beginning. */
export function statementFailure(
  target: MigrationTarget,
  migration: Migration,
  statement: ParsedStatement,
  error: unknown,
): unknown {
  if (!isDatabaseError(error)) return error;
  const text = migration.sql.slice(statement.start, statement.end);
  const within = error.position === undefined ? 0 : offsetOfCodePoint(text, Number(error.position) - 1);
  const number = migration.statements.indexOf(statement);
  return failed(target, error, { migration, offset: statement.start + within, statement: number });
}

/** The fault inside an error made here; nulls where it is another kind of error. */
export function faultOf(unit: MigrationUnit, error: unknown): MigrationFault {
  const facts = (error as Partial<TenantctlError>).facts ?? {};
  const { migration = null, sqlstate = null, file = null, line = null } = facts as Partial<MigrationFault>;
  return { unit: unit.id, migration, sqlstate, file, line };
}

function failed(target: MigrationTarget, said: DatabaseError, place: SourcePlace | null): TenantctlError {
  const { unit } = target;
  const { error, facts } = inWordsOfLimits(target, said, place);
  const where = place === null ? null : describePlace(place);
  const detail = error.detail === undefined ? '' : `\n  detail: ${error.detail}`;
  const head = where === null ? `${unit.id}: ` : `${unit.id}: ${where.text}: `;
  const text = `${head}${error.message} (SQLSTATE ${error.code})${where?.caret ?? ''}${detail}`;
  return partialError('MIGRATION_FAILED', redact(text), {
    hint: error.hint ?? hintOf(place),
    facts: {
      unit: unit.id,
      migration: place?.migration.name ?? null,
      file: place?.migration.path ?? null,
      line: where?.line ?? null,
      sqlstate: error.code,
      ...facts,
    },
    cause: said,
  });
}

function hintOf(place: SourcePlace | null): string {
  const remark = place?.migration.remarks[0];
  const looked = remark === undefined ? '' : ` ${placeOf(remark)} ${remark.text}: look there first.`;
  return `Nothing of this migration was kept.${looked} Correct the cause and run the same command again.`;
}

function describePlace({ migration, offset }: SourcePlace) {
  if (offset === null) return { text: migration.fileName, line: null, caret: '' };
  const position = positionAt(migration.sql, offset);
  return {
    text: `${migration.fileName}:${position.line}:${position.column}`,
    line: position.line,
    caret: `\n${renderCaret(migration.source, position)}`,
  };
}

function unitBusy(unit: MigrationUnit, cause: unknown): TenantctlError {
  return conflictError('UNIT_BUSY', `${unit.id} is being migrated by another process.`, {
    hint: 'Wait for it and run the same command again.',
    facts: { unit: unit.id, sqlstate: CLAIM.busy },
    cause,
  });
}

function unitMoving(unit: MigrationUnit, cause: unknown): TenantctlError {
  return conflictError(
    'UNIT_MOVING',
    `A tenant of ${unit.id} is being moved; the unit is not migrated meanwhile.`,
    {
      hint: 'Wait for the move to flip, or abort it.',
      facts: { unit: unit.id, sqlstate: CLAIM.moving },
      cause,
    },
  );
}
