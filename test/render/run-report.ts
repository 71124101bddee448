import type { RunReport, UnitFailure } from '../../src/core/report.js';

/** Texts that break what is careless with them. */
export const HOSTILE = [
  ']]>',
  '\u0000\u0001\u001B[31m\uFFFF',
  `"'&<>&amp;<!--<![CDATA[`,
  '\uD83D half an emoji, a whole one 🚀',
  'a|b`c\nd\r\ne\tf',
  '%0A::error::x,y:z%',
  '::stop-commands::x',
].join(' ');

export function failure(unit: string, more: Partial<UnitFailure> = {}): UnitFailure {
  return {
    unit,
    wave: 'rest',
    tenants: [unit],
    code: 'MIGRATION_FAILED',
    migration: '0014_activity',
    sqlstate: '42P07',
    message: `${unit}: 0014_activity.sql:3:1: relation "x" exists (SQLSTATE 42P07)\n3 | create table x ();\n    ^`,
    file: 'migrations/0014_activity.sql',
    line: 3,
    attempts: 1,
    ...more,
  };
}

/** A run of two waves, of which the second failed in two of four units and did not visit one. */
export function runReport(more: Partial<RunReport> = {}): RunReport {
  return {
    run: 'r-1',
    kind: 'migrate',
    status: 'partial',
    reason: null,
    to: { id: 14, name: '0014_activity' },
    totals: {
      units: 9,
      tenants: 100,
      succeeded: 3,
      failed: 2,
      skipped: 1,
      rolledBack: 0,
      pending: 1,
      current: 2,
    },
    waves: [
      { name: 'canary', status: 'succeeded', units: 2, succeeded: 2, failed: 0, durationMs: 1_500 },
      { name: 'rest', status: 'failed', units: 4, succeeded: 1, failed: 2, durationMs: 0 },
    ],
    failures: [failure('schema:a'), failure('schema:b')],
    held: [],
    skipped: [{ unit: 'schema:pinned', reason: 'pinned at 0012' }],
    durationMs: 61_000,
    ...more,
  };
}
