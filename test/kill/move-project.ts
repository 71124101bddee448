import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { FaultPoint } from '../../src/core/faults.js';
import type { FleetSettings } from '../../src/core/settings.js';
import type { Tenant } from '../../src/core/tenant.js';
import type { Tier } from '../../src/core/tier.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { Fleet } from '../../src/engine/context.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { routeTenant } from '../../src/operations/route.js';
import { showTenant } from '../../src/operations/show.js';
import { directoryOf, numbered } from '../engine/ledger/directory.js';
import { type Application, newApplication } from '../engine/tiers/support.js';
import { ZOO, fill } from '../operations/moves/zoo.js';
import { type Writer, compareTokens, startWriter } from '../operations/moves/writer.js';
import { fleetSettings } from '../support/fleet.js';
import { query } from '../support/server.js';
import { Project } from './project.js';

const ROWS = 120;

/** A project whose tenants are moved by the built program while an application writes for them. */
export class MoveProject {
  private made = 0;

  private constructor(
    private readonly project: Project,
    private readonly server: LocalServer,
    private readonly fleet: Fleet,
    private readonly application: Application,
  ) {}

  static async make(server: LocalServer): Promise<MoveProject> {
    const migrations = directoryOf(numbered(...ZOO));
    const project = await new Project(server, { migrations }).install();
    const settings = settingsOf(project, server, migrations);
    const fleet = new Fleet(settings, {
      emit: () => undefined,
      reach: () => undefined,
      actor: { actor: 'suite', reason: null, ticket: null },
      signal: new AbortController().signal,
    });
    await provisionTenant(fleet, { id: 'neighbour', tier: 'pool' });
    return new MoveProject(project, server, fleet, await newApplication(settings));
  }

  /** A tenant with rows in every table, and an application that writes for it already. */
  async tenant(tier: Tier): Promise<{ id: string; writer: Writer }> {
    const id = `t${(this.made += 1)}`;
    const { tenant } = await provisionTenant(this.fleet, { id, tier, key: randomUUID() });
    const to = await routeTenant(this.fleet, id);
    const context = Object.entries({ ...to.settings, role: to.role }).map(
      ([name, value]) => `set_config('${name}', '${value.replaceAll("'", "''")}', true)`,
    );
    await query(
      this.application.url(tenant.database),
      `begin; select ${context.join(', ')}; ${fill(ROWS)} commit`,
    );
    const writer = startWriter(
      () => routeTenant(this.fleet, id),
      (route) => this.application.url(route.database),
      { connections: 2, customers: ROWS },
    );
    await writer.commits(10);
    return { id, writer };
  }

  async show(id: string): Promise<Tenant> {
    return (await showTenant(this.fleet, id)).tenant;
  }

  async do(...args: string[]): Promise<void> {
    await this.project.do(...args);
  }

  /** The program dies at that point, and nowhere before. */
  async killedAt(point: FaultPoint, ...args: string[]): Promise<void> {
    const ran = await this.project.run(...args, '--fail-at', point);
    expect(`${ran.signal} ${ran.code ?? ''} ${ran.signal === 'SIGKILL' ? '' : ran.stderr}`).toBe('SIGKILL  ');
  }

  /** Stops the application, and looks for every transaction that was acknowledged to it. */
  async settle(id: string, writer: Writer) {
    await writer.commits(15);
    const { acked, surprises } = await writer.stop();
    const { database, schema, key } = await this.show(id);
    const tokens = await compareTokens(this.server.superuserUrl(database), schema, key, acked);
    return { ...tokens, surprises: [...surprises] };
  }
}

/** What the project's configuration says, for the test's own view of the fleet. */
function settingsOf(project: Project, server: LocalServer, migrations: string): FleetSettings {
  const { mark } = project;
  const settings = fleetSettings(server, 0, { migrations, seed: null });
  const main = settings.clusters['main'];
  if (main === undefined) throw new Error('the test fleet has a cluster main');
  const database = `app_${mark}`;
  return {
    ...settings,
    catalogUrl: project.catalogUrl,
    clusters: {
      main: {
        ...main,
        pools: { shared: { name: 'shared', database, schema: 'app' } },
        schemaDatabase: database,
      },
    },
    tenancy: {
      ...settings.tenancy,
      appRole: `app_${mark}`,
      names: { schema: `s_${mark}_{id}`, database: `d_${mark}_{id}` },
    },
  };
}
