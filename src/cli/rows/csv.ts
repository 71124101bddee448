import type { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { usageError } from '../../core/errors.js';
import { COLUMNS, isColumn, type RawRow } from './request.js';

interface Parsed {
  record: string[];
  info: { lines: number };
}

/**
 * Rows of a CSV text. A row that cannot be read is told with its line, and the next one is read.
 * @throws usage error `ROWS_HEADER` (exit 2) when the columns are not those of tenants
 */
export async function* readCsv(text: Readable, name: string): AsyncGenerator<RawRow> {
  const skipped: RawRow[] = [];
  const parser = text.pipe(
    parse({
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
      relax_column_count: true,
      skip_records_with_error: true,
      on_skip: (error) => void skipped.push(problemRow(error)),
    }),
  );
  text.on('error', (error) => parser.destroy(error));
  let columns: string[] | undefined;
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    yield* skipped.splice(0);
    if (columns === undefined) columns = checkHeader(record, name);
    else yield toRow(columns, record, info.lines);
  }
  yield* skipped.splice(0);
  if (columns === undefined) checkHeader([], name);
}

function toRow(columns: readonly string[], record: readonly string[], line: number): RawRow {
  if (record.length !== columns.length) {
    return { line, problem: `it has ${record.length} columns, the header has ${columns.length}` };
  }
  return { line, cells: new Map(columns.map((column, at) => [column, record[at] ?? ''])) };
}

function problemRow(error: CsvError | undefined): RawRow {
  return {
    line: Number((error as { lines?: number } | undefined)?.lines ?? 0),
    problem: error?.message ?? 'it cannot be read',
  };
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
