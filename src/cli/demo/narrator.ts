import { formatDuration } from '../../core/duration.js';
import { redact } from '../../core/redact.js';
import { chooseColors, type Colors } from '../../render/colors.js';
import type { GlobalValues } from '../command.js';
import type { Io } from '../io.js';

const WIDTH = 88;

/** Tells the story as it goes, on stdout: it is what the demo is for. Silent with `--json` and `--quiet`. */
export class Narrator {
  readonly colors: Colors;
  private readonly silent: boolean;

  constructor(
    private readonly io: Io,
    global: GlobalValues,
  ) {
    this.silent = global.json || global.quiet;
    const isTTY = io.stdout.isTTY === true;
    this.colors = chooseColors({ env: io.env, isTTY, refused: global.noColor });
  }

  begin(n: number, of: number, { title, why }: { title: string; why: string }): void {
    const { bold, cyan } = this.colors;
    this.write(`${cyan(`${n}/${of}`)} ${bold(title)}`);
    for (const line of wrap(why, WIDTH)) this.write(`    ${line}`);
  }

  /** Something that was seen: a fact, a table, an answer. */
  show(text: string): void {
    this.write('');
    for (const line of text.split('\n')) this.write(line === '' ? '' : `      ${line}`);
  }

  /** The command that does the same on your own fleet. */
  command(text: string): void {
    this.write('');
    this.write(`    ${this.colors.dim(`$ ${text}`)}`);
  }

  done(durationMs: number): void {
    this.write('');
    this.write(`    ${this.colors.green('done')} in ${formatDuration(durationMs)}`);
    this.write('');
  }

  private write(line: string): void {
    if (!this.silent) this.io.stdout.write(`${redact(line)}\n`);
  }
}

/** The text in lines of at most this width. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
