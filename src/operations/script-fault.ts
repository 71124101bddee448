import { offsetOfCodePoint, positionAt, renderCaret } from '../core/source-position.js';
import type { DatabaseError } from '../pg/errors.js';

/** What the server said about a script of the user's, and where in it. */
export interface ScriptFault {
  /** `seed.sql:12:8: message (SQLSTATE 42601)`, with the line and a caret below it. */
  text: string;
  line: number | null;
}

/** Finds the place of an error in a script that was sent as one message. */
export function scriptFault(fileName: string, script: string, error: DatabaseError): ScriptFault {
  const said = `${error.message} (SQLSTATE ${error.code})`;
  if (error.position === undefined) return { text: `${fileName}: ${said}`, line: null };
  const position = positionAt(script, offsetOfCodePoint(script, Number(error.position) - 1));
  const where = `${fileName}:${position.line}:${position.column}`;
  return { text: `${where}: ${said}\n${renderCaret(script, position)}`, line: position.line };
}
