import type { StampedEvent } from '../core/events.js';
import { oneLine } from './line.js';
import type { Renderer } from './renderer.js';
import { MoveScreen } from './move-screen.js';
import { drawWave, type Screen } from './wave-drawing.js';
import { WaveLine } from './wave-line.js';

/** Waves on a terminal, one line each. One listr2 task per unit was measured at 27 s for 300 units. */
export function wavesRenderer(options: Screen): Renderer {
  const screen = new WaveScreen(options);
  return { on: (event) => screen.on(event), close: () => screen.close() };
}

class WaveScreen {
  private kind = 'units';
  private total: number | null = null;
  private wave: WaveLine | undefined;
  /** One wave is drawn after the other: two live listr2 lists would draw over each other. */
  private drawn: Promise<void> = Promise.resolve();
  private readonly moves: MoveScreen;

  constructor(private readonly options: Screen) {
    this.moves = new MoveScreen(options);
  }

  on(event: StampedEvent): void {
    switch (event.type) {
      case 'run.started':
        this.kind = event.kind;
        this.total = event.units;
        break;
      case 'wave.started':
        this.begin(lineName(event.wave), event.units);
        break;
      case 'wave.waiting':
        this.lineOf(event.wave).wait(event);
        break;
      case 'wave.resumed':
        this.lineOf(event.wave).wait(undefined);
        break;
      case 'unit.started':
        this.current();
        break;
      case 'unit.finished':
        this.current().count(event);
        break;
      // Not `wave.finished`: on the same line the wave then bakes, is approved or is taken back.
      case 'run.finished':
        this.shut();
        break;
      case 'run.halted':
        this.tell(`${this.options.colors.red('run halted:')} ${oneLine(event.reason)}`);
        break;
      case 'tenant.step':
        this.tell(`${event.tenant}: ${oneLine(event.text)}`);
        break;
      case 'notice':
        this.tell(this.noticeText(event));
        break;
      default:
        this.moves.on(event);
    }
  }

  async close(): Promise<void> {
    this.moves.clear();
    this.shut();
    await this.drawn;
  }

  private open(name: string, units: number | null): WaveLine {
    this.shut();
    const wave = new WaveLine(name, units);
    this.wave = wave;
    this.drawn = this.drawn.then(() => drawWave(wave, this.options)).catch(() => undefined);
    return wave;
  }

  /** A wave that had to wait before its first unit has its line already. */
  private begin(name: string, units: number): void {
    if (this.wave?.name === name && this.wave.expects(units)) return;
    this.open(name, units);
  }

  /** Units outside any wave are counted on a line of their own. */
  private current(): WaveLine {
    return this.wave ?? this.open(this.kind, this.total);
  }

  private lineOf(wave: string): WaveLine {
    const name = lineName(wave);
    return this.wave?.name === name ? this.wave : this.open(name, null);
  }

  private shut(): void {
    this.wave?.finish();
    this.wave = undefined;
  }

  private noticeText({ level, message }: Extract<StampedEvent, { type: 'notice' }>): string {
    const text = oneLine(message);
    return level === 'warning' ? `${this.options.colors.yellow('warning:')} ${text}` : text;
  }

  private tell(text: string): void {
    this.moves.clear();
    if (this.wave === undefined) this.options.stream.write(`${text}\n`);
    else this.wave.tell(text);
  }
}

function lineName(wave: string): string {
  return `wave ${wave}`;
}
