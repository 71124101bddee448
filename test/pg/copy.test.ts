import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/pg/connection.js';
import { type Piece, copyRows, piecesOf, readPieces, writePiece } from '../../src/pg/copy.js';
import { raw, sql } from '../../src/pg/sql.js';
import { useServer } from '../support/server.js';
import { engineSession } from '../support/session.js';

const server = useServer();

/** More than fits between the two servers. */
const MANY = raw(`select n, repeat('x', 100) from generate_series(1, 300000) n`);

async function twoSessions<T>(work: (one: Connection, other: Connection) => Promise<T>): Promise<T> {
  const [one, other] = [
    await engineSession(server.current, 'postgres'),
    await engineSession(server.current, 'postgres'),
  ];
  try {
    await other.message('create temp table t (n int check (n <> 2000), f text)');
    return await work(one, other);
  } finally {
    await one.close();
    await other.close();
  }
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

describe('a copy in pieces', () => {
  test('takes every row once, whatever stands in it', async () => {
    await twoSessions(async (one, other) => {
      const awkward = raw(
        `select n + 5000, case n % 4 when 0 then e'a\\nb\\tc\\\\.' when 1 then null when 2 then '' else repeat('ü', n) end from generate_series(1, 999) n`,
      );
      const sizes: number[] = [];
      await readPieces(
        one,
        awkward,
        () => ({ rows: 100, bytes: 10_000 }),
        async (piece) => {
          sizes.push(piece.rows);
          await writePiece(other, sql`t (n, f)`, piece);
        },
      );
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
      const digest = (from: string) =>
        raw(`select count(*), md5(string_agg(x::text, ',' order by x)) from (${from}) x`);
      expect(await other.rows(digest('select n, f from t'))).toEqual(
        await one.rows(digest(`select n, f from (${awkward.text()}) y (n, f)`)),
      );
    });
  });

  test('ends when a piece cannot be written, and does not read on', async () => {
    await twoSessions(async (one, other) => {
      const size = () => ({ rows: 500, bytes: 1 << 20 });
      const write = (piece: Piece) => writePiece(other, sql`t (n, f)`, piece);
      const copy = one.transaction(() => readPieces(one, MANY, size, write));
      await expect(copy).rejects.toMatchObject({ code: '23514' });
      expect(one.usable).toBe(false);
    });
  });

  test.each([1, 2, 3, 7, 64])('gives whole rows however they arrive: %i bytes at a time', async (width) => {
    const text = Array.from({ length: 50 }, (_, n) => `${n}\t${'x'.repeat(n)}\n`).join('');
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let at = 0; at < text.length; at += width) yield Buffer.from(text.slice(at, at + width));
    }
    const pieces: Piece[] = [];
    for await (const piece of piecesOf(chunks(), () => ({ rows: 7, bytes: 120 }))) pieces.push(piece);
    const texts = pieces.map((piece) => Buffer.concat(piece.chunks).toString());
    expect(texts.join('')).toBe(text);
    expect(texts.map((one) => one.split('\n').length - 1)).toEqual(pieces.map(({ rows }) => rows));
    expect(texts.every((one) => one.endsWith('\n'))).toBe(true);
    expect(pieces.map(({ bytes }) => bytes)).toEqual(texts.map((one) => one.length));
  });
});
