import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { newFolder } from '../support/folder.js';

const ROOT = resolve(import.meta.dirname, '../..');
const home = newFolder();
const bin = join(home, 'bin/tenantctl.js');

/** A copy of its own: the checkout's `dist` may be missing, or older than what is tested. */
function build(): void {
  const tsconfig = join(home, 'tsconfig.json');
  const compilerOptions = {
    rootDir: join(ROOT, 'src'),
    outDir: join(home, 'dist'),
    noCheck: true,
    types: [],
    declaration: false,
  };
  writeFileSync(
    tsconfig,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [join(ROOT, 'src')] }),
  );
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', tsconfig]);
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  cpSync(join(ROOT, 'bin'), join(home, 'bin'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
}

const call = (...argv: string[]) =>
  spawnSync(process.execPath, [bin, ...argv], { encoding: 'utf8', cwd: tmpdir() });
const ended = (child: ChildProcess) =>
  new Promise<number | null>((done) => child.on('exit', (code) => done(code)));

describe('the program', () => {
  beforeAll(build, 60_000);

  it('gives the exit code of its command', () => {
    expect(call('--version')).toMatchObject({ status: 0, stderr: '' });
    expect(call('nonsense').status).toBe(2);
    expect(call('list', '-c', 'missing.yaml').status).toBe(3);
  });

  it('prints a long result whole into a pipe', () => {
    const { status, stdout } = call('config', 'schema', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  });

  it('ends quietly when nobody reads its output', async () => {
    const child = spawn(process.execPath, [bin, 'config', 'schema'], {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await ended(child)).toBe(0);
    expect(stderr).toBe('');
  });

  /** The modules that one call has loaded, as V8's coverage lists them. */
  const loaded = (...argv: string[]) => {
    const folder = newFolder();
    spawnSync(process.execPath, [bin, ...argv], {
      cwd: tmpdir(),
      env: { ...process.env, NODE_V8_COVERAGE: folder },
    });
    const [file = ''] = readdirSync(folder);
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  };

  it('loads next to nothing for --version, and no library for --help', () => {
    expect(loaded('--version').filter((url) => url.includes('/dist/'))).toHaveLength(2);
    expect(loaded('--help').filter((url) => url.includes('node_modules'))).toEqual([]);
  });

  it('loads the handler of no command but the one that was called', () => {
    const urls = loaded('dev', 'fault-points');
    expect(urls.filter((url) => url.includes('/handlers/'))).toHaveLength(1);
    expect(urls.filter((url) => /node_modules\/(zod|pg|listr2|cosmiconfig)\//.test(url))).toEqual([]);
  });
});

describe('a checkout that is not built', () => {
  it('says so', () => {
    const bare = newFolder();
    mkdirSync(join(bare, 'bin'));
    cpSync(join(ROOT, 'bin/tenantctl.js'), join(bare, 'bin/tenantctl.js'));
    writeFileSync(join(bare, 'package.json'), '{"type":"module"}');
    const { status, stderr } = spawnSync(process.execPath, [join(bare, 'bin/tenantctl.js')], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('npm run build');
  });
});
