import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey } from '../../src/core/signature.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { installFleet } from '../../src/operations/install.js';
import { withFleet } from '../operations/provision-support.js';
import { type Ran, type Running, launch } from '../support/cli.js';
import { INVOICING, fleetSettings } from '../support/fleet.js';
import { newFolder } from '../support/folder.js';

const PLAN = { pool: 'free', schema: 'pro', database: 'enterprise' } as const satisfies Record<Tier, string>;
/** What signs exports and certificates of these projects. */
const SIGNING_KEY = generateSigningKey();
const KEY = '7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01';

export interface ProjectOptions {
  migrations?: string;
  seed?: string;
  rollout?: Record<string, unknown>;
  /** Where the catalog is; with the tenants when left out. */
  catalog?: { readonly current: LocalServer };
}

let projects = 0;

/**
 * A folder with a configuration, as a user has one: a fleet of its own, whose names carry a mark by which
 * they are found again.
 */
export class Project {
  readonly folder = newFolder();
  readonly mark = `k${(projects += 1)}k`;

  constructor(
    public server: LocalServer,
    private readonly options: ProjectOptions = {},
  ) {
    const { mark, folder } = this;
    const { migrations = `${INVOICING}migrations`, seed = `${INVOICING}seed.sql`, rollout = {} } = options;
    const config = {
      catalog: { url: '${CATALOG_URL}' },
      clusters: {
        main: { url: '${MAIN_URL}', pools: { shared: { database: `app_${mark}`, schema: 'app' } } },
      },
      migrations: { directory: migrations },
      tenancy: { appRole: `app_${mark}`, names: { schema: `s_${mark}_{id}`, database: `d_${mark}_{id}` } },
      plans: {
        free: { tier: 'pool' },
        pro: { tier: 'schema', limits: { statementTimeout: '20s' } },
        enterprise: { tier: 'database', limits: { connections: 20, statementTimeout: '30s' } },
      },
      provision: { seed },
      rollout,
      hooks: { afterProvision: [[join(folder, 'hook.sh')]] },
    };
    writeFileSync(join(folder, 'tenantctl.config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'hook.sh'), `#!/bin/sh\ncat >> ${folder}/hooked\n`, { mode: 0o755 });
  }

  get catalogUrl(): string {
    return (this.options.catalog?.current ?? this.server).adminUrl(`catalog_${this.mark}`);
  }

  /** What `init` does, without the time that a further process takes. */
  async install(): Promise<this> {
    const settings = { ...fleetSettings(this.server, 0), catalogUrl: this.catalogUrl };
    await withFleet(settings, {}, installFleet);
    return this;
  }

  /** The built program, run in the project's folder. */
  run(...args: string[]): Promise<Ran> {
    return this.launch(...args).ended;
  }

  /** The same while it runs. */
  launch(...args: string[]): Running {
    const env = {
      CATALOG_URL: this.catalogUrl,
      MAIN_URL: this.server.adminUrl('postgres'),
      TENANTCTL_REHEARSAL: '1',
      TENANTCTL_SIGNING_KEY: SIGNING_KEY,
    };
    return launch(args, { cwd: this.folder, env });
  }

  /** The same, which must end well. */
  async do(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    if (ran.code !== 0)
      throw new Error(`tenantctl ${args.join(' ')}: ${ran.code ?? ran.signal}\n${ran.stderr}${ran.stdout}`);
    return ran;
  }

  provisionArgs(tier: Tier, id = 'acme', key = KEY): string[] {
    return [
      'provision',
      id,
      '--plan',
      PLAN[tier],
      '--tenant-key',
      key,
      '--owner',
      'jo@acme.example',
      '--label',
      'ring=a',
    ];
  }

  /** A tenant in each tier, called like it. */
  async provisionAll(keyOf: (tier: Tier) => string): Promise<void> {
    const rows = TIERS.map((tier) => `${tier},${PLAN[tier]},${keyOf(tier)},jo@acme.example,a`);
    const list = join(this.folder, 'tenants.csv');
    writeFileSync(list, ['id,plan,tenantKey,owner,label.ring', ...rows].join('\n'));
    await this.do('provision', '--from', list);
  }

  /** Statuses of all tenants as `list` shows them. */
  async statuses(): Promise<Record<string, string>> {
    const { stdout } = await this.do('list', '--json');
    const { data } = JSON.parse(stdout) as { data: { tenants: { id: string; status: string }[] } };
    return Object.fromEntries(data.tenants.map(({ id, status }) => [id, status]));
  }

  /** The tenants that the hook was told of. */
  hooked(): string[] {
    return readFileSync(join(this.folder, 'hooked'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
  }
}
