import type { ListrTaskWrapper } from 'listr2';
import type { StampedEvent } from '../core/events.js';
import type { Colors } from './colors.js';
import { oneLine } from './line.js';
import { faultText } from './plain.js';
import { countUnit, type Progress, progressText, startProgress } from './progress.js';
import type { Output, Renderer } from './renderer.js';

interface Options {
  stream: Output;
  colors: Colors;
}

const FRAME_MS = 100;
const CLOCK_MS = 1_000;
const SHOWN_FAILURES = 5;

/** The part of a listr2 task that a wave writes to. */
type Line = Pick<ListrTaskWrapper<object, never, never>, 'title' | 'output'>;

/** Waves on a terminal, one line each. One listr2 task per unit was measured at 27 s for 300 units. */
export function wavesRenderer(options: Options): Renderer {
  const screen = new WaveScreen(options);
  return { on: (event) => screen.on(event), close: () => screen.close() };
}

class WaveScreen {
  private kind = 'units';
  private total: number | null = null;
  private wave: WaveLine | undefined;
  /** One wave is drawn after the other: two live listr2 lists would draw over each other. */
  private drawn: Promise<void> = Promise.resolve();

  constructor(private readonly options: Options) {}

  on(event: StampedEvent): void {
    switch (event.type) {
      case 'run.started':
        this.kind = event.kind;
        this.total = event.units;
        break;
      case 'wave.started':
        this.open(`wave ${event.wave}`, event.units);
        break;
      case 'unit.started':
        this.current();
        break;
      case 'unit.finished':
        this.current().count(event);
        break;
      case 'wave.finished':
      case 'run.finished':
        this.shut();
        break;
      case 'notice':
        this.tell(event);
        break;
    }
  }

  async close(): Promise<void> {
    this.shut();
    await this.drawn;
  }

  private open(name: string, units: number | null): WaveLine {
    this.shut();
    const wave = new WaveLine(name, units);
    this.wave = wave;
    this.drawn = this.drawn.then(() => draw(wave, this.options)).catch(() => undefined);
    return wave;
  }

  /** Units outside any wave are counted on a line of their own. */
  private current(): WaveLine {
    return this.wave ?? this.open(this.kind, this.total);
  }

  private shut(): void {
    this.wave?.finish();
    this.wave = undefined;
  }

  private tell({ level, message }: Extract<StampedEvent, { type: 'notice' }>): void {
    const text =
      level === 'warning'
        ? `${this.options.colors.yellow('warning:')} ${oneLine(message)}`
        : oneLine(message);
    if (this.wave === undefined) this.options.stream.write(`${text}\n`);
    else this.wave.tell(text);
  }
}

/** The state of one wave, and its line on the screen once there is one. */
class WaveLine {
  readonly ended: Promise<void>;
  private readonly progress: Progress;
  private readonly waiting: string[] = [];
  private line: Line | undefined;
  private frame: NodeJS.Timeout | undefined;
  private clock: NodeJS.Timeout | undefined;
  private end: () => void = () => undefined;

  constructor(
    private readonly name: string,
    units: number | null,
  ) {
    this.progress = startProgress(units, Date.now());
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  get title(): string {
    return `${this.name}: ${progressText(this.progress, Date.now())}`;
  }

  get failed(): boolean {
    return this.progress.failed > 0;
  }

  show(line: Line): void {
    this.line = line;
    for (const text of this.waiting.splice(0)) line.output = text;
    this.clock = setInterval(() => this.requestFrame(), CLOCK_MS);
    this.clock.unref();
  }

  count(event: Extract<StampedEvent, { type: 'unit.finished' }>): void {
    countUnit(this.progress, event);
    if (event.outcome === 'failed' && this.progress.failed <= SHOWN_FAILURES)
      this.tell(`${event.unit}: ${faultText(event)}`);
    this.requestFrame();
  }

  tell(text: string): void {
    if (this.line === undefined) this.waiting.push(text);
    else this.line.output = text;
  }

  finish(): void {
    clearTimeout(this.frame);
    clearInterval(this.clock);
    if (this.line !== undefined) this.line.title = this.title;
    this.end();
  }

  /** However many units finish, the screen is drawn ten times a second: drawing takes time from the work. */
  private requestFrame(): void {
    this.frame ??= setTimeout(() => {
      this.frame = undefined;
      if (this.line !== undefined) this.line.title = this.title;
    }, FRAME_MS);
  }
}

async function draw(wave: WaveLine, { stream, colors }: Options): Promise<void> {
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
  }
  const task = async (_: object, line: Line) => {
    wave.show(line);
    await wave.ended;
    if (wave.failed) throw new Error(wave.title);
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
  const { isTTY, columns, rows } = stream;
  return {
    isTTY,
    columns,
    rows,
    write: (text: string) => stream.write(text),
  } as unknown as NodeJS.WriteStream;
}
