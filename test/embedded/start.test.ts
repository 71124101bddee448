import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { redact } from '../../src/core/redact.js';
import { startLocalServer, type LocalServer } from '../../src/embedded/server.js';
import { failure, project, query, template } from './support.js';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

describe('a local server', () => {
  let directory: string;
  let server: LocalServer;

  beforeAll(async () => {
    // A caller with the worst of environments, while the server is made.
    const env = {
      PGDATA: '/nowhere',
      PGPORT: '1',
      PGUSER: 'x',
      LC_ALL: 'xx_XX',
      TZ: 'Asia/Tokyo',
      LD_PRELOAD: '/x',
    };
    const before = { ...process.env };
    Object.assign(process.env, env);
    directory = project();
    server = await startLocalServer({ directory, lifetime: 'tied', settings: { max_connections: '37' } });
    process.env = before;
  });

  const show = async (name: string): Promise<unknown> => {
    const [row] = await query<Record<string, unknown>>(server.superuserUrl('postgres'), `show ${name}`);
    return row?.[name.toLowerCase()] ?? Object.values(row ?? {})[0];
  };

  it('is made, started and described in one call', async () => {
    expect(server).toMatchObject({ host: '127.0.0.1', major: 18, adopted: false });
    expect(server.version).toMatch(/^18\.\d+/);
    expect(await show('server_version')).toBe(server.version);
    expect(await show('data_directory')).toBe(server.dataDirectory);
    expect(readFileSync(server.logFile, 'utf8')).toContain('ready to accept connections');
    expect(readFileSync(path.join(directory, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('gives the fleet an admin who may create databases and roles, and nothing more', async () => {
    const [role] = await query(
      server.adminUrl('postgres'),
      `select rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
         (select count(*)::int from pg_auth_members where member = r.oid) as memberships
       from pg_roles r where rolname = session_user`,
    );
    expect(role).toEqual({
      rolname: 'tenantctl_admin',
      rolsuper: false,
      rolcreatedb: true,
      rolcreaterole: true,
      rolreplication: false,
      rolbypassrls: false,
      memberships: 0,
    });
    await query(server.adminUrl('postgres'), 'create database "a b/c"');
    expect(await query(server.adminUrl('a b/c'), 'select current_database() as name')).toEqual([
      { name: 'a b/c' },
    ]);
  });

  it('lets nobody in without the right password, the superuser included', async () => {
    for (const url of [server.adminUrl('postgres'), server.superuserUrl('postgres')]) {
      const wrong = new URL(url);
      wrong.password = 'wrong';
      await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    }
    expect(readFileSync(path.join(server.dataDirectory, 'pg_hba.conf'), 'utf8')).not.toContain('trust');
  });

  it('keeps data, passwords and log for their owner, and passwords out of every text', () => {
    const cluster = path.dirname(server.dataDirectory);
    for (const name of ['password', 'admin-password', 'postgres.log', 'last-start.json']) {
      expect([name, statSync(path.join(cluster, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(statSync(server.dataDirectory).mode & 0o777).toBe(0o700);
    const passwords = [server.adminUrl('x'), server.superuserUrl('x')].map((url) => new URL(url).password);
    expect(new Set(passwords).size).toBe(2);
    expect(redact(`it said ${passwords.join(' ')}`)).toBe('it said *** ***');
    expect(readFileSync(server.logFile, 'utf8')).not.toContain(passwords[0]);
  });

  it('is the same on every machine: UTF-8, a built-in locale, UTC, English, logical decoding', async () => {
    const [database] = await query(
      server.superuserUrl('postgres'),
      `select pg_encoding_to_char(encoding) as encoding, datlocprovider as provider, datlocale as locale
       from pg_database where datname = 'template1'`,
    );
    expect(database).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8' });
    expect(await show('TimeZone')).toBe('UTC');
    expect(await show('lc_messages')).toBe('C');
    expect(await show('wal_level')).toBe('logical');
  });

  it('listens on this machine only, and on no Unix socket', async () => {
    expect(await show('listen_addresses')).toBe('127.0.0.1');
    expect(await show('unix_socket_directories')).toBe('');
  });

  it('takes the settings of the caller over its own', async () => {
    expect(await show('max_connections')).toBe('37');
    expect(await show('shared_buffers')).toBe('128MB');
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'has a session of its own, where Ctrl-C does not reach it',
    () => {
      expect(sessionOf(server.pid)).not.toBe(sessionOf(process.pid));
    },
  );

  it('is gone when stop() returns, cleanly, and may be stopped again', async () => {
    await server.stop();
    expect(existsSync(`${server.dataDirectory}/postmaster.pid`)).toBe(false);
    expect(() => process.kill(server.pid, 0)).toThrow();
    await server.stop();
  });

  it('keeps its port and its passwords from one start to the next', async () => {
    const again = await startLocalServer({ directory, lifetime: 'tied' });
    expect(again.adminUrl('postgres')).toBe(server.adminUrl('postgres'));
    expect(await query(again.adminUrl('a b/c'), 'select 1 as one')).toEqual([{ one: 1 }]);
    await again.stop();
  });

  it('moves to another port when its own has been taken', async () => {
    const squatter = await listen(server.port);
    const moved = await startLocalServer({ directory, lifetime: 'tied' });
    expect(moved.port).not.toBe(server.port);
    await moved.stop();
    squatter.close();
  });

  it('says that a port it was told to use is taken', async () => {
    const squatter = await listen(0);
    const { port } = squatter.address() as { port: number };
    const error = await failure(
      startLocalServer({ directory, lifetime: 'tied', settings: { port: String(port) } }),
    );
    expect(error).toMatchObject({ code: 'LOCAL_SERVER_PORT_TAKEN', exit: 5 });
    expect(error.message).toContain('Address already in use');
    squatter.close();
  });

  it('shows the end of the log when it does not start', async () => {
    const error = await failure(
      startLocalServer({ directory, lifetime: 'tied', settings: { no_such: 'x' } }),
    );
    expect(error).toMatchObject({ code: 'LOCAL_SERVER_SETTING', exit: 3 });
    expect(error.message).toContain('unrecognized configuration parameter "no_such"');
    expect(error.facts).toMatchObject({ log: server.logFile });
  });
});

describe('a copied cluster', () => {
  it('is a server of its own with the data and the passwords of the one that was copied', async () => {
    const from = await template();
    const original = await startLocalServer({ directory: from, lifetime: 'tied' });
    await query(original.adminUrl('postgres'), 'create database fleet');

    const early = await failure(startLocalServer({ directory: project(), lifetime: 'tied', from }));
    expect(early).toMatchObject({ code: 'LOCAL_SERVER_TEMPLATE_RUNS', exit: 5 });

    await original.stop();
    const copy = await startLocalServer({ directory: project(), lifetime: 'tied', from });
    const restarted = await startLocalServer({ directory: from, lifetime: 'tied' });
    expect(copy.port).not.toBe(restarted.port);
    expect(new URL(copy.adminUrl('fleet')).password).toBe(new URL(restarted.adminUrl('fleet')).password);
    expect(await query(copy.adminUrl('fleet'), 'select current_database() as name')).toEqual([
      { name: 'fleet' },
    ]);
    await Promise.all([copy.stop(), restarted.stop()]);
  });

  it('cannot be made of a directory without a cluster', async () => {
    const error = await failure(
      startLocalServer({ directory: project(), lifetime: 'tied', from: '/nowhere' }),
    );
    expect(error).toMatchObject({ code: 'LOCAL_SERVER_NO_TEMPLATE', exit: 3 });
  });
});

function sessionOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
