import { expect, it, vi } from 'vitest';
import { dumpOf } from '../operations/check/dump.js';
import { query, useServer, withClient } from '../support/server.js';
import { Project } from './project.js';

const server = useServer({ autovacuum: 'off' });

it(
  'a check of isolation that is killed while its rows stand in tables leaves none of them',
  { timeout: 120_000 },
  async () => {
    const project = await new Project(server.current).install();
    await project.do(...project.provisionArgs('pool'));
    const database = `app_${project.mark}`;
    const url = server.current.superuserUrl(database);
    await query(
      url,
      `create function app.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(77); return new; end $$;
     create trigger wait before insert on app.invoice_line for each row execute function app.wait()`,
    );
    const before = await dumpOf(server.current, database);
    await withClient(url, async (holder) => {
      await holder.query('select pg_advisory_lock(77)');
      const checking = project.launch('check', 'isolation');
      await vi.waitUntil(
        async () =>
          (
            await query(
              url,
              `select from pg_locks where locktype = 'advisory' and objid = 77 and not granted`,
            )
          ).length > 0,
        { interval: 10, timeout: 60_000 },
      );
      checking.kill();
      expect(await checking.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    });
    await vi.waitUntil(
      async () =>
        (
          await query(
            url,
            `select from pg_stat_activity where application_name like 'tenantctl/%' and datname = $1`,
            [database],
          )
        ).length === 0,
      { interval: 20, timeout: 60_000 },
    );
    expect(await dumpOf(server.current, database)).toEqual(before);
  },
);
