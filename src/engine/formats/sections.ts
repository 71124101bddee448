import { createHash } from 'node:crypto';

/** A part of a text, from one offset up to another. */
export interface Span {
  start: number;
  end: number;
}

/** The text with everything outside the spans turned into blanks: lines and columns stay where they are. */
export function keepOnly(text: string, spans: readonly Span[]): string {
  const outside: Span[] = [];
  let from = 0;
  for (const { start, end } of spans) {
    outside.push({ start: from, end: start });
    from = end;
  }
  return blankOut(text, [...outside, { start: from, end: text.length }]);
}

/** The text with the spans turned into blanks of the same length. */
function blankOut(text: string, spans: readonly Span[]): string {
  return spans.reduce(
    (result, { start, end }) =>
      result.slice(0, start) + result.slice(start, end).replace(/[^\n]/g, ' ') + result.slice(end),
    text,
  );
}

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
