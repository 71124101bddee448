import type { StampedEvent } from '../core/events.js';
import { bytesText } from './bytes.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';

export type ExportEvent = Extract<StampedEvent, { type: `export.${string}` }>;

/** Does an event speak of an export? */
export function isExportEvent(event: StampedEvent): event is ExportEvent {
  return event.type.startsWith('export.');
}

/** How far the export of one tenant has come. */
export class ExportProgress {
  private tenant = 'tenant';
  private at = '';

  note(event: ExportEvent): void {
    this.tenant = event.tenant;
    if (event.type === 'export.progress')
      this.at = `${count(event.rows)} rows, ${bytesText(event.bytes)}, table ${event.table}`;
  }

  /** `acme: 120,000 rows, 34.2 MB, table invoice` */
  copied(): string {
    return `${this.tenant}: ${this.at === '' ? 'begins' : this.at}`;
  }

  standing(): string {
    return `export of ${this.copied()}`;
  }
}

/** The line that an event of an export is worth; progress is not told line by line. */
export function exportLine(event: ExportEvent, colors: Colors): string | undefined {
  switch (event.type) {
    case 'export.started':
      return `export ${event.tenant}: ${counted(event.tables, 'table')}`;
    case 'export.finished':
      return `${colors.green('ok')} ${event.tenant}: exported ${count(event.rows)} rows, ${bytesText(event.bytes)}`;
    case 'export.progress':
      return undefined;
  }
}
