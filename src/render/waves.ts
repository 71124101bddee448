import type { StampedEvent } from '../core/events.js';
import { oneLine } from './line.js';
import type { Renderer } from './renderer.js';
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

  constructor(private readonly options: Screen) {}

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
    this.drawn = this.drawn.then(() => drawWave(wave, this.options)).catch(() => undefined);
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
