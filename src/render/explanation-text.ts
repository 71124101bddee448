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

/** More units than this are counted; `--unit` and `--json` have them all. */
const SHOWN = 30;

/** Why a run is where it is. */
export function explanationText({ run, sentence, waves, units, decisions, next }: Explanation): string {
  const more = units.length > SHOWN ? [`  and ${units.length - SHOWN} more: --json has them all`] : [];
  return sections(
    `run ${run}\n${sentence}`,
    titled(
      'Waves',
      waves.map(({ name, sentence: words }) => `  ${name}: ${oneLine(words)}`),
    ),
    titled('Units that are not done', [
      ...units.slice(0, SHOWN).map(({ unit, sentence: words }) => `  ${unit}: ${oneLine(words)}`),
      ...more,
    ]),
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

function titled(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines].join('\n');
}
