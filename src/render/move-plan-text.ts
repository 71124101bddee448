import { formatDuration } from '../core/duration.js';
import { type MoveHome, type MoveMethod, standingOf } from '../core/move.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { homeName } from './home-name.js';
import { sections } from './records.js';
import { UNCHANGED, stepsText } from './run-text.js';

/** What a move would do, as the operation plans it. */
export interface MovePlanView {
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  method: MoveMethod;
  rows: number;
  tables: readonly { table: string; rows: number }[];
  predictedPauseMs: number;
  maxPauseMs: number;
  findings: readonly { level: 'error' | 'warning'; where: string; message: string; hint: string }[];
  steps: readonly string[];
}

/** The plan of a move: its numbered steps, how long writes would wait, and what stands in its way. */
export function movePlanText(plan: MovePlanView): string {
  const { tenant, from, to, method, rows, tables } = plan;
  return sections(
    `Move ${tenant} from ${homeName(from)} to ${homeName(to)}, ${method}: ${counted(rows, 'row')} of ${counted(tables.length, 'table')}`,
    numbered(plan.steps),
    pauseText(plan),
    findingsText(plan.findings),
    UNCHANGED,
  );
}

/** What a verb would do with a stored move. */
export function moveIntentText({
  steps,
  move,
}: {
  steps: readonly string[];
  move: { tenant: string; state: string };
}): string {
  if (steps.length > 0) return stepsText({ steps });
  return sections(`Nothing to do: the move of ${move.tenant} is ${standingOf(move.state)}.`, UNCHANGED);
}

function numbered(steps: readonly string[]): string {
  const width = String(steps.length).length;
  return steps.map((step, at) => `${String(at + 1).padStart(width)}. ${oneLine(step)}`).join('\n');
}

function pauseText({ predictedPauseMs, maxPauseMs, method }: MovePlanView): string {
  const limit = method === 'online' ? `, never for more than ${formatDuration(maxPauseMs)}` : '';
  return `Writes of the tenant would wait for about ${formatDuration(predictedPauseMs)}${limit}; reads would not.`;
}

function findingsText(findings: MovePlanView['findings']): string {
  if (findings.length === 0) return 'Nothing stands in its way.';
  const errors = findings.filter(({ level }) => level === 'error').length;
  const title =
    errors > 0
      ? `Refused: ${count(errors)} of ${counted(findings.length, 'finding')} must be mended`
      : 'Findings';
  const lines = findings.map(
    ({ level, where, message, hint }) =>
      `  ${level} ${oneLine(where)}: ${oneLine(message)}\n    ${oneLine(hint)}`,
  );
  return [title, ...lines].join('\n');
}
