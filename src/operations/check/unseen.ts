import { type Debt, isPartial } from '../../core/baseline.js';
import type { Finding } from '../../core/finding.js';
import { PROBES } from '../../engine/isolation/probes/registry.js';
import { tenantSchemaReached } from '../../engine/isolation/probes/tenant-schema-reached.js';
import { filesNotInOrder } from '../../engine/lint/rules/files-not-in-order.js';
import { psqlCommand } from '../../engine/lint/rules/psql-command.js';
import { syntaxError } from '../../engine/lint/rules/syntax-error.js';
import type { DriftCheck } from './drift.js';
import { notCompared } from './drift-rules/not-compared.js';
import type { IsolationCheck } from './isolation.js';

/** Whether a look could not tell if a debt is still there: then it has not been paid, and stays in the baseline. */
export type Unseen = (debt: Debt) => boolean;

/** Their findings stand for a file, or for all, of which nothing was read. */
const UNREAD: ReadonlySet<string> = new Set([filesNotInOrder.name, psqlCommand.name, syntaxError.name]);
const TRIED: ReadonlySet<string> = new Set(PROBES.map(({ name }) => name));

/** Files are judged by what earlier ones make, so one that cannot be read leaves the others in doubt as well. */
export function unseenInFiles({ findings }: { findings: readonly Finding[] }): Unseen {
  const unread = findings.some(({ rule }) => UNREAD.has(rule));
  return () => unread;
}

/** A finding names the units that are alike, so each that was left out might be one more of any of them. */
export function unseenInUnits({ findings, skipped }: Pick<DriftCheck, 'findings' | 'skipped'>): Unseen {
  const leftOut = skipped.length > 0 || findings.some(({ rule }) => rule === notCompared.name);
  return () => leftOut;
}

/** The catalogs are read whole or not at all; the probes leave places out one by one. */
export function unseenInPlaces({
  findings,
  coverage,
}: Pick<IsolationCheck, 'findings' | 'coverage'>): Unseen {
  if (isPartial(findings)) return () => true;
  // What `, role nights` leaves untried may be at any place before it.
  const untried = coverage.notProbed.map(({ where }) => where.split(', ', 1)[0] as string);
  const databases = new Set(untried.map(databaseOf));
  const inside = untried.filter((place) => place !== databaseOf(place));
  return ({ rule, where }) => {
    // Any role that was not assumed may be the one that reached the schema.
    if (rule === tenantSchemaReached.name) return databases.has(databaseOf(where));
    return TRIED.has(rule) && inside.some((place) => where === place || where.startsWith(`${place}.`));
  };
}

/** `main/app_shared` of `main/app_shared.app.invoice` */
function databaseOf(place: string): string {
  return place.split('.', 1)[0] as string;
}
