import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { usageError } from '../../core/errors.js';
import { COLUMNS, isColumn, type RawRow } from './request.js';

interface Parsed {
  record: string[];
  info: { lines: number };
}

/** More than any row needs: a quote that is never closed would gather the rest of the file in memory. */
const MOST_BYTES_A_ROW = 1_000_000;

/**
 * Rows of a CSV text. A row that does not fit the header is told with its line, and the next one is read.
 * @throws usage error `ROWS_HEADER` (exit 2) when the columns are not those of tenants
 */
export async function* readCsv(text: Readable, name: string): AsyncGenerator<RawRow> {
  let columns: string[] | undefined;
  try {
    for await (const { record, info } of parseText(text)) {
      if (columns === undefined) columns = checkHeader(record, name);
      else yield toRow(columns, record, info.lines);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = (error as { lines?: number }).lines ?? 0;
    yield { line, problem: `${error.message}; nothing after it was read` };
    return;
  }
  if (columns === undefined) checkHeader([], name);
}

function parseText(text: Readable): AsyncIterable<Parsed> {
  const options = {
    bom: true,
    trim: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    // A stray quote is part of its cell; whether the cell makes sense is seen later, row by row.
    relax_quotes: true,
    max_record_size: MOST_BYTES_A_ROW,
  };
  const parser = text.pipe(parse(options));
  text.on('error', (error) => parser.destroy(error));
  return parser as AsyncIterable<Parsed>;
}

function toRow(columns: readonly string[], record: readonly string[], line: number): RawRow {
  if (record.length !== columns.length) {
    return { line, problem: `it has ${record.length} columns, the header has ${columns.length}` };
  }
  return { line, cells: new Map(columns.map((column, at) => [column, record[at] ?? ''])) };
}

function checkHeader(header: string[], name: string): string[] {
  const odd = header.find((column) => !isColumn(column));
  const twice = header.find((column, at) => header.indexOf(column) !== at);
  if (header.includes('id') && odd === undefined && twice === undefined) return header;
  const problem =
    odd !== undefined
      ? `has the unknown column ${JSON.stringify(odd)}`
      : twice !== undefined
        ? `has the column ${twice} twice`
        : 'lacks the column id';
  throw usageError('ROWS_HEADER', `--from: the header of ${name} ${problem}.`, {
    hint: `Its first line names the columns: ${COLUMNS.join(',')},label.<name>; only id must be there.`,
    facts: { option: '--from' },
  });
}
