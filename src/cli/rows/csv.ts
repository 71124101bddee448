import type { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { usageError } from '../../core/errors.js';
import { isColumn, type RawRow } from './columns.js';

interface Parsed {
  record: string[];
  info: { lines: number };
}

/** More than any row needs: a quote that is never closed would gather the rest of the file in memory. */
const MOST_BYTES_A_ROW = 1_000_000;

/**
 * Rows of a CSV text. A row that does not fit the header is told with its line, and the next one is read.
 * @param known the columns that it may have beside labels
 * @throws usage error `ROWS_HEADER` (exit 2) when it has others, or no id
 */
export async function* readCsv(
  text: Readable,
  name: string,
  known: readonly string[],
): AsyncGenerator<RawRow> {
  const broken: RawRow[] = [];
  let columns: string[] | undefined;
  for await (const { record, info } of parseText(text, (row) => broken.push(row))) {
    if (columns === undefined) columns = checkHeader(record, name, known);
    // Lists that were put together, one after the other, have their header again.
    else if (record.join() !== columns.join()) yield toRow(columns, record, info.lines);
  }
  if (columns === undefined) checkHeader([], name, known);
  // It breaks at most once, in a row that has no end.
  yield* broken.slice(0, 1);
}

function parseText(text: Readable, onBreak: (row: RawRow) => void): AsyncIterable<Parsed> {
  const parser = parse({
    bom: true,
    trim: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    // A stray quote is part of its cell; whether the cell makes sense is seen later, row by row.
    relax_quotes: true,
    max_record_size: MOST_BYTES_A_ROW,
    // An error would throw away the good rows that are read but not yet taken.
    skip_records_with_error: true,
    on_skip: (error) => {
      onBreak(brokenRow(error));
      text.unpipe(parser);
      parser.end();
    },
  });
  text.on('error', (error) => parser.destroy(error));
  return text.pipe(parser) as AsyncIterable<Parsed>;
}

function brokenRow(error: CsvError | undefined): RawRow {
  const { lines = 0, message = 'it cannot be read' } = (error ?? {}) as { lines?: number; message?: string };
  return { line: lines, problem: `${message}; nothing after it was read` };
}

function toRow(columns: readonly string[], record: readonly string[], line: number): RawRow {
  if (record.length !== columns.length) {
    return { line, problem: `it has ${record.length} columns, the header has ${columns.length}` };
  }
  return { line, cells: new Map(columns.map((column, at) => [column, record[at] ?? ''])) };
}

function checkHeader(header: string[], name: string, known: readonly string[]): string[] {
  const odd = header.find((column) => !isColumn(known, column));
  const twice = header.find((column, at) => header.indexOf(column) !== at);
  if (header.includes('id') && odd === undefined && twice === undefined) return header;
  const problem =
    odd !== undefined
      ? `has the unknown column ${JSON.stringify(odd)}`
      : twice !== undefined
        ? `has the column ${twice} twice`
        : 'lacks the column id';
  throw usageError('ROWS_HEADER', `--from: the header of ${name} ${problem}.`, {
    hint: `Its first line names the columns: ${known.join(',')},label.<name>; only id must be there.`,
    facts: { option: '--from' },
  });
}
