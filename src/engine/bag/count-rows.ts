import type { DataFormat } from '../../core/export-manifest.js';

const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** Counts the rows of a file of a table, chunk by chunk. */
export interface RowCounter {
  add(chunk: Buffer): void;
  /** The rows that are whole, and whether something was left over that is none. */
  result(): { rows: number; torn: boolean };
}

export function rowCounter(format: DataFormat): RowCounter {
  return format === 'csv' ? csvCounter() : lineCounter();
}

/** The first record holds the names of the columns. A line feed within quotes belongs to a value. */
function csvCounter(): RowCounter {
  let records = 0;
  let quoted = false;
  let last = LINE_FEED;
  return {
    add(chunk) {
      for (const byte of chunk) {
        if (byte === QUOTE) quoted = !quoted;
        else if (byte === LINE_FEED && !quoted) records += 1;
      }
      last = chunk.at(-1) ?? last;
    },
    result: () => ({ rows: Math.max(0, records - 1), torn: quoted || last !== LINE_FEED || records === 0 }),
  };
}

function lineCounter(): RowCounter {
  let lines = 0;
  let last = LINE_FEED;
  return {
    add(chunk) {
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
      last = chunk.at(-1) ?? last;
    },
    result: () => ({ rows: lines, torn: last !== LINE_FEED }),
  };
}
