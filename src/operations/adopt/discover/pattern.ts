/** How many characters of a name the pattern fixes before its first `%` and after its last one. */
interface Frame {
  before: number;
  after: number;
}

/** Whether the server would refuse it as a pattern of LIKE: a backslash at its end escapes nothing. */
export function isPattern(text: string): boolean {
  return text !== '' && (/\\*$/.exec(text)?.[0].length ?? 0) % 2 === 0;
}

/** The pattern of LIKE that a template of the configuration, such as `tenant_{id}`, amounts to. */
export function patternOf(template: string): string {
  return template.replace(/[\\%_]/g, (character) => `\\${character}`).replaceAll('{id}', '%');
}

/** The part of a name that `%` stands for; of several, everything from the first to the last. All of it without one. */
export function variablePart(pattern: string, name: string): string {
  const frame = frameOf(pattern);
  if (frame === null) return name;
  const characters = [...name];
  return characters.slice(frame.before, characters.length - frame.after).join('');
}

function frameOf(pattern: string): Frame | null {
  // An escaped character counts as one, like `_`.
  const parts: string[] = pattern.match(/\\.|./gsu) ?? [];
  const first = parts.indexOf('%');
  return first < 0 ? null : { before: first, after: parts.length - 1 - parts.lastIndexOf('%') };
}
