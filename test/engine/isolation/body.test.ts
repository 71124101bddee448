import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/engine/isolation/reach/body.js';

const danger = (source: string) => readBody(source, 'plpgsql').danger;

describe('a body that may reach out of the database', () => {
  it.each([
    ['dblink', `perform dblink_exec('host=x', 'select 1');`],
    ['dblink in a string that is executed', `execute 'select dblink_exec(''host=x'', ''select 1'')';`],
    ['a program', `execute 'copy (select 1) to program ''curl example.com''';`],
    ['a file of the server', `copy note to '/tmp/notes';`],
    ['the web', `perform net.http_post(url := 'https://example.com');`],
    ['a large object in a file', `perform lo_export(5, '/tmp/x');`],
    ['the end of another session', `perform pg_terminate_backend(5);`],
    ['a lock that outlives the transaction', `perform pg_advisory_lock(5);`],
    ['a statement out of an argument', `execute what;`],
    ['a statement out of a table', `select body into v from jobs limit 1; execute v;`],
    ['a statement that another function gives', `v := build(new.id); execute v;`],
    [
      'a function that a value names',
      `execute format('select %I.%I($1)', tg_argv[0], tg_argv[1]) using new.id;`,
    ],
  ])('is told: %s', (_, source) => {
    expect(danger(`begin ${source} return new; end`)).not.toBeNull();
  });

  it.each([
    ['what LISTEN hears of', `notify changes; perform pg_notify('changes', new.id::text);`],
    ['sequences', `new.id := nextval('numbers');`],
    [
      'columns and variables with such names',
      `new.http_status := 200; new.program := 'x'; new.dblink := null;`,
    ],
    ['such words in a comment', `-- no dblink_exec( here\n /* lo_export(1, 2) */ new.a := 1;`],
    [
      'an audit of any table',
      `execute format('insert into %I.%I select ($1).*', tg_table_schema, tg_argv[0]) using new;`,
    ],
    [
      'an audit in a variable',
      `v := format('insert into %I (%s) values ($1)', a, b); v := v || ' on conflict do nothing'; execute v using new.id;`,
    ],
    ['a prepared trigger', `if tg_op = 'INSERT' then insert into audit values (new.*); end if;`],
    ['a lock until the end', `perform pg_advisory_xact_lock(5);`],
    ['copies of the program column', `insert into copy select program from note;`],
  ])('is not seen in %s', (_, source) => {
    expect(danger(`begin ${source} return new; end`)).toBeNull();
  });

  it('is looked for under the names that it calls, quoted ones as they are written', () => {
    const { calls, words, puts } = readBody(
      `begin perform "Tell it"(1); call App.Send (new.id); insert into "Out.box" values (1); end`,
      'plpgsql',
    );
    expect([...calls]).toEqual(expect.arrayContaining(['Tell it', 'send']));
    expect(words.has('Out.box')).toBe(true);
    expect(puts).toBe(false);
  });
});
