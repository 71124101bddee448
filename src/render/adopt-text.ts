import { formatDuration } from '../core/duration.js';
import { groupBy } from '../core/group-by.js';
import type { Tier } from '../core/tier.js';
import type { UnitVersion } from '../core/unit.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';
import { UNCHANGED } from './run-text.js';
import { cutText, properties, table } from './table.js';

/** What was found of one unit. */
export interface AdoptedUnitView {
  unit: string;
  tenants: number;
  state: string;
  /** The tool whose ledger it is judged by; null where there is none. */
  tool: string | null;
  /** The beginning of the digest of its shape; null where nobody looked. */
  shape: string | null;
  taken: 'adopted' | 'existing' | 'refused';
  reason: string | null;
  hint: string | null;
}

/** Units of one version that look alike. */
export interface AdoptedShapeView {
  shape: string;
  tier: Tier;
  version: UnitVersion | null;
  units: number;
  examples: readonly string[];
  majority: boolean;
  difference: readonly string[];
}

/** What became of a list of tenants that are there already. */
export interface AdoptView {
  /** Units that were, or would be, taken in by this call, with their tenants, and those that had been before. */
  adopted: number;
  tenants: number;
  existing: number;
  shapes: readonly AdoptedShapeView[];
  units: readonly AdoptedUnitView[];
  problems: readonly { line: number; id: string | null; message: string }[];
  disappeared: readonly string[];
  durationMs: number;
}

interface Circumstances {
  dryRun: boolean;
  /** The list as it was given. */
  from: string;
}

/** Every state with what it means, worst first. */
export const STATE_MEANINGS: Readonly<Record<string, string>> = {
  invalid: 'the row cannot be: its id, key or place is taken',
  unreachable: 'the place is not there, or could not be reached',
  rights: 'the administrator lacks rights there',
  busy: 'somebody is at work there',
  dirty: 'a migration failed there, or was left half done',
  edited: 'a file is not what was applied there',
  ahead: 'it has more than there are files here',
  unclear: 'its ledger does not say which files it has',
  'unknown-ledger': 'its ledger is of no tool that is known, or it has two',
  'no-ledger': 'it has no ledger, and no version that it looks like',
  differs: 'units of the same version look otherwise',
  behind: 'it lacks the newest files; `migrate` brings them',
  current: 'it has every file',
};

const SHOWN_LINES = 20;
const SHOWN_UNITS = 5;
const DIGITS = 8;
/** A reason may name thousands of places. */
const LONGEST_REASON = 300;

/** One line that says it all, the units by state, whatever needs a person, the worst first, and what comes next. */
export function adoptText(view: AdoptView, circumstances: Circumstances, colors: Colors): string {
  return sections(
    headline(view, circumstances, colors),
    statesTable(view.units),
    placedText(view.units),
    ...refusals(view.units, colors),
    shapesText(view, colors),
    listed('Rows that cannot be read', view.problems.map(problemLine)),
    listed('Adopted earlier, and not there any more', view.disappeared.map(oneLine)),
    circumstances.dryRun ? UNCHANGED : '',
    nextText(view, circumstances),
  );
}

function headline(view: AdoptView, { dryRun }: Circumstances, colors: Colors): string {
  const { units, adopted, existing, tenants, durationMs } = view;
  const refused = units.filter(({ taken }) => taken === 'refused').length;
  const calm = refused + view.problems.length === 0;
  const word = dryRun ? 'to take in' : 'taken in';
  const counts = [
    `${counted(adopted, 'unit')} (${counted(tenants, 'tenant')}) ${word}`,
    `${count(existing)} under management already`,
    `${count(refused)} refused`,
  ];
  const text = `${counts.join(', ')} in ${formatDuration(durationMs)}`;
  return calm && !dryRun ? `${colors.green('ok')} ${text}` : text;
}

function statesTable(units: readonly AdoptedUnitView[]): string {
  if (units.length === 0) return '';
  const rows = [...groupBy(units, ({ state }) => state)]
    .toSorted(([a], [b]) => gravity(b) - gravity(a))
    .map(([state, group]) => {
      const tenants = group.reduce((sum, unit) => sum + unit.tenants, 0);
      return [state, count(group.length), count(tenants), STATE_MEANINGS[state] ?? ''];
    });
  return table(['state', 'units', 'tenants', 'what it means'], rows);
}

/** Somebody should know: it is another kind of proof, and --dual-write has nothing to keep true there. */
function placedText(units: readonly AdoptedUnitView[]): string {
  const placed = units.filter(({ tool, taken }) => tool === null && taken === 'adopted');
  if (placed.length === 0) return '';
  const names = namesText(
    placed.map(({ unit }) => unit),
    placed.length,
  );
  return `No ledger of another tool tells the version of ${names}: column version, shape or our own ledger does.`;
}

const STATES = Object.keys(STATE_MEANINGS);
const gravity = (state: string): number => -STATES.indexOf(state);

/** A part for each state that needs a person. */
function refusals(units: readonly AdoptedUnitView[], colors: Colors): string[] {
  const refused = units.filter(({ taken }) => taken === 'refused');
  return [...groupBy(refused, ({ state }) => state)]
    .toSorted(([a], [b]) => gravity(b) - gravity(a))
    .map(([state, group]) => stateText(state, group, colors));
}

function stateText(state: string, units: readonly AdoptedUnitView[], colors: Colors): string {
  const reasons = [...groupBy(units, ({ reason }) => reason ?? '').values()].toSorted(
    (a, b) => b.length - a.length,
  );
  const hints = new Set(units.map(({ hint }) => hint));
  const blocks = reasons.map((group) => reasonLines(group, hints.size > 1, colors));
  const shown = fitting(blocks);
  const left = reasons.slice(shown.length).reduce((sum, group) => sum + group.length, 0);
  const [hint] = hints;
  return [
    `${colors.red(state)} (${counted(units.length, 'unit')})`,
    ...shown.flat(),
    ...(left > 0 ? [`  and ${count(left)} more; --json lists all`] : []),
    ...(hints.size === 1 && hint ? [colors.dim(`  → ${oneLine(hint)}`)] : []),
  ].join('\n');
}

/** As many of the blocks as fit into the lines that a state may have; the first one in any case. */
function fitting(blocks: readonly string[][]): string[][] {
  let lines = 0;
  return blocks.filter((block, at) => {
    lines += block.length;
    return at === 0 || lines <= SHOWN_LINES;
  });
}

function reasonLines(units: readonly AdoptedUnitView[], ownHint: boolean, colors: Colors): string[] {
  const [{ reason, hint }] = units as [AdoptedUnitView];
  const names = namesText(
    units.map(({ unit }) => unit),
    units.length,
  );
  const line = `  ${names}: ${cutText(oneLine(reason ?? 'no reason given'), LONGEST_REASON)}`;
  return ownHint && hint !== null ? [line, colors.dim(`    → ${oneLine(hint)}`)] : [line];
}

/** `schema:a, schema:b and 180 more` */
function namesText(names: readonly string[], total: number): string {
  const shown = names.slice(0, SHOWN_UNITS);
  const more = total - shown.length;
  const text = shown.map(oneLine).join(', ');
  return more > 0 ? `${text} and ${count(more)} more` : text;
}

/** Shapes of versions that have several: what most units look like, and who looks otherwise in which way. */
function shapesText({ shapes, units }: AdoptView, colors: Colors): string {
  const refused = new Set(units.flatMap(({ shape, taken }) => (taken === 'refused' ? (shape ?? []) : [])));
  const versions = [...groupBy(shapes, ({ tier, version }) => `${tier} ${version?.id ?? ''}`).values()];
  const lines = versions
    .filter((group) => group.some(({ majority }) => !majority))
    .flatMap((group) => [...group].toSorted((a, b) => b.units - a.units))
    .flatMap((shape) => shapeLines(shape, refused.has(shape.shape), colors));
  return listed('Shapes', lines, SHOWN_LINES * 2);
}

function shapeLines(shape: AdoptedShapeView, refused: boolean, colors: Colors): string[] {
  const { tier, version, units, examples, majority, difference } = shape;
  const digits = shape.shape.slice(0, DIGITS);
  const at = version === null ? 'without a version' : `at ${version.name}`;
  const head = `${digits}  ${counted(units, 'unit')} of tier ${tier} ${at}`;
  if (majority) return [`${head} (most)`];
  const differences = difference.slice(0, SHOWN_UNITS).map((line) => `          ${oneLine(line)}`);
  const more = difference.length - differences.length;
  const remedy = `--accept ${digits} takes ${units === 1 ? 'it in as it is' : 'them in as they are'}`;
  return [
    `${head}: ${namesText(examples, units)}`,
    ...differences,
    ...(more > 0 ? [`          and ${counted(more, 'more difference')}; --json lists all`] : []),
    ...(refused ? [colors.dim(`          → ${remedy}`)] : ['          accepted as it is']),
  ];
}

function problemLine({ line, id, message }: AdoptView['problems'][number]): string {
  return `line ${line}${id === null ? '' : ` ${oneLine(id)}`}: ${oneLine(message)}`;
}

function listed(title: string, lines: readonly string[], shown = SHOWN_LINES): string {
  if (lines.length === 0) return '';
  const more = lines.length > shown ? [`and ${count(lines.length - shown)} more; --json lists all`] : [];
  return [title, ...[...lines.slice(0, shown), ...more].map((line) => `  ${line}`)].join('\n');
}

function nextText({ adopted, existing, units }: AdoptView, { dryRun, from }: Circumstances): string {
  const again = from === '-' ? 'the same without --dry-run' : `tenantctl adopt --from ${from}`;
  const steps: [string, string][] = [];
  if (dryRun && adopted > 0)
    steps.push([`  ${again}`, `takes ${counted(adopted, 'unit')} in; nothing of the application changes`]);
  if (!dryRun && adopted + existing > 0) {
    const behind = units.some(({ state, taken }) => state === 'behind' && taken !== 'refused');
    steps.push([
      '  tenantctl migrate --dry-run',
      behind ? 'what the units that are behind would get' : 'what the next migration would do',
    ]);
  }
  return steps.length === 0 ? '' : `Next\n${properties(steps)}`;
}

const TIER_WORDS: Readonly<Record<Tier, [one: string, many: string]>> = {
  pool: ['in a pool', 'in pools'],
  schema: ['in a schema of its own', 'in schemas of their own'],
  database: ['in a database of its own', 'in databases of their own'],
};

/** What a look at the fleet has found, on one line. */
export function discoveredText(units: readonly { tier: Tier }[], file: string | undefined): string {
  if (units.length === 0)
    return 'Nothing was found that is not under management already. --schemas and --databases say what to look for, both together: such schemas in such databases.';
  const tiers = [...groupBy(units, ({ tier }) => tier)].map(
    ([tier, group]) => `${count(group.length)} ${TIER_WORDS[tier][group.length === 1 ? 0 : 1]}`,
  );
  const next = file === undefined ? 'adopt --from <file> --dry-run' : `adopt --from ${file} --dry-run`;
  return `Found ${counted(units.length, 'tenant')}: ${tiers.join(', ')}. Read the list, correct it, then: tenantctl ${next}`;
}
