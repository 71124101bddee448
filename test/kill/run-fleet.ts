import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunReport } from '../../src/core/report.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { type Ran, json } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query } from '../support/server.js';
import { Project, type ProjectOptions } from './project.js';

export interface FleetShape {
  pool?: boolean;
  schemas: number;
  databases?: number;
}

/** Every unit can tell how often each step was run on it, and one of them can be made to fail. */
const FIRST = `create table item (id int primary key, n int);
  create table trace (step int not null, at timestamptz not null default now());
  create table trouble ();
  insert into trace values (1)`;

const PLANS = { pool: 'free', schema: 'pro', database: 'enterprise' } as const;

/**
 * A fleet of many small units in a project of its own, to which one step after the other is added. A step
 * leaves a row in each unit, so that one that is run twice is seen even where its ledger knows it once.
 */
export class RunFleet {
  readonly project: Project;
  private readonly ids: string[];
  private steps = 1;

  private constructor(
    private readonly server: LocalServer,
    private readonly shape: FleetShape,
    options: ProjectOptions,
  ) {
    const folder = newFolder();
    const migrations = join(folder, 'migrations');
    const seed = join(folder, 'seed.sql');
    mkdirSync(join(migrations, 'down'), { recursive: true });
    writeFileSync(join(migrations, '0001_step.sql'), FIRST);
    writeFileSync(seed, 'select 1;');
    this.project = new Project(server, { migrations, seed, ...options });
    this.folder = migrations;
    this.ids = this.tenants().map(({ id }) => id);
  }

  readonly folder: string;

  static async make(server: LocalServer, shape: FleetShape, options: ProjectOptions = {}): Promise<RunFleet> {
    const fleet = new RunFleet(server, shape, options);
    await fleet.project.install();
    await fleet.provision(fleet.tenants());
    return fleet;
  }

  /** The newest step. */
  get newest(): number {
    return this.steps;
  }

  schemaOf(index: number): string {
    return `s_${this.project.mark}_schema-${index}`;
  }

  get sharedUrl(): string {
    return this.server.superuserUrl(`app_${this.project.mark}`);
  }

  catalog<Row extends object>(text: string): Promise<(Row & object)[]> {
    return query<Row & object>(this.project.catalogUrl, text);
  }

  /** Adds the next step: it leaves its trace, and does what `more` says. */
  add(more = ''): number {
    const step = this.steps + 1;
    const raise = `do $$ begin perform 1 from trouble; if found then raise 'bad data'; end if; end $$`;
    this.write(
      `insert into trace values (${step});\n${raise};\nalter table item add column c${step} int;\n${more}`,
    );
    writeFileSync(
      join(this.folder, 'down', nameOf(step)),
      `delete from trace where step = ${step};\nalter table item drop column c${step};`,
    );
    return step;
  }

  /** Adds a step that builds the index `i<step>` concurrently, and bears that its second statement is run twice. */
  addIndex(): number {
    const step = this.steps + 1;
    const index = `create index concurrently i${step} on item (n);`;
    return this.write(`-- tenantctl: no-transaction\n${index}\n${traceOnce(step)}`);
  }

  /** Adds a step that is done in batches. */
  addBatches(): number {
    return this.write(`-- tenantctl: batched\n${traceOnce(this.steps + 1)}`);
  }

  /** Changes the text of the newest step, until the function that it gives is called. */
  editNewest(text: string): () => void {
    return replaced(join(this.folder, nameOf(this.steps)), text);
  }

  /** Adds a file that cannot run, until the function that it gives is called. */
  addBroken(text: string): () => void {
    const file = join(this.folder, nameOf(this.steps + 1));
    writeFileSync(file, text);
    return () => rmSync(file);
  }

  private write(text: string): number {
    this.steps += 1;
    writeFileSync(join(this.folder, nameOf(this.steps)), text);
    return this.steps;
  }

  /** Lets the steps fail on a schema from now on, or no more. */
  async trouble(index: number, there: boolean): Promise<void> {
    const table = `"${this.schemaOf(index)}".trouble`;
    await query(this.sharedUrl, there ? `insert into ${table} default values` : `truncate ${table}`);
  }

  /** One more tenant in a schema of its own, by a checkout that lacks the newest step. */
  async provisionByOlderCheckout(index: number): Promise<void> {
    const tenant = { id: `schema-${index}`, plan: PLANS.schema };
    this.ids.push(tenant.id);
    const files = ['', 'down'].map((folder) => join(this.folder, folder, nameOf(this.steps)));
    const backs = files.map((file) => replaced(file, null));
    await this.provision([tenant]);
    for (const back of backs) back();
  }

  /** The command that goes on with a run, or makes it anew where it was not stored yet. */
  async command(): Promise<string[]> {
    const open = await this.catalog('select from tenantctl_catalog.runs where finished_at is null');
    return open.length > 0 ? ['runs', 'resume'] : ['migrate'];
  }

  /** The tool, which must end with this code and one document. */
  async report(code: number, ...args: string[]): Promise<RunReport> {
    const ran = await this.project.run(...args, '--json');
    expect(ran, said(ran)).toMatchObject({ code, signal: null });
    return json<RunReport>(ran).data;
  }

  /** The tool, which must die at that point. */
  async killedAt(point: string, ...args: string[]): Promise<void> {
    const ran = await this.project.run(...args, '--fail-at', point);
    expect(ran, said(ran)).toMatchObject({ code: null, signal: 'SIGKILL' });
  }

  /** So many units have the step, as their ledgers say; those with databases of their own are not counted. */
  async countOf(step: number): Promise<number> {
    const text = `select count(*)::int as n from tenantctl.ledger where id = ${step} and state = 'applied'
      and rolled_back_at is null and unit like any (array['schema:%', 'pool:%'])`;
    const [row] = await query<{ n: number }>(this.sharedUrl, text);
    return row?.n ?? 0;
  }

  /** Every unit has each step to this one exactly once, by its ledger and by its rows, and no run is open. */
  async hasEachStepOnce(upTo: number): Promise<void> {
    const steps = Array.from({ length: upTo }, (_, index) => index + 1);
    const units = await this.units();
    expect(units).toHaveLength(this.ids.length);
    const wrong = units.filter(
      ({ ledger, trace }) => ledger.join() !== steps.join() || trace.join() !== steps.join(),
    );
    expect(wrong).toEqual([]);
    expect(
      await this.catalog(`select id, status from tenantctl_catalog.runs where finished_at is null`),
    ).toEqual([]);
    expect(
      await this.catalog(`select id, version_id from tenantctl_catalog.units where version_id <> ${upTo}`),
    ).toEqual([]);
  }

  /** What each unit has: its ledger's applied rows and the traces that the steps have left. */
  async units(): Promise<{ unit: string; ledger: number[]; trace: number[] }[]> {
    const { mark } = this.project;
    const own = this.ids.filter((id) => id.startsWith('database-')).map((id) => `d_${mark}_${id}`);
    const found = await Promise.all(
      [`app_${mark}`, ...own].map((name) => unitsIn(this.server.superuserUrl(name))),
    );
    return found.flat();
  }

  /** The last run's outcome in the catalog: the states of its waves and of its units, each once. */
  async stored(): Promise<{ status: string; waves: string[]; units: string[] }> {
    const [row] = await this.catalog<{ status: string; waves: string[]; units: string[] }>(`
      select status,
             (select array_agg(distinct w.status::text) from tenantctl_catalog.run_waves w where w.run = r.id) as waves,
             (select array_agg(distinct u.status::text) from tenantctl_catalog.run_units u where u.run = r.id) as units
        from tenantctl_catalog.runs r order by started_at desc limit 1`);
    if (row === undefined) throw new Error('there was no run');
    return row;
  }

  private tenants(): { id: string; plan: string }[] {
    const { pool = false, schemas, databases = 0 } = this.shape;
    const called = (tier: keyof typeof PLANS, count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: `${tier}-${index}`, plan: PLANS[tier] }));
    return [...called('pool', pool ? 1 : 0), ...called('schema', schemas), ...called('database', databases)];
  }

  private async provision(tenants: { id: string; plan: string }[]): Promise<void> {
    const list = join(this.project.folder, 'tenants.csv');
    writeFileSync(list, ['id,plan', ...tenants.map(({ id, plan }) => `${id},${plan}`)].join('\n'));
    await this.project.do('provision', '--from', list);
  }
}

/** Makes a step last, so that something can happen meanwhile; not where its shape is only tried. */
export const pauseOf = (seconds: number): string =>
  `pg_sleep(case when current_schema() like 'tenantctl%' then 0 else ${seconds} end)`;

function nameOf(step: number): string {
  return `${String(step).padStart(4, '0')}_step.sql`;
}

function traceOnce(step: number): string {
  return `insert into trace select ${step} from ${pauseOf(0.2)} where not exists (select from trace where step = ${step})`;
}

/** Gives a file another text, or takes it away. @returns what puts it back */
function replaced(file: string, text: string | null): () => void {
  const before = readFileSync(file);
  if (text === null) rmSync(file);
  else writeFileSync(file, text);
  return () => writeFileSync(file, before);
}

/** The units of one database; one that has no trace at all is not a unit of ours. */
async function unitsIn(url: string): Promise<{ unit: string; ledger: number[]; trace: number[] }[]> {
  const tables = await query<{ schema: string }>(
    url,
    `select relnamespace::regnamespace::text as schema from pg_class where relname = 'trace' order by 1`,
  );
  if (tables.length === 0) return [];
  const traces = tables
    .map(({ schema }) => `select '${schema}' as schema, step from ${schema}.trace`)
    .join(' union all ');
  return query(
    url,
    `with traces as (${traces}), ledgers as (select unit, array_agg(id order by id) as ids from tenantctl.ledger
        where rolled_back_at is null and state = 'applied' group by unit)
     select p.unit, l.ids as ledger, (select array_agg(step order by step) from traces t where t.schema = quote_ident(p.schema)) as trace
       from (select distinct unit, schema from tenantctl.placement) p join ledgers l on l.unit = p.unit`,
  );
}

function said({ stdout, stderr }: Ran): string {
  return `${stderr}${stdout}`;
}
