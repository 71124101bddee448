// Anything a terminal might take for a command; tenants' data ends up in messages.
const CONTROL = /\p{Cc}+/gu;

/** A text from outside as a single harmless line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(CONTROL, '').trim();
}

/** The first line of a text from outside: snippets with a caret make no sense on one line. */
export function firstLine(text: string): string {
  return oneLine(text.trimStart().split('\n', 1)[0] ?? '');
}

const BLOCKED = /^\s*(blocked by .*)$/m;

/** The first line of a failure, and who kept it waiting where that is known. */
export function gistOf(message: string): string {
  const blocked = BLOCKED.exec(message)?.[1];
  return blocked === undefined ? firstLine(message) : `${firstLine(message)}; ${oneLine(blocked)}`;
}

/** The same lines, harmless each; indentation stays, for carets point by it. */
export function plainLines(text: string): string[] {
  return text.split('\n').map((line) => line.replaceAll('\t', ' ').replace(CONTROL, '').trimEnd());
}
