import { groupBy } from '../../core/group-by.js';
import { type Difference, differencesOf, objectOf } from '../../engine/shape/difference.js';
import type { Shape } from '../../engine/shape/shape.js';
import type { Judge, Standing } from './judge.js';
import type { FoundShape } from './report.js';
import type { Standards } from './standards.js';

/** Digits of a fingerprint that people see and give. */
const SHORT_SHAPE = 8;
const EXAMPLES = 3;

export const shortShape = (fingerprint: string): string => fingerprint.slice(0, SHORT_SHAPE);

/** Units of one version that look alike. */
interface Sort {
  fingerprint: string;
  units: Standing[];
}

/** How units of one version have to look, as far as anybody can tell. */
interface Baseline {
  shape: Shape | undefined;
  /** Why there is none. */
  reason: string | null;
}

/**
 * What is recorded is believed where the shape agrees: units of one version are compared with what most of them look like, a lone
 * one and those without a majority with what the files make. Units without a ledger are placed by their shape first.
 */
export async function compareShapes(
  standings: readonly Standing[],
  judgeOf: (standing: Standing) => Judge,
  standards: Standards,
  accept: readonly string[],
): Promise<{ standings: Standing[]; shapes: FoundShape[] }> {
  const placed: Standing[] = [];
  for (const standing of standings)
    placed.push(isUnplaced(standing) ? await placeByShape(standing, judgeOf(standing), standards) : standing);
  const compared = new Map<Standing, Standing>();
  const shapes: FoundShape[] = [];
  for (const alike of groupBy(placed.filter(isComparable), kindOf).values()) {
    const sorts = sortsOf(alike);
    const baseline = await baselineOf(sorts, standards);
    for (const sort of sorts) {
      const differences = await differencesFrom(baseline, sort, standards);
      const difference = differences.map(({ text }) => text);
      shapes.push(toShape(sort, sort.fingerprint === baseline.shape?.fingerprint, difference));
      if (sort.fingerprint === baseline.shape?.fingerprint) continue;
      const tolerated = differences.map(objectOf);
      for (const unit of sort.units)
        compared.set(
          unit,
          isAccepted(unit, tolerated, accept)
            ? { ...unit, difference, tolerated }
            : differing(unit, baseline, difference, sorts),
        );
    }
  }
  return { standings: placed.map((standing) => compared.get(standing) ?? standing), shapes };
}

const isUnplaced = ({ state, reason }: Standing): boolean => state === 'no-ledger' && reason === null;
const isComparable = ({ applied, reason }: Standing): boolean => applied !== null && reason === null;

/** Units that have the same files. Each major version prints in its own way, and pools have what other tiers lack. */
function kindOf({ listed: { unit }, facts, applied }: Standing): string {
  return `${unit.shared} ${facts?.major} ${applied?.join(' ')}`;
}

/** The largest first. */
function sortsOf(alike: readonly Standing[]): Sort[] {
  return [...groupBy(alike, ({ facts }) => facts?.fingerprint ?? '')]
    .map(([fingerprint, units]) => ({ fingerprint, units }))
    .sort((a, b) => b.units.length - a.units.length);
}

async function baselineOf(sorts: readonly Sort[], standards: Standards): Promise<Baseline> {
  const [largest] = sorts as [Sort, ...Sort[]];
  const first = largest.units[0] as Standing;
  const all = sorts.reduce((sum, { units }) => sum + units.length, 0);
  const most = all > 1 && largest.units.length * 2 > all;
  // A mark says nothing of the files before it: that all units skipped one alike would not show among them.
  const common = most ? await standards.of(largest.units) : undefined;
  if (common !== undefined && !largest.units.every(({ inferred }) => inferred))
    return { shape: common, reason: null };
  const files = await standards.ofFiles(first, first.version);
  if (!('reason' in files)) return { shape: files, reason: null };
  return { shape: common, reason: common === undefined ? files.reason : null };
}

async function differencesFrom({ shape }: Baseline, sort: Sort, standards: Standards): Promise<Difference[]> {
  if (shape === undefined || sort.fingerprint === shape.fingerprint) return [];
  const actual = await standards.of(sort.units);
  return actual === undefined ? [] : differencesOf(shape, actual);
}

/** Its shape is accepted now, or was when it was adopted. */
function isAccepted({ facts }: Standing, objects: readonly string[], accept: readonly string[]): boolean {
  const before = facts?.adopted?.tolerated ?? [];
  const known = before.length > 0 && objects.every((object) => before.includes(object));
  return known || accept.some((beginning) => facts?.fingerprint?.startsWith(beginning));
}

function toShape({ fingerprint, units }: Sort, majority: boolean, difference: string[]): FoundShape {
  const { listed, version } = units[0] as Standing;
  return {
    shape: shortShape(fingerprint),
    tier: listed.unit.tier,
    version,
    units: units.length,
    tenants: units.reduce((sum, unit) => sum + unit.listed.tenants.length, 0),
    examples: units.slice(0, EXAMPLES).map((unit) => unit.listed.unit.id),
    majority,
    difference,
  };
}

function differing(
  unit: Standing,
  baseline: Baseline,
  difference: string[],
  sorts: readonly Sort[],
): Standing {
  const shape = shortShape(unit.facts?.fingerprint ?? '');
  const hint = `Repair it, or take it in as it is: --accept ${shape}`;
  return { ...unit, state: 'differs', reason: whyDiffers(unit, baseline, sorts), hint, difference };
}

function whyDiffers({ version }: Standing, { shape, reason }: Baseline, sorts: readonly Sort[]): string {
  const recorded = version === null ? 'it has no migration' : `it is recorded at ${version.name}`;
  if (shape === undefined)
    return `${recorded}; ${sorts.length > 1 ? 'units of that version differ' : 'no other unit is'}, and the files cannot be played to tell who is right: ${reason}`;
  const [largest] = sorts;
  return largest?.fingerprint === shape.fingerprint
    ? `${recorded}, but differs from ${largest.units.length} others`
    : `${recorded}, but differs from what the files make`;
}

async function placeByShape(standing: Standing, judge: Judge, standards: Standards): Promise<Standing> {
  const none = standing.ledger === null ? 'it has no ledger' : 'it has an empty ledger';
  const versions = await standards.versionsLike(standing);
  if ('reason' in versions)
    return {
      ...standing,
      reason: `${none}, and the files cannot be played to compare: ${versions.reason}`,
      hint: SAY,
    };
  const [version, ...others] = versions;
  if (version === undefined)
    return { ...standing, reason: `${none}, and looks like no version of the files`, hint: SAY };
  if (others.length > 0)
    return {
      ...standing,
      reason: `${none}, and looks like versions ${versions.join(', ')} of the files`,
      hint: SAY,
    };
  return judge.upTo(standing, version);
}

const SAY = 'Say in column version which migration it has.';
