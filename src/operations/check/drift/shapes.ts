import type { Finding } from '../../../core/finding.js';
import type { Fleet } from '../../../engine/context.js';
import type { Migration } from '../../../engine/ledger/migration.js';
import { differencesOf, isOutOfWork, untolerated } from '../../../engine/shape/difference.js';
import { isTenantctlError } from '../../../core/errors.js';
import { isAway } from '../../../pg/errors.js';
import { stopIfAsked } from '../../stopping.js';
import { recordedNotApplied } from '../drift-rules/recorded-not-applied.js';
import { differs } from '../drift-rules/shape-differs.js';
import { unlikeFiles } from '../drift-rules/shape-unlike-files.js';
import { type Kind, type Sort, kindsOf } from './alike.js';
import type { Deviation } from './deviation.js';
import { Earlier } from './earlier.js';
import { idsOf, tenantsIn } from './names.js';
import { type Standard, Standards } from './reference.js';
import type { ShapeGroup } from './shape-group.js';
import type { SeenUnit, UnseenUnit } from './survey.js';

export interface ShapeFindings {
  findings: Finding[];
  shapes: ShapeGroup[];
  /** `schema:acme invoice.total_check`: objects that only some units have out of work; a rollout stops at these units. */
  outOfWork: Set<string>;
  /** The same of objects that no other unit has: whether they are at work is nobody's concern. */
  extra: Set<string>;
  /** Units that could not be compared. */
  lost: UnseenUnit[];
}

const EXAMPLES = 3;

/** Compares all units with those that should look like them, one shape of each sort. */
export async function compareShapes(
  fleet: Fleet,
  seen: readonly SeenUnit[],
  migrations: readonly Migration[],
): Promise<ShapeFindings> {
  const kinds = kindsOf(fleet.settings, seen, migrations);
  const standards = new Standards(fleet, migrations);
  const earlier = new Earlier(fleet, standards, kinds);
  const all: ShapeFindings = { findings: [], shapes: [], outOfWork: new Set(), extra: new Set(), lost: [] };
  for (const kind of kinds) {
    stopIfAsked(fleet);
    try {
      await compareKind({ fleet, standards, earlier }, kind, all);
    } catch (error) {
      stopIfAsked(fleet);
      if (!isTenantctlError(error) || !isAway(error)) throw error;
      const { message } = error;
      all.lost.push(...kind.units.map(({ unit }): UnseenUnit => ({ unit, reason: message, why: 'away' })));
    }
  }
  return all;
}

interface Comparison {
  fleet: Fleet;
  standards: Standards;
  earlier: Earlier;
}

async function compareKind(
  { fleet, standards, earlier }: Comparison,
  kind: Kind,
  all: ShapeFindings,
): Promise<void> {
  const standard = await standards.of(kind);
  const odd = kind.sorts.filter((sort) => sort !== standard.sort);
  const deviations: Deviation[] = [];
  for (const sort of odd) deviations.push(await deviationOf(standards, kind, sort, standard));
  all.shapes.push(...groupsOf(kind, standard, deviations));
  all.lost.push(...notPlayed(kind, standard));
  all.findings.push(...(await unlikeFiles(fleet, standards, kind, standard, earlier)));
  for (const deviation of deviations.map(withoutAccepted))
    if (deviation.sort.units.length > 0) all.findings.push(...(await tell(fleet, deviation, earlier, all)));
}

/** Units that were adopted as they are do not drift by what was accepted then. */
function withoutAccepted(deviation: Deviation): Deviation {
  const { sort, differences } = deviation;
  const drifted = ({ unit }: SeenUnit): boolean =>
    differences.length === 0 || untolerated(differences, unit.adopted?.tolerated).length > 0;
  const units = sort.units.filter(drifted);
  return { ...deviation, sort: { ...sort, units, tenants: tenantsIn(units.map(({ unit }) => unit)) } };
}

/** A unit that is alone has nothing but the files to be compared with; where there are several, their finding says so. */
function notPlayed({ units }: Kind, { shape, reason }: Standard): UnseenUnit[] {
  if (shape !== null || units.length > 1) return [];
  return units.map(({ unit }) => ({
    unit,
    reason: `the files are not played: ${reason}`,
    why: 'not played',
  }));
}

async function deviationOf(
  standards: Standards,
  kind: Kind,
  sort: Sort,
  standard: Standard,
): Promise<Deviation> {
  const expected = standard.shape;
  const actual = await standards.read(sort.units[0] as SeenUnit);
  const differences = expected === null || actual === null ? [] : differencesOf(expected, actual);
  return { kind, sort, standard, expected, actual, differences };
}

/** What is only out of work is told by the rule that knows how it is put to work again. */
async function tell(
  fleet: Fleet,
  deviation: Deviation,
  earlier: Earlier,
  { outOfWork, extra }: ShapeFindings,
): Promise<Finding[]> {
  const { differences, sort, expected } = deviation;
  for (const difference of differences) {
    const name = (difference.expected ?? difference.actual)?.name;
    const marks = isOutOfWork(difference) ? outOfWork : difference.expected === undefined ? extra : null;
    for (const { unit } of sort.units) marks?.add(`${unit.id} ${name}`);
  }
  const others = differences.filter((difference) => !isOutOfWork(difference));
  // A unit that meanwhile looks as it should has no differences.
  if (expected !== null && others.length === 0) return [];
  // Where nobody knows how it should look, the last migration may have changed no shape at all.
  const version = expected === null ? null : await earlier.find(deviation.kind, sort.fingerprint);
  const told = { ...deviation, differences: others };
  return version === null ? differs(fleet, told) : recordedNotApplied(told, version);
}

function groupsOf(kind: Kind, standard: Standard, deviations: readonly Deviation[]): ShapeGroup[] {
  const told = new Map(deviations.map(({ sort, differences }) => [sort, differences]));
  return kind.sorts.map((sort) => ({
    kind: kind.name,
    version: kind.version?.name ?? null,
    postgres: kind.major,
    units: sort.units.length,
    tenants: sort.tenants,
    examples: idsOf(sort.units.slice(0, EXAMPLES).map(({ unit }) => unit)),
    majority: sort === standard.sort,
    differences: (told.get(sort) ?? []).map(({ text }) => text),
  }));
}
