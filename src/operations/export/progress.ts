import type { Emit } from '../../core/events.js';

const EVERY_MS = 200;
const LINE_FEED = 0x0a;

/** Tells how far an export has come, a few times a second. */
export class ExportProgress {
  private toldAt = -Infinity;
  private bytes = 0;
  /** Of the tables that are written. */
  private rows = 0;
  /** Bytes of the table that is being written, and lines in those of them that were looked at. */
  private current = { bytes: 0, lookedAt: 0, lines: 0 };

  constructor(
    private readonly emit: Emit,
    private readonly tenant: string,
  ) {}

  passed(table: string, chunk: Buffer): void {
    this.bytes += chunk.length;
    this.current.bytes += chunk.length;
    if (performance.now() - this.toldAt < EVERY_MS) return;
    this.current.lookedAt += chunk.length;
    this.current.lines += linesIn(chunk);
    this.tell(table);
  }

  written(table: string, rows: number): void {
    this.rows += rows;
    this.current = { bytes: 0, lookedAt: 0, lines: 0 };
    this.tell(table);
  }

  private tell(table: string): void {
    const { tenant, bytes } = this;
    this.toldAt = performance.now();
    this.emit({ type: 'export.progress', tenant, table, rows: this.rows + this.about(), bytes });
  }

  /** Rows of the table that is being written, as far as its bytes tell: counting them all would cost more than writing. */
  private about(): number {
    const { bytes, lookedAt, lines } = this.current;
    return lookedAt === 0 ? 0 : Math.round((bytes * lines) / lookedAt);
  }
}

function linesIn(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
