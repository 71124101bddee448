import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { INVOICING } from '../support/fleet.js';
import { type Ran, tenantctl } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';

/** What is in every secret here, and in nothing else: one search finds any of them, whole or cut. */
const MARK = 'S3cr3t';
const PASSWORD = `${MARK}-ü/@:%$x "q"`;
const TOKEN = `${MARK}-token-of-a-hook`;

const server = useServer();
const folder = newFolder();
const printed: { args: string; text: string }[] = [];

/** An administrator as the fleet has one, with a password that is hard to quote. */
beforeAll(async () => {
  await query(
    server.current.superuserUrl('postgres'),
    `create role secret_admin login createdb createrole nosuperuser password '${PASSWORD}'`,
  );
  writeFileSync(
    join(folder, 'tenantctl.config.yaml'),
    `catalog: { url: "\${CATALOG_URL}" }
clusters:
  main: { url: "\${MAIN_URL}", pools: { shared: { database: app_secret, schema: app } } }
migrations: { directory: ${INVOICING}migrations }
tenancy: { appRole: app_secret, names: { schema: "secret_{id}", database: "secret_{id}" } }
plans: { free: { tier: pool }, pro: { tier: schema }, enterprise: { tier: database } }
hooks: { afterProvision: [["./hook.sh", "\${HOOK_TOKEN}"]] }
`,
  );
  // A hook that tells all it knows, as they do with set -x, and fails.
  writeFileSync(join(folder, 'hook.sh'), '#!/bin/sh\necho "$MAIN_URL $CATALOG_URL $RAW"; exit 3\n', {
    mode: 0o755,
  });
});

function urlOf(database: string, password = PASSWORD, port = server.current.port): string {
  return `postgresql://secret_admin:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = folder): Promise<Ran> {
  const ran = await tenantctl(args, {
    cwd,
    env: {
      CATALOG_URL: urlOf('catalog_secret'),
      MAIN_URL: urlOf('postgres'),
      HOOK_TOKEN: TOKEN,
      RAW: PASSWORD,
      ...env,
    },
  });
  printed.push({ args: args.join(' '), text: ran.stdout + ran.stderr });
  return ran;
}

const leaks = () => printed.filter(({ text }) => text.includes(MARK));

/** Every row of every table of a database, as text. */
async function contents(database: string): Promise<string> {
  const rows = await query<{ name: string; rows: string }>(
    server.current.superuserUrl(database),
    `select format('%s', c.oid::regclass) as name, query_to_xml(format('select * from %s', c.oid::regclass), true, true, '')::text as rows
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname like 'tenantctl%' and c.relkind = 'r'`,
  );
  expect(rows.map(({ name }) => name)).toContain('tenantctl.placement');
  return rows.map(({ rows: text }) => text).join('\n');
}

describe('passwords never appear', () => {
  it('in what a session of everyday work prints, in text, JSON, events and with --verbose', async () => {
    const loud = ['--verbose', '--events', 'events.ndjson'];
    const seed = join(folder, 'seed.sql');
    writeFileSync(seed, `select '${PASSWORD}'::int;`);
    writeFileSync(join(folder, 'list.csv'), 'id,plan\nlisted,pro\npool,free\n');
    const session: [number, ...string[]][] = [
      [0, 'config', 'show'],
      [0, 'config', 'show', '--json'],
      [0, 'config', 'check', '--verbose'],
      [5, 'list', '--verbose'],
      [0, 'init', ...loud],
      [0, 'provision', 'pool', '--plan', 'free', '--dry-run'],
      [
        7,
        'provision',
        'pool',
        '--plan',
        'free',
        ...loud,
        '--reason',
        `see ${urlOf('x')}`,
        '--ticket',
        PASSWORD,
      ],
      [7, 'provision', 'schema', '--plan', 'pro', '--json', ...loud, '--actor', `jo ${PASSWORD}`],
      [7, 'provision', 'database', '--plan', 'enterprise', '--events', '-'],
      [7, 'provision', 'pool', '--json'],
      [7, 'provision', 'seeded', '--plan', 'pro', '--seed', seed, ...loud],
      [7, 'provision', 'seeded', '--json', '--seed', seed, '--verbose'],
      [7, 'provision', '--from', 'list.csv', '--seed', seed, ...loud],
      [0, 'list', '--json'],
      [0, 'show', 'schema', '--verbose'],
      [0, 'show', 'database', '--json'],
      [0, 'route', 'database'],
      [0, 'route', 'pool', '--json'],
      [0, 'set', 'schema', '--label', 'ring=a', ...loud],
      [0, 'suspend', 'schema', '--reason', PASSWORD],
      [0, 'activate', 'schema', '--json'],
      [0, 'promote', 'schema', '--to', 'database', '--dry-run', ...loud],
      [0, 'promote', 'schema', '--to', 'database', ...loud, '--reason', `see ${urlOf('x')}`],
      [0, 'moves', 'show', 'schema', '--json', '--verbose'],
      [0, 'moves', 'undo', 'schema', '--yes', ...loud, '--reason', PASSWORD],
      [0, 'migrate', '--dry-run', '--json'],
      [0, 'migrate', ...loud],
      [0, 'status', '--json'],
      [5, 'show', 'nobody', '--json', '--verbose'],
    ];
    for (const [code, ...args] of session) {
      const ran = await run(args);
      expect([args.join(' '), ran.code, ran.stderr]).toEqual([args.join(' '), code, expect.any(String)]);
    }
    expect(leaks()).toEqual([]);
    // The hook did tell, and the tool has struck it out.
    expect(printed.filter(({ text }) => text.includes('***')).length).toBeGreaterThan(5);
  }, 120_000);

  it('in the events it wrote', () => {
    const events = readFileSync(join(folder, 'events.ndjson'), 'utf8');
    expect(events).toContain('"type"');
    expect(events).not.toContain(MARK);
  });

  it('in any row it stored, audit and placement among them', async () => {
    for (const database of ['catalog_secret', 'app_secret', 'secret_database']) {
      expect(await contents(database)).not.toContain(MARK);
    }
    const audit = await contents('catalog_secret');
    expect(audit).toContain('tenant.provision');
    expect(audit).toContain('secret_admin:***@127.0.0.1');
  });

  it('in what the server shows of its sessions', async () => {
    const sessions = await query<{ text: string }>(
      server.current.superuserUrl('postgres'),
      `select concat_ws(' ', application_name, query) as text from pg_stat_activity where pid <> pg_backend_pid()`,
    );
    expect(sessions.filter(({ text }) => text.includes(MARK))).toEqual([]);
  });

  it('in errors of connections: refused, down, unknown, by file, variable and flag', async () => {
    const before = printed.length;
    const wrong = urlOf('catalog_secret', `${MARK}-wrong`);
    const session: [number, string[], NodeJS.ProcessEnv][] = [
      [4, ['list'], { CATALOG_URL: wrong }],
      [4, ['list', '--json', '--verbose'], { CATALOG_URL: wrong }],
      [4, ['list', '--catalog', wrong, '--verbose'], {}],
      [4, ['status', '--json'], { TENANTCTL_CATALOG_URL: wrong }],
      [
        4,
        ['provision', 'other', '--plan', 'pro', '--json', '--verbose'],
        { MAIN_URL: urlOf('postgres', `${MARK}-wrong`) },
      ],
      [4, ['list', '--verbose'], { CATALOG_URL: urlOf('catalog_secret', PASSWORD, 1) }],
      [5, ['list', '--verbose'], { CATALOG_URL: urlOf('not_there') }],
    ];
    for (const [code, args, env] of session)
      expect([args, (await run(args, env)).code]).toEqual([args, code]);
    expect(printed.length).toBe(before + session.length);
    expect(leaks()).toEqual([]);
  });

  it.each([
    ['a URL of another kind', `catalog: { url: "mysql://admin:${MARK}-a@db/x" }`],
    ['a URL that cannot be read', `catalog: { url: "postgres://admin:${MARK}-b@[db/x" }`],
    ['a URL in place of a mapping', `catalog: "postgres://admin:${MARK}-c@db/x"`],
    ['a URL as a key', `catalog: local\n"postgres://admin:${MARK}-d@db/x": 1`],
    [
      'a password as a key of the URL',
      `catalog: { url: "postgres://admin@db/x?password=${MARK}-e" , port: many }`,
    ],
    ['a line that is no YAML', `catalog: { url: "postgres://admin:${MARK}-f@db/x"\nplans: [`],
    ['a number for a mapping', `catalog: { url: "postgres://admin:${MARK}-g@db/x" }\nplans: 7`],
    [
      'a sslmode that is none',
      `catalog: { url: "postgres://admin:${MARK}-h@127.0.0.1:1/x?sslmode=odd" }\nclusters: {}`,
    ],
  ])('in what is said of a configuration with %s', async (_, text) => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'tenantctl.config.yaml'), text);
    const codes: (number | null)[] = [];
    for (const args of [
      ['list'],
      ['list', '--json', '--verbose'],
      ['config', 'show'],
      ['config', 'check', '--verbose'],
    ])
      codes.push((await run(args, {}, cwd)).code);
    expect(codes[0]).toBe(codes[1]);
    expect(codes[0]).toBe(3);
    expect(leaks()).toEqual([]);
  });

  it('in what is said of a command line that cannot be read', async () => {
    for (const args of [
      ['list', `--catalogue=${urlOf('x')}`],
      ['list', urlOf('x')],
      [urlOf('x')],
      ['provision', urlOf('x'), '--tier', 'pool'],
      ['provision', 'acme', '--tier', urlOf('x')],
      ['provision', 'acme', '--plan', 'pro', '--label', urlOf('x')],
      ['provision', 'acme', '--tier', 'pool', '--tenant-key', urlOf('x'.repeat(60))],
      ['list', '--select', urlOf('x')],
      ['list', '-c', urlOf('x')],
    ]) {
      for (const more of [[], ['--json', '--verbose']]) {
        const { code } = await run([...args, ...more]);
        expect([args, code === 2 || code === 3]).toEqual([args, true]);
      }
    }
    expect(leaks()).toEqual([]);
  });
});
