import { expect, it } from 'vitest';
import { useServer } from '../../support/server.js';
import { fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));`;
/** Nobody could take back that it was called: what it draws from the sequence stays drawn. */
const TELL = `create sequence told; create function tell(text) returns bigint language plpgsql as
  $$ begin perform nextval('app.told'); if false then perform dblink_exec('host=elsewhere', $1); end if; return 1; end $$;`;

const notInspected = (findings: readonly { rule: string; where: string; facts: object }[]) =>
  findings
    .filter(({ rule }) => rule === 'not-inspected')
    .map(
      ({ where, facts }) => `${where.split('.').slice(1).join('.')}: ${(facts as { reason: string }).reason}`,
    );

it('a trigger is not woken when what it calls in turn reaches out: by name, table, default, check or cascade', async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE} ${TELL}
     create function pass_on(text) returns bigint language sql as $$ select app.tell($1) $$;
     create function hand() returns trigger language plpgsql as $$ begin perform pass_on(new.body); return new; end $$;
     create trigger hand after insert on note for each row execute function hand();
     create table box (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));
     create function drop_in() returns trigger language plpgsql as $$ begin insert into app.note values (new.tenant_id, new.id); return new; end $$;
     create trigger drop_in after insert on box for each row execute function drop_in();
     create table numbered (tenant_id uuid not null, id bigint not null default tell('default'), primary key (tenant_id, id));
     create table checked (tenant_id uuid not null, id bigint not null check (pass_on('x') > 0), primary key (tenant_id, id));
     create table parent (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));
     create table child (tenant_id uuid not null, parent_id bigint not null, id bigint default tell('gone'), primary key (tenant_id, parent_id),
       foreign key (tenant_id, parent_id) references parent on delete cascade);
     create table quiet (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));`,
  );
  const { findings } = await fleet.probe();
  expect(notInspected(findings)).toEqual([
    'app.box: it may reach out of the database (app.drop_in → app.note → app.hand → app.pass_on → app.tell: it calls dblink_exec)',
    'app.checked: it may reach out of the database (app.pass_on → app.tell: it calls dblink_exec)',
    'app.child: it may reach out of the database (app.tell: it calls dblink_exec)',
    'app.note: it may reach out of the database (app.hand → app.pass_on → app.tell: it calls dblink_exec)',
    'app.numbered: it may reach out of the database (app.tell: it calls dblink_exec)',
    'app.parent: it may reach out of the database (app.child → app.tell: it calls dblink_exec)',
  ]);
  expect(findings.filter(({ rule }) => rule !== 'not-inspected')).toEqual([]);
  await fleet.change(`do $$ begin assert not (select is_called from told), 'it was called'; end $$`);
});

it('a policy, a view and a function that ask for the login by what they call are not judged', async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE}
     create function is_staff() returns boolean language sql stable as $$ select session_user <> 'app_login' $$;
     create function may_see() returns boolean language plpgsql stable as $$ begin return app.is_staff(); end $$;`,
  );
  await fleet.change(
    `create policy staff on note for select using (may_see());
     create view notes with (security_invoker = true) as select * from note; grant select on notes to app_user;
     create function counted() returns bigint language sql stable security definer set search_path = app as $$ select count(*) from note where may_see() $$;`,
  );
  const { findings, coverage } = await fleet.probe();
  expect(findings.map(({ rule }) => rule)).toEqual(['not-inspected', 'not-inspected', 'not-inspected']);
  const login = "it asks who has logged in), and that of a probe is the administrator's";
  expect(notInspected(findings)).toEqual([
    `app.note: it depends on the session's login (app.may_see → app.is_staff: ${login}`,
    `app.notes: it depends on the session's login (app.note → app.may_see → app.is_staff: ${login}`,
    `app.counted(): it depends on the session's login (app.may_see → app.is_staff: ${login}`,
  ]);
  expect(coverage.probed).toBe(0);
});
