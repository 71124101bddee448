import { shortId } from '../../core/short-id.js';
import { createHash } from 'node:crypto';
import { conflictError, usageError } from '../../core/errors.js';
import type { RunPolicy } from '../../core/run-policy.js';
import type { Selector } from '../../core/selector.js';
import type { UnitVersion } from '../../core/unit.js';
import { TOOL_VERSION } from '../../core/version.js';
import { runOfPlan } from '../../engine/catalog/runs.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import type { Connection } from '../../pg/connection.js';

import { type PreparedRun, filesHashOf } from './prepared.js';
import { storablePolicy } from './storable-policy.js';

const FORMAT = 'tenantctl plan';
const FORMAT_VERSION = 1;

/** A plan as it is reviewed and later applied. It names units and files, and no server. */
export interface SavedPlan {
  format: typeof FORMAT;
  version: typeof FORMAT_VERSION;
  tool: string;
  createdAt: string;
  target: UnitVersion | null;
  selection: Selector;
  policy: RunPolicy;
  filesHash: string;
  files: { id: number; name: string; checksum: string }[];
  waves: { name: string; units: { unit: string; lane: string; pages: number; from: number | null }[] }[];
  /** Over everything above: a plan that was edited is none. */
  digest: string;
}

/** Writes down what was prepared, so that it can be applied later exactly as it was reviewed. */
export function planDocument(prepared: PreparedRun): SavedPlan {
  const { target, selection, policy, files, waves, surveyed } = prepared;
  const versions = new Map(surveyed.map(({ unit, version }) => [unit.id, version?.id ?? null]));
  const plan = {
    format: FORMAT,
    version: FORMAT_VERSION,
    tool: TOOL_VERSION,
    createdAt: new Date().toISOString(),
    target,
    selection,
    policy: storablePolicy(policy),
    filesHash: filesHashOf(prepared),
    files: files.map(({ id, name, checksum }) => ({ id, name, checksum })),
    waves: waves.map(({ name, units }) => ({
      name,
      units: units.map(({ unit, lane, pages }) => ({
        unit: unit.id,
        lane,
        pages,
        from: versions.get(unit.id) ?? null,
      })),
    })),
  } as const;
  return { ...plan, digest: digestOf(plan) };
}

/** @throws usage error `PLAN_INVALID` (exit 2) for a text that is no plan, of another version, or edited */
export function parsePlan(text: string, where: string): SavedPlan {
  const plan = parseJson(text, where);
  const { digest, ...rest } = plan;
  if (plan.format !== FORMAT) throw invalid(where, 'it is not a plan of this tool');
  if (plan.version !== FORMAT_VERSION) throw invalid(where, `its format has version ${plan.version}`);
  if (digest !== digestOf(rest)) throw invalid(where, 'it was changed after it was written');
  return plan;
}

function parseJson(text: string, where: string): SavedPlan {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as SavedPlan;
  } catch {
    // Told below, in the same words as for any other text that is no plan.
  }
  throw invalid(where, 'it is not JSON');
}

function invalid(where: string, problem: string) {
  return usageError('PLAN_INVALID', `${where} cannot be applied: ${problem}.`, {
    hint: 'Write a new one with `tenantctl migrate --plan-out <file>`.',
    facts: { file: where },
  });
}

function digestOf(plan: object): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex');
}

/**
 * What a plan prepares, when the fleet is still as it was reviewed.
 * @param now the same request, prepared now
 * @throws conflict `PLAN_STALE` (exit 5) saying what has changed, `PLAN_USED` when a run has followed it
 */
export async function applicable(
  connection: Connection,
  plan: SavedPlan,
  now: PreparedRun,
): Promise<PreparedRun> {
  const used = await runOfPlan(connection, plan.digest);
  if (used !== undefined)
    throw conflictError('PLAN_USED', `Run ${shortId(used)} has followed this plan; a plan is used once.`, {
      hint: `\`tenantctl runs show ${shortId(used)}\` tells how it went.`,
      facts: { run: used },
    });
  const changes = changesSince(plan, now);
  if (changes.length > 0) throw stale(changes);
  const units = new Map(now.surveyed.map((surveyed) => [surveyed.unit.id, surveyed]));
  const waves = plan.waves.map(({ name, units: planned }) => ({
    name,
    units: planned.map(({ unit, lane, pages }, ordinal) => ({
      unit: (units.get(unit) as SurveyedUnit).unit,
      lane,
      pages,
      ordinal,
    })),
  }));
  return { ...now, policy: { ...plan.policy, waves: now.policy.waves }, waves };
}

function changesSince(plan: SavedPlan, now: PreparedRun): string[] {
  const current = planDocument(now);
  const before = new Map(plan.files.map(({ id, name, checksum }) => [id, `${name} ${checksum}`]));
  const files = current.files
    .filter(({ id, name, checksum }) => before.get(id) !== `${name} ${checksum}`)
    .map(({ name }) => `file ${name} is new or was changed`);
  const missing = plan.files
    .filter(({ id }) => !current.files.some((file) => file.id === id))
    .map(({ name }) => `file ${name} is gone`);
  return [
    ...files,
    ...missing,
    ...unitChanges(unitsOf(plan), unitsOf(current)),
    ...policyChanges(plan, current),
  ];
}

/** Each unit with the version that it starts from. */
function unitsOf({ waves }: SavedPlan): Map<string, number | null> {
  return new Map(waves.flatMap(({ units }) => units.map(({ unit, from }) => [unit, from] as const)));
}

function unitChanges(before: Map<string, number | null>, now: Map<string, number | null>): string[] {
  const gone = [...before.keys()]
    .filter((unit) => !now.has(unit))
    .map((unit) => `${unit} is gone or has nothing to do`);
  const changed = [...now].flatMap(([unit, from]) => {
    if (!before.has(unit)) return [`${unit} is new`];
    const planned = before.get(unit) ?? null;
    return planned === from ? [] : [`${unit} is at ${from ?? 'nothing'}, not at ${planned ?? 'nothing'}`];
  });
  return [...gone, ...changed];
}

function policyChanges(plan: SavedPlan, now: SavedPlan): string[] {
  return JSON.stringify(plan.policy.waves) === JSON.stringify(now.policy.waves)
    ? []
    : ['the waves of the policy were changed'];
}

const SHOWN = 10;

function stale(changes: string[]) {
  const more = changes.length > SHOWN ? [`  and ${changes.length - SHOWN} more`] : [];
  return conflictError(
    'PLAN_STALE',
    [
      'The fleet is not as it was when the plan was made:',
      ...changes.slice(0, SHOWN).map((line) => `  ${line}`),
      ...more,
    ].join('\n'),
    { hint: 'Make the plan anew with --plan-out and review it.', facts: { changes } },
  );
}
