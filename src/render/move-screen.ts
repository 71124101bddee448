import type { StampedEvent } from '../core/events.js';
import { ExportProgress, exportLine, isExportEvent } from './export-lines.js';
import { MoveProgress, isMoveEvent, moveLine } from './move-lines.js';
import { cutText } from './table.js';
import type { Screen } from './wave-drawing.js';

/** At most ten frames a second. */
const FRAME_MS = 100;
const DEFAULT_COLUMNS = 80;
const CLEAR = '\r\u001B[2K';

/** A move or an export on a terminal: a line for each step, and one below them that counts the rows. */
export class MoveScreen {
  private readonly progress = new MoveProgress(performance.now());
  private readonly exporting = new ExportProgress();
  private drawnAt = -Infinity;
  private drawn = false;

  constructor(private readonly options: Screen) {}

  on(event: StampedEvent): void {
    const now = performance.now();
    if (isMoveEvent(event)) {
      this.progress.note(event, now);
      this.tell(moveLine(event, this.options.colors), this.progress.copied(now), now);
    } else if (isExportEvent(event)) {
      this.exporting.note(event);
      this.tell(exportLine(event, this.options.colors), this.exporting.copied(), now);
    }
  }

  private tell(line: string | undefined, counting: string, now: number): void {
    if (line === undefined) return this.draw(counting, now);
    this.clear();
    this.options.stream.write(`${line}\n`);
  }

  /** Takes the counting line away, so that something else can be written. */
  clear(): void {
    if (this.drawn) this.options.stream.write(CLEAR);
    this.drawn = false;
  }

  private draw(counting: string, now: number): void {
    if (now - this.drawnAt < FRAME_MS) return;
    const { stream, colors } = this.options;
    const room = (stream.columns || DEFAULT_COLUMNS) - 1;
    stream.write(`${CLEAR}${colors.dim(cutText(counting, room))}`);
    this.drawnAt = now;
    this.drawn = true;
  }
}
