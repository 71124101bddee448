import { groupBy } from '../core/group-by.js';
import { count } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';
import { table } from './table.js';

interface Explanation {
  run: string;
  sentence: string;
  waves: readonly { name: string; sentence: string }[];
  units: readonly { unit: string; sentence: string }[];
  decisions: readonly { at: string; decision: string; reason: string }[];
  next: readonly string[];
}

/** More lines than this are counted; `--unit` and `--json` have every unit. */
const SHOWN = 30;
/** So many units of which the same is to be said have a line each; more of them share one. */
const ALIKE = 3;

/** Why a run is where it is. */
export function explanationText({ run, sentence, waves, units, decisions, next }: Explanation): string {
  const lines = unitLines(units);
  const more = lines.length > SHOWN ? [`  and ${lines.length - SHOWN} more: --json has them all`] : [];
  return sections(
    `run ${run}\n${sentence}`,
    titled(
      'Waves',
      waves.map(({ name, sentence: words }) => `  ${name}: ${oneLine(words)}`),
    ),
    titled('Units that are not done', [...lines.slice(0, SHOWN), ...more]),
    decisions.length === 0
      ? ''
      : `Decisions\n${table(
          ['at', 'decision', 'reason'],
          decisions.map(({ at, decision, reason }) => [at, decision, oneLine(reason)]),
        )}`,
    titled(
      'Next',
      next.map((command) => `  ${command}`),
    ),
  );
}

/** Thousands of units may wait for the same thing. */
function unitLines(units: Explanation['units']): string[] {
  const alike = [...groupBy(units, ({ sentence }) => sentence)];
  return alike.flatMap(([sentence, members]) => {
    const [first, last] = [members[0]?.unit, members.at(-1)?.unit];
    if (members.length > ALIKE)
      return [`  ${count(members.length)} units (${first} to ${last}): ${oneLine(sentence)}`];
    return members.map(({ unit }) => `  ${unit}: ${oneLine(sentence)}`);
  });
}

function titled(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines].join('\n');
}
