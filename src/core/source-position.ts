/** A place in a text: line and column count from 1, columns in characters as an editor shows them. */
export interface SourcePosition {
  line: number;
  column: number;
}

/** The position of an offset given in UTF-16 units, JavaScript's own. */
export function positionAt(text: string, offset: number): SourcePosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}

/** UTF-16 offset of the n-th code point: PostgreSQL counts positions in characters. */
export function offsetOfCodePoint(text: string, index: number): number {
  let offset = 0;
  for (let count = 0; count < index && offset < text.length; count += 1) {
    offset += (text.codePointAt(offset) as number) > 0xffff ? 2 : 1;
  }
  return offset;
}

const LONGEST_LINE = 160;

/** The line of a position with a caret below it, as compilers show it. */
export function renderCaret(text: string, { line, column }: SourcePosition): string {
  const source = (text.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
  const gutter = `${line} | `;
  const shown = source.length > LONGEST_LINE ? `${source.slice(0, LONGEST_LINE)}…` : source;
  if (column > LONGEST_LINE) return gutter + shown;
  return `${gutter}${shown}\n${' '.repeat(gutter.length + column - 1)}^`;
}
