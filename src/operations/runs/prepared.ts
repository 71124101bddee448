import type { Finding } from '../../core/finding.js';
import type { RunPolicy } from '../../core/run-policy.js';
import type { Selector } from '../../core/selector.js';
import type { UnitVersion } from '../../core/unit.js';
import type { RunKind } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import { digestOf } from '../../engine/ledger/files.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { capsOf } from '../../engine/waves/caps.js';
import { type PlannedWave, planWaves } from '../../engine/waves/plan.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import { namedWaves } from './named-waves.js';

/** Everything that is known of a run before anything is changed. */
export interface PreparedRun {
  kind: RunKind;
  /** The version it goes to; null for one that has no single one. */
  target: UnitVersion | null;
  /** The run that it takes back, or null. */
  ofRun: string | null;
  selection: Selector;
  policy: RunPolicy;
  /** The files it may run, frozen with it, and all that there are. */
  files: Migration[];
  all: Migration[];
  /** Files that wait for a go of their own, and why. */
  held: { migration: string; reason: string }[];
  /** What it throws away, in words. */
  losses: string[];
  /** What is to be said of the files that it brings to units in use. */
  findings: Finding[];
  surveyed: SurveyedUnit[];
  waves: PlannedWave[];
}

/** The digest by which a run knows its files again. */
export function filesHashOf({ files }: Pick<PreparedRun, 'files'>): string {
  return digestOf(files);
}

/**
 * Lays the surveyed units out in the waves of the policy. Units that cannot be read are part of the run
 * when there is one: they fail at their turn and count.
 */
export async function laidOut(
  fleet: Fleet,
  policy: RunPolicy,
  surveyed: readonly SurveyedUnit[],
): Promise<PlannedWave[]> {
  const open = surveyed.filter(
    ({ pending, skip, fault }) => pending.length > 0 && skip === null && fault === null,
  );
  if (open.length === 0) return [];
  const broken = surveyed.filter(({ fault }) => fault !== null);
  const named = await namedWaves(fleet, policy.waves);
  const units = [...open, ...broken].map(({ unit, pages }) => ({
    unit,
    pages,
    named: named.get(unit.id) ?? new Set<string>(),
  }));
  return planWaves(units, policy, capsOf(fleet, policy));
}
