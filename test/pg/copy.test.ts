import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/pg/connection.js';
import { copyRows } from '../../src/pg/copy.js';
import { BINARY, TEXT } from '../../src/pg/copy-format.js';
import { type Piece, piecesOf, readPieces, writePiece } from '../../src/pg/copy-pieces.js';
import { raw, sql } from '../../src/pg/sql.js';
import { useServer } from '../support/server.js';
import { withTwoSessions } from '../support/session.js';

const server = useServer();

/** More than fits between the two servers. */
const MANY = raw(`select n, repeat('x', 100) from generate_series(1, 300000) n`);

function twoSessions(work: (one: Connection, other: Connection) => Promise<void>): Promise<void> {
  return withTwoSessions(server.current, async (one, other) => {
    await other.message('create temp table t (n int check (n <> 2000), f text)');
    await work(one, other);
  });
}

describe('a copy between two sessions', () => {
  test('ends when the target refuses a row in the midst of many, and does not wait for the others', async () => {
    await twoSessions(async (one, other) => {
      const copy = one.transaction(() => copyRows(one, MANY, other, sql`t (n, f)`));
      await expect(copy).rejects.toMatchObject({ code: '23514' });
      expect(one.usable).toBe(false);
      expect(await other.rows(raw('select n from t'))).toEqual([]);
    });
  });

  test('ends when whoever counts its rows wants no more', async () => {
    await twoSessions(async (one, other) => {
      const enough = (): void => {
        throw new Error('enough');
      };
      const copy = one.transaction(() => copyRows(one, MANY, other, sql`t (n, f)`, enough));
      await expect(copy).rejects.toThrow('enough');
      expect(await other.rows(raw('select n from t'))).toEqual([]);
    });
  });

  test('leaves both sessions as they were when the source refuses its query', async () => {
    await twoSessions(async (one, other) => {
      const broken = raw(`select 1 / (n - 1000), 'x' from generate_series(1, 300000) n`);
      await expect(copyRows(one, broken, other, sql`t (n, f)`)).rejects.toMatchObject({ code: '22012' });
      expect(await one.rows(raw('select 1 as n'))).toEqual([{ n: 1 }]);
      expect(await other.rows(raw('select n from t'))).toEqual([]);
    });
  });
});

/** Wider than what comes at once, and narrower than a length. */
const AWKWARD = raw(`select n + 5000, case n % 5 when 0 then e'a\\nb\\tc\\\\.' when 1 then null when 2 then ''
  when 3 then repeat('x', 200000) else repeat('ü', n) end from generate_series(1, 999) n`);

describe.each([TEXT, BINARY])('a copy in pieces, as $name', (format) => {
  test('takes every row once, whatever stands in it', async () => {
    await twoSessions(async (one, other) => {
      const sizes: number[] = [];
      await readPieces(one, AWKWARD, format, { rows: 100, bytes: 1_000_000 }, async (piece) => {
        sizes.push(piece.rows);
        await writePiece(other, sql`t (n, f)`, piece);
      });
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
      const digest = (from: string) =>
        raw(`select count(*), md5(string_agg(x::text, ',' order by x)) from (${from}) x`);
      expect(await other.rows(digest('select n, f from t'))).toEqual(
        await one.rows(digest(`select n, f from (${AWKWARD.text()}) y (n, f)`)),
      );
    });
  });

  test('of no rows is no piece', async () => {
    await twoSessions(async (one, other) => {
      const pieces: Piece[] = [];
      const size = { rows: 100, bytes: 10_000 };
      await readPieces(one, raw('select 1 where false'), format, size, (piece) => {
        pieces.push(piece);
        return Promise.resolve();
      });
      expect(pieces).toEqual([]);
      expect(await other.rows(raw('select n from t'))).toEqual([]);
    });
  });

  test('ends when a piece cannot be written, and does not read on', async () => {
    await twoSessions(async (one, other) => {
      const size = { rows: 500, bytes: 1 << 20 };
      const write = (piece: Piece) => writePiece(other, sql`t (n, f)`, piece);
      const copy = one.transaction(() => readPieces(one, MANY, format, size, write));
      await expect(copy).rejects.toMatchObject({ code: '23514' });
      expect(one.usable).toBe(false);
    });
  });
});

describe('a stream of rows that is cut', () => {
  const WIDTHS = [1, 2, 3, 7, 64];

  async function cut(data: Buffer, width: number, format: typeof TEXT): Promise<Piece[]> {
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let at = 0; at < data.length; at += width) yield data.subarray(at, at + width);
    }
    const pieces: Piece[] = [];
    for await (const piece of piecesOf(chunks(), format, { rows: 7, bytes: 120 })) pieces.push(piece);
    return pieces;
  }

  test.each(WIDTHS)('gives whole lines however they arrive: %i bytes at a time', async (width) => {
    const text = Array.from({ length: 50 }, (_, n) => `${n}\t${'x'.repeat(n)}\n`).join('');
    const pieces = await cut(Buffer.from(text), width, TEXT);
    const texts = pieces.map((piece) => Buffer.concat(piece.chunks).toString());
    expect(texts.join('')).toBe(text);
    expect(texts.map((one) => one.split('\n').length - 1)).toEqual(pieces.map(({ rows }) => rows));
    expect(texts.every((one) => one.endsWith('\n'))).toBe(true);
    expect(pieces.map(({ bytes }) => bytes)).toEqual(texts.map((one) => one.length));
  });

  test.each(WIDTHS)('gives whole binary rows however they arrive: %i bytes at a time', async (width) => {
    const rows = Array.from({ length: 50 }, (_, n) => binaryRow([null, '', 'x'.repeat(n)].slice(0, n % 4)));
    const pieces = await cut(Buffer.concat([BINARY.head, ...rows, BINARY.tail]), width, BINARY);
    let taken = 0;
    for (const piece of pieces) {
      const own = rows.slice(taken, (taken += piece.rows));
      const whole = Buffer.concat([BINARY.head, ...own, BINARY.tail]);
      expect(Buffer.concat(piece.chunks)).toEqual(whole);
      expect(piece.bytes).toBe(whole.length);
    }
    expect(taken).toBe(50);
    expect(Math.max(...pieces.map((piece) => piece.rows))).toBeLessThanOrEqual(7);
  });
});

/** As the server sends it: a row may have no values at all. */
function binaryRow(values: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const parts = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value?.length ?? -1);
    return Buffer.concat([length, Buffer.from(value ?? '')]);
  });
  return Buffer.concat([count, ...parts]);
}
