import { refuseOwnControl } from './migration.js';
import type { ScriptFile } from '../formats/format.js';
import { loadParser, parseScript } from './parser.js';

/**
 * Makes sure that a script of the user's can run inside a transaction of ours.
 * @throws configuration error (exit 3) with line and caret for what cannot be parsed or takes control
 */
export async function assertRunnable(file: ScriptFile): Promise<void> {
  await loadParser();
  for (const statement of parseScript(file).statements) refuseOwnControl(file, statement);
}
