import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTenantRows } from '../../src/cli/rows/request.js';
import { testIo } from './support.js';
import { newFolder } from '../support/folder.js';

/** `Array.fromAsync` is not in Node 20. */
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function read(text: string, defaults = {}) {
  const { io } = testIo({ input: text });
  return collect(readTenantRows('-', io, defaults));
}

describe('rows of a CSV file', () => {
  it('become requests, labels by their columns', async () => {
    const rows = await read(
      'id,plan,tier,tenantKey,owner,label.ring\nacme,pro,schema,k-1,a@b.c,canary\nbeta,,,,,\n',
    );
    expect(rows).toEqual([
      {
        line: 2,
        request: {
          id: 'acme',
          plan: 'pro',
          tier: 'schema',
          key: 'k-1',
          owner: 'a@b.c',
          labels: { ring: 'canary' },
        },
      },
      { line: 3, request: { id: 'beta' } },
    ]);
  });

  it('take what the options said where a cell is empty', async () => {
    const rows = await read('id,plan,label.ring\na,,late\nb,pro,\n', {
      plan: 'free',
      labels: { ring: 'early', of: 'import' },
    });
    expect(rows).toEqual([
      { line: 2, request: { id: 'a', plan: 'free', labels: { ring: 'late', of: 'import' } } },
      { line: 3, request: { id: 'b', plan: 'pro', labels: { ring: 'early', of: 'import' } } },
    ]);
  });

  it('may be bad without stopping the next one', async () => {
    const rows = await read(
      'id,tier\nOK-not,pool\ngood,pool\nother,row\nshort\n,pool\na"b"c,x\nlast,schema\n',
    );
    expect(rows.map((row) => [row.line, 'problem' in row ? 'bad' : row.request.id])).toEqual([
      [2, 'bad'],
      [3, 'good'],
      [4, 'bad'],
      [5, 'bad'],
      [6, 'bad'],
      [7, 'bad'],
      [8, 'last'],
    ]);
    expect(rows[0]).toMatchObject({
      id: 'OK-not',
      problem: expect.stringContaining('not a tenant id') as string,
    });
    expect(rows[3]).toMatchObject({ problem: 'it has 1 columns, the header has 2' });
  });

  it('survive a byte-order mark, CRLF, empty lines and quotes', async () => {
    const rows = await read('\uFEFFid,owner\r\n\r\nacme,"O\'Neil, ""Jo"""\r\n');
    expect(rows).toEqual([{ line: 3, request: { id: 'acme', owner: 'O\'Neil, "Jo"' } }]);
  });

  it('end at a quote that is never closed, and say so', async () => {
    const rows = await read('id,owner\na,x\nb,"never closed\nc,y\n');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual({ line: 2, request: { id: 'a', owner: 'x' } });
    expect(rows[1]).toMatchObject({
      problem: expect.stringContaining('nothing after it was read') as string,
    });
  });

  it('do not gather what follows such a quote in memory', async () => {
    const rows = await read(`id,owner\na,x\nb,"${'never closed\n'.repeat(400_000)}`);
    expect(rows.map((row) => 'problem' in row)).toEqual([false, true]);
  });

  it.each([
    ['plan,tier\nfree,pool\n', 'lacks the column id'],
    ['id,colour\na,red\n', '"colour"'],
    ['id,plan,id\na,b,c\n', 'id twice'],
    ['', 'lacks the column id'],
  ])('need a header that can be understood: %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ROWS_HEADER',
      exit: 2,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('rows of an NDJSON file', () => {
  it('have the same keys, labels as an object', async () => {
    const rows = await read(
      '{"id":"acme","tenantKey":7,"plan":null,"labels":{"ring":"canary"}}\n\n{"id":"b","label.ring":"x"}\n',
    );
    expect(rows).toEqual([
      { line: 1, request: { id: 'acme', key: '7', labels: { ring: 'canary' } } },
      { line: 3, request: { id: 'b', labels: { ring: 'x' } } },
    ]);
  });

  it('may be bad without stopping the next one', async () => {
    const rows = await read(
      '{"id":"a"\n[1]\n{"id":"b","colour":1}\n{"id":"c","plan":{}}\n{"plan":"x"}\n{"id":"d"}\n',
    );
    expect(rows.map((row) => 'problem' in row)).toEqual([true, true, true, true, true, false]);
  });
});

describe('a file', () => {
  it('is read as a stream from the working folder', async () => {
    const cwd = newFolder();
    const many = Array.from({ length: 20_000 }, (_, at) => `t${at},free`).join('\n');
    writeFileSync(join(cwd, 'tenants.csv'), `id,plan\n${many}\n`);
    const rows = await collect(readTenantRows('tenants.csv', testIo({ cwd }).io, {}));
    expect(rows).toHaveLength(20_000);
    expect(rows.at(-1)).toEqual({ line: 20_001, request: { id: 't19999', plan: 'free' } });
  });

  it.each(['missing.csv', '.'])('that cannot be read is a usage error: %s', async (name) => {
    const { io } = testIo();
    await expect(collect(readTenantRows(name, io, {}))).rejects.toMatchObject({
      code: 'ROWS_UNREADABLE',
      exit: 2,
      hint: 'Name a CSV or NDJSON file that is there and that you may read; "-" is stdin.',
    });
  });
});
