import type { MoveReport } from '../core/move.js';
import type { MoveIntent } from '../operations/moves/intent.js';
import { moveIntentText } from '../render/move-plan-text.js';
import { moveReportText } from '../render/move-text.js';
import type { GlobalValues, Outcome } from './command.js';

/** What a verb gives back that drives a stored move, or says what driving it would do. */
export function moveOutcome(result: MoveReport | MoveIntent, { verbose }: GlobalValues): Outcome {
  if ('steps' in result) return { data: result, text: () => moveIntentText(result) };
  return { data: result, text: (colors) => moveReportText(result, colors, { hashes: verbose }) };
}
