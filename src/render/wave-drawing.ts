import type { Colors } from './colors.js';
import type { Output } from './renderer.js';
import { cutText } from './table.js';
import { type Line, SHOWN_FAILURES, type WaveLine } from './wave-line.js';

/** Where waves are drawn. */
export interface Screen {
  stream: Output;
  colors: Colors;
}

/** An icon, a space, and the last column, which some terminals wrap at. */
const ICON_COLUMNS = 3;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Draws one wave until it ends, as a listr2 list of one task: listr2 moves the cursor and does nothing else. */
export async function drawWave(wave: WaveLine, { stream, colors }: Screen): Promise<void> {
  const {
    DefaultRenderer,
    Listr,
    ListrDefaultRendererLogLevels: Level,
    ListrLogger,
    ProcessOutput,
  } = await import('listr2');
  /** listr2 looks at stdout to decide whether it may draw; we draw on stderr and have looked ourselves. */
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true;

    /** Its own would wrap at the width of stdout, which may be a pipe. */
    protected override format(message: string, icon: string, level: number): string[] {
      const indent = '  '.repeat(level);
      const room = columnsOf(stream) - indent.length - ICON_COLUMNS;
      return message.split('\n').map((line) => `${indent}${icon} ${cutText(line, room)}`);
    }
  }
  const task = async (_: object, line: Line) => {
    wave.show(line);
    await wave.ended;
    wave.leave();
    if (wave.incomplete) throw new Error(wave.title);
  };
  const list = new Listr(
    [{ title: wave.title, task, rendererOptions: { outputBar: SHOWN_FAILURES, persistentOutput: true } }],
    {
      renderer: StderrRenderer,
      // Its own listener would end the process with 127 and run no `finally`.
      registerSignalListeners: false,
      exitOnError: false,
      rendererOptions: {
        // Drawn when the title changes, not ten times a second for a spinner.
        lazy: true,
        logger: new ListrLogger({
          useIcons: true,
          processOutput: new ProcessOutput(mirrorOf(stream), mirrorOf(stream)),
        }),
        color: {
          [Level.COMPLETED]: colors.green,
          [Level.FAILED]: colors.red,
          [Level.PENDING]: colors.yellow,
          [Level.OUTPUT]: colors.dim,
        },
      },
    },
  );
  await list.run();
}

/** listr2 replaces the `write` of the stream it is given, and holds back what others write: so it gets another object. */
function mirrorOf(stream: Output): NodeJS.WriteStream {
  const { isTTY, rows } = stream;
  const write = (text: string) => stream.write(text);
  const mirror = { isTTY, columns: columnsOf(stream), rows: rows || DEFAULT_ROWS, write };
  return mirror as unknown as NodeJS.WriteStream;
}

/** A terminal that does not know its size says 0. */
function columnsOf(stream: Output): number {
  return stream.columns || DEFAULT_COLUMNS;
}
