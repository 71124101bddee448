import { beforeEach } from 'vitest';
import { newFolder } from '../../support/folder.js';
import { type TestFleet, newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';
import { join } from 'node:path';

const WRITE = `insert into tenantctl_catalog.audit (action, tenant, actor, reason, details, tool)
  select 'test.change', 't' || n % 3, case n % 2 when 0 then 'jo' else 'kim' end, 'Grüße "x" \\ 🎉', jsonb_build_object('n', n, 'half', n / 2.0), 'suite'
    from generate_series($1::int, $2::int) n`;

const growth = (entries: number): string => `do $$
  declare e tenantctl_catalog.audit; h tenantctl_catalog.audit_head;
  begin
    select * into h from tenantctl_catalog.audit_head;
    for n in 1 .. ${entries} loop
      e := null; e.seq := h.seq + 1; e.at := clock_timestamp(); e.action := 'test.grow'; e.phase := 'done'; e.actor := 'jo';
      e.database_user := 'postgres'; e.details := jsonb_build_object('n', n); e.tool := 'suite'; e.previous := h.hash;
      e.hash := tenantctl_catalog.audit_hash(e);
      insert into tenantctl_catalog.audit values (e.*);
      h.seq := e.seq; h.hash := e.hash;
    end loop;
    update tenantctl_catalog.audit_head set seq = h.seq, hash = h.hash;
  end $$`;

export interface Log {
  fleet: TestFleet['fleet'];
  made: TestFleet;
  /** A checkpoint file that is not there yet. */
  file: string;
  /** Adds so many entries, as changes would. */
  write(entries: number): Promise<void>;
  /** The same for very many, chained without the trigger, which writes the head anew for each. */
  grow(entries: number): Promise<void>;
  /** What a superuser does who knows how to silence every trigger. */
  tamper(...statements: string[]): Promise<void>;
  last(): Promise<number>;
}

/** A fleet with an audit log of its own before each test. Call it at the top of a file. */
export function useLog(): { readonly current: Log } {
  const server = useServer();
  let log: Log | undefined;
  beforeEach(async () => {
    const made = await newFleet(server.current);
    const superuser = server.current.superuserUrl(made.fleet.catalogDatabase);
    const tamper = (...statements: string[]): Promise<void> =>
      withClient(superuser, async (client) => {
        await client.query('set session_replication_role = replica');
        for (const statement of statements) await client.query(statement);
      });
    log = {
      made,
      fleet: made.fleet,
      file: join(newFolder(), 'checkpoints.ndjson'),
      async write(entries) {
        // In small transactions, as changes are: within one, the head row would be updated over and over.
        await withClient(superuser, async (client) => {
          for (let from = 1; from <= entries; from += 500)
            await client.query(WRITE, [from, Math.min(from + 499, entries)]);
        });
      },
      grow: (entries) => tamper(growth(entries)),
      tamper,
      async last() {
        const [row] = await query<{ seq: number }>(
          superuser,
          'select max(seq)::int as seq from tenantctl_catalog.audit',
        );
        return row?.seq ?? 0;
      },
    };
  });
  return {
    get current() {
      if (log === undefined) throw new Error('the log is not there before the test begins');
      return log;
    },
  };
}
