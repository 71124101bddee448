import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { type OptionSpecs, flagOf } from '../../src/cli/option.js';
import { Project } from '../kill/project.js';
import { type Ran, json, tenantctl } from '../support/cli.js';
import { INVOICING } from '../support/fleet.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';
import { startFakePooler } from './fake-pooler.js';
import { WITHOUT_PGBOUNCER, startPgbouncer } from './pgbouncer.js';

const server = useServer();

/** A folder with this configuration. */
function folderWith(config: string, name = 'tenantctl.config.yaml'): string {
  const folder = newFolder();
  writeFileSync(join(folder, name), config);
  return folder;
}

interface Told {
  code: string;
  exit: number;
  message: string;
  hint?: string;
  facts: { problems?: { path: string }[] };
}

const told = (ran: Ran) => json(ran).error as Told;

describe('without a configuration', () => {
  const verbs = COMMANDS.filter(({ spec }) => spec.needs !== 'nothing').map(({ spec }) => [
    ...spec.path,
    ...Object.values(spec.arguments ?? {}).map(() => 'acme'),
  ]);

  it.each(verbs.map((words) => [words.join(' '), words]))(
    '%s ends with exit 3 and says what to do',
    async (_, words) => {
      const cwd = newFolder();
      const ran = await tenantctl([...words, '--json'], { cwd, env: { TENANTCTL_CATALOG_URL: undefined } });
      expect(ran.code).toBe(3);
      expect(told(ran)).toMatchObject({
        code: 'CONFIG_MISSING',
        exit: 3,
        hint: expect.stringContaining('tenantctl init') as string,
      });
      expect(existsSync(join(cwd, '.tenantctl'))).toBe(false);
    },
  );
});

describe('a configuration', () => {
  it('with five mistakes tells all five, each with its place', async () => {
    const cwd = folderWith(`catalog: { url: "\${NOT_THERE}" }
clusters:
  main: { url: "mysql://x/y", maxConnections: many }
plans:
  free: { teir: pool, tier: schema }
rollout:
  lockTimeout: soon
`);
    const ran = await tenantctl(['list', '--json'], { cwd });
    expect(ran.code).toBe(3);
    expect(
      told(ran)
        .facts.problems?.map(({ path }) => path)
        .toSorted(),
    ).toEqual([
      'catalog.url',
      'clusters.main.maxConnections',
      'clusters.main.url',
      'plans.free.teir',
      'rollout.lockTimeout',
    ]);
    const text = await tenantctl(['list'], { cwd });
    expect(text).toMatchObject({ code: 3, stdout: '' });
    expect(text.stderr).toMatch(/5 problems[^]*NOT_THERE is not set[^]*yaml:3[^]*known here: tier/);
  });

  it('with a missing variable names it and its line, for every verb that reads it', async () => {
    const cwd = folderWith(
      'catalog: { url: "${CATALOG_URL}" }\nclusters: { main: { url: "${MAIN_URL}" } }\n',
    );
    for (const verb of [['list'], ['provision', 'acme', '--tier', 'pool'], ['config', 'check'], ['init']]) {
      const ran = await tenantctl([...verb, '--json'], {
        cwd,
        env: { CATALOG_URL: server.current.adminUrl('x') },
      });
      expect(ran.code).toBe(3);
      expect(told(ran).message).toMatch(
        /clusters\.main\.url: the environment variable MAIN_URL is not set .*yaml:2/,
      );
    }
  });

  it.each([
    [
      'is a folder',
      'CONFIG_UNREADABLE',
      (folder: string) => mkdirSync(join(folder, 'tenantctl.config.yaml')),
    ],
    [
      'is no YAML',
      'CONFIG_UNREADABLE',
      (folder: string) => writeFileSync(join(folder, 'tenantctl.config.yaml'), 'a: [1\nb: }'),
    ],
    [
      'is binary',
      'CONFIG_',
      (folder: string) => writeFileSync(join(folder, 'tenantctl.config.yaml'), Buffer.from([0, 255, 254, 0])),
    ],
    [
      'is empty',
      'CATALOG_MISSING',
      (folder: string) => writeFileSync(join(folder, 'tenantctl.config.yaml'), ''),
    ],
    [
      'names no catalog',
      'CATALOG_MISSING',
      (folder: string) => writeFileSync(join(folder, 'tenantctl.config.yaml'), 'plans: {}'),
    ],
  ])('that %s ends with exit 3', async (_, code, make) => {
    const cwd = newFolder();
    make(cwd);
    const ran = await tenantctl(['list', '--json'], { cwd, env: { TENANTCTL_CATALOG_URL: undefined } });
    expect(ran.code).toBe(3);
    expect(told(ran).code).toContain(code);
  });
});

describe('a server', () => {
  /** Lists the fleet whose catalog is there. */
  const list = async (catalogUrl: string): Promise<Ran> => {
    const cwd = folderWith(
      `catalog: { url: "\${CATALOG_URL}" }\nclusters: { main: { url: "\${CATALOG_URL}" } }\n`,
    );
    return tenantctl(['list', '--json'], { cwd, env: { CATALOG_URL: catalogUrl } });
  };

  it('that refuses the password is named with host, port and user, the password is not', async () => {
    const url = new URL(server.current.adminUrl('postgres'));
    url.password = 'n0t-the-one';
    const ran = await list(url.href);
    expect(ran.code).toBe(4);
    expect(told(ran)).toMatchObject({
      code: 'CANNOT_CONNECT',
      message: expect.stringContaining(`tenantctl_admin@127.0.0.1:${server.current.port}`) as string,
      hint: expect.stringContaining('password') as string,
    });
    expect(ran.stdout + ran.stderr).not.toContain('n0t-the-one');
  });

  it('that asks for a password which the URL does not have says so', async () => {
    const url = new URL(server.current.adminUrl('postgres'));
    url.password = '';
    const ran = await list(url.href);
    expect(ran.code).toBe(4);
    expect(told(ran)).toMatchObject({
      message: expect.stringContaining('asks for a password, and the URL has none') as string,
      hint: expect.stringContaining('after the name of the user and a colon') as string,
    });
  });

  it('takes a password that is a key of its URL', async () => {
    const url = new URL(server.current.adminUrl('postgres'));
    url.searchParams.set('password', decodeURIComponent(url.password));
    url.password = '';
    expect(told(await list(url.href))).toMatchObject({ code: 'CATALOG_MISSING' });
  });

  it('that is down is named with host and port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    taken.close();
    await once(taken, 'close');
    const ran = await list(`postgresql://admin:n0t-the-one@127.0.0.1:${port}/fleet`);
    expect(ran.code).toBe(4);
    expect(told(ran).message).toMatch(new RegExp(`admin@127.0.0.1:${port}.*ECONNREFUSED`));
    expect(ran.stdout + ran.stderr).not.toContain('n0t-the-one');
  });

  it('that hangs up, or speaks another language, is no server', async () => {
    const odd = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(odd, 'listening');
    const { port } = odd.address() as { port: number };
    const ran = await list(`postgresql://admin:n0t-the-one@127.0.0.1:${port}/fleet`);
    odd.close();
    expect(ran.code).toBe(4);
    expect(told(ran).message).toContain(`127.0.0.1:${port}`);
  });

  it('without the catalog’s database, or without a catalog in it, asks for init', async () => {
    for (const database of ['not_there', 'postgres']) {
      const ran = await list(server.current.adminUrl(database));
      expect(ran.code).toBe(5);
      expect(told(ran)).toMatchObject({
        code: 'CATALOG_MISSING',
        hint: expect.stringContaining('init') as string,
      });
    }
  });

  it('behind a transaction pooler is refused, whether it holds the catalog or tenants', async () => {
    const pooler = await startFakePooler(server.current.port);
    try {
      const project = await new Project(server.current).install();
      const pooled = (database: string) => {
        const url = new URL(server.current.adminUrl(database));
        url.port = String(pooler.port);
        return url.href;
      };
      const refused = {
        code: 'POOLED_CONNECTION',
        exit: 6,
        message: expect.stringContaining(`127.0.0.1:${pooler.port}`) as string,
        hint: expect.stringContaining('direct URL') as string,
      };
      expect(told(await list(pooled('postgres')))).toMatchObject(refused);
      const env = { CATALOG_URL: project.catalogUrl, MAIN_URL: pooled('postgres') };
      const ran = await tenantctl(['provision', 'acme', '--tier', 'schema', '--json'], {
        cwd: project.folder,
        env,
      });
      expect(ran.code).toBe(6);
      expect(told(ran)).toMatchObject(refused);
      expect(await project.statuses()).toEqual({});
    } finally {
      pooler.close();
    }
  });

  it.skipIf(WITHOUT_PGBOUNCER)(
    `behind pgbouncer in transaction mode is refused, whether it holds the catalog or tenants${WITHOUT_PGBOUNCER}`,
    async () => {
      const pooler = await startPgbouncer(server.current.adminUrl('postgres'));
      const pooled = (database: string) => {
        const url = new URL(server.current.adminUrl(database));
        url.port = String(pooler.port);
        return url.href;
      };
      try {
        const refused = { code: 'POOLED_CONNECTION', exit: 6 };
        expect(told(await list(pooled('postgres')))).toMatchObject(refused);
        const migrations = newFolder();
        cpSync(`${INVOICING}migrations`, migrations, { recursive: true });
        const project = await new Project(server.current, { migrations }).install();
        await project.do(...project.provisionArgs('schema'));
        writeFileSync(join(migrations, '0015_later.sql'), 'create table later ();');
        const env = { CATALOG_URL: project.catalogUrl, MAIN_URL: pooled('postgres') };
        for (const args of [['migrate'], ['provision', 'bolt', '--tier', 'schema']]) {
          const ran = await tenantctl([...args, '--json'], { cwd: project.folder, env });
          expect(told(ran), args.join(' ')).toMatchObject(refused);
          expect(ran.code).toBe(6);
        }
        expect(await query(project.catalogUrl, 'select from tenantctl_catalog.runs')).toEqual([]);
        expect(await project.statuses()).toEqual({ acme: 'active' });
      } finally {
        pooler.close();
      }
    },
  );
});

const asking = COMMANDS.filter(({ spec }) => spec.confirms !== undefined);
it.skipIf(asking.length === 0)(
  'a verb that asks ends at once without a terminal, naming the flag',
  async () => {
    const project = await new Project(server.current).install();
    for (const { spec } of asking) {
      const words = Object.values(spec.arguments ?? {}).map(() => 'acme');
      // Some ask only beside other options.
      const options: OptionSpecs = spec.options ?? {};
      for (const name of spec.confirms?.beside ?? [])
        words.push(flagOf(name), ...(options[name]?.type === 'boolean' ? [] : ['acme']));
      const ran = await project.run(...spec.path, ...words, '--json');
      expect(ran.code).toBe(2);
      expect(told(ran)).toMatchObject({
        code: 'CONFIRMATION_NEEDED',
        message: expect.stringContaining('--yes') as string,
      });
    }
    expect(await query(project.catalogUrl, 'select from tenantctl_catalog.audit where seq > 1')).toEqual([]);
  },
);
