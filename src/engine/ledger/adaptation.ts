import { positionAt } from '../../core/source-position.js';
import type { ScriptFile } from '../formats/format.js';

/** The rules by which SQL that was written for one database is made to serve many homes. */
export interface AdaptationRules {
  onForeignSchema: 'refuse' | 'rewrite';
  extensionsSchema: string;
}

/** A part of a text and what stands there instead, of the same length. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A place in a file, with a sentence about it. */
export interface Remark {
  file: ScriptFile;
  offset: number;
  text: string;
}

/** Blanks of the same length; lines stay where they are. */
export function blanks(text: string, start: number, end: number): Edit {
  return { start, end, text: text.slice(start, end).replace(/[^\n]/g, ' ') };
}

export function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce(
    (result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end),
    text,
  );
}

/** `0007_add_note.sql:3:14`. */
export function placeOf({ file, offset }: Remark): string {
  const { line, column } = positionAt(file.sql, offset);
  return `${file.fileName}:${line}:${column}`;
}
