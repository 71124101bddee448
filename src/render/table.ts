const ANSI = /\u001B\[[0-9;]*m/g;
/** Marks that stand on the character before them, and joiners that take no room. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\u200B-\u200D\u2060\uFE00-\uFE0F]$/u;
/** East Asian scripts and pictures, which terminals draw over two columns. */
const TWO_WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u;

/** How many columns of a terminal the text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(ANSI, '')) {
    if (NO_WIDTH.test(character)) continue;
    width += TWO_WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** The text filled up with spaces to the width; a longer one is left as it is. */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** The text cut to the width, with a mark where something is missing; a cut text loses its colours. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cut = '';
  for (const character of text.replace(ANSI, '')) {
    if (textWidth(cut + character) >= width) break;
    cut += character;
  }
  return `${cut}…`;
}

/** Columns two spaces apart under their headings, without lines: it stays easy to cut and to grep. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    widest([heading, ...rows.map((row) => row[column] ?? '')]),
  );
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => padText(cells[column] ?? '', width))
      .join('  ')
      .trimEnd();
  return [line(headings.map((heading) => heading.toUpperCase())), ...rows.map(line)].join('\n');
}

/** Names and values one below the other, the values in one column. */
export function properties(entries: readonly (readonly [name: string, value: string])[]): string {
  const width = widest(entries.map(([name]) => name));
  return entries.map(([name, value]) => `${padText(name, width)}  ${value}`.trimEnd()).join('\n');
}

/** Not `Math.max(...widths)`: a fleet has more rows than a call may have arguments. */
function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, textWidth(text)), 0);
}
