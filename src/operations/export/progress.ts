import type { Emit } from '../../core/events.js';

const EVERY_MS = 200;
const LINE_FEED = 0x0a;

/** Tells how far an export has come, a few times a second. */
export class ExportProgress {
  private toldAt = -Infinity;
  private bytes = 0;
  /** Of the tables that are written. */
  private rows = 0;
  /** Lines of the table that is being written: about its rows, for a value may have line feeds. */
  private lines = 0;

  constructor(
    private readonly emit: Emit,
    private readonly tenant: string,
  ) {}

  passed(table: string, chunk: Buffer): void {
    this.bytes += chunk.length;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) this.lines += 1;
    if (performance.now() - this.toldAt >= EVERY_MS) this.tell(table);
  }

  written(table: string, rows: number): void {
    this.rows += rows;
    this.lines = 0;
    this.tell(table);
  }

  private tell(table: string): void {
    const { tenant, bytes } = this;
    this.toldAt = performance.now();
    this.emit({ type: 'export.progress', tenant, table, rows: this.rows + this.lines, bytes });
  }
}
