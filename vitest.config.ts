import { defineConfig } from 'vitest/config';

/**
 * Every fault point, every kind of statement, every way of a move and of a way out, tried one by one, and what takes long
 * for the little that it adds to the others: `npm run test:matrix`.
 */
const MATRIX = [
  'test/kill/**/*.test.ts',
  'test/engine/ledger/locks.test.ts',
  'test/engine/moves/**/*.test.ts',
  'test/engine/shape/{looks,read,repair}.test.ts',
  'test/engine/tiers/templates.test.ts',
  'test/engine/ledger/{extensions,steps}.test.ts',
  'test/operations/moves/{exclusion,faults,few-connections,grace,hostile,hostile-names,many-rows,methods,server-loss,two-homes,two-servers,way-back-open}.test.ts',
  'test/operations/retention/*.test.ts',
  'test/operations/export/{awkward,contents,failures,hostile}.test.ts',
  'test/operations/restore/{hostile,hostile-values,live-pool,new-tenant,replace,shapes}.test.ts',
  'test/operations/doctor/{catalog-and-homes,deleted-tenant,fleet-state,healthy,move-leftovers,orphans,rebuild,servers,shut-homes,stuck}.test.ts',
  'test/operations/check/{awkward-tables,broken-pools,isolation-bound,isolation-names,isolation-outside-pools,isolation-realistic,isolation-remedies,isolation-roles,drift,drift-edges,drift-healthy,isolation-rules,observed-pool,overlooked,probe-examples,probed-schemas,probes-change-nothing}.test.ts',
  'test/operations/adopt/tools/*.test.ts',
  'test/operations/audit/verify.test.ts',
  'test/operations/adopted-{doctor,dual-write,leaving,migrate,moves,retention}.test.ts',
  'test/operations/adopt/{discover,faults,hostile}.test.ts',
  'test/engine/lint/{large-files,live}.test.ts',
  'test/operations/{pools-by-table,provision-audit,provision-hooks,provision-place,provision-seed,provision-together}.test.ts',
  'test/operations/uninstall/uninstall.test.ts',
  'test/operations/{run-script,runs-checks,runs-control,runs-gates,runs-late,runs-phases}.test.ts',
  'test/cli/{adopt,bad-input,cancelling,ended-look,export,moves,places-away,proof,restore,run-outputs,secrets,tenant-lists}.test.ts',
];
const globalSetup = ['test/support/global-setup.ts'];

export default defineConfig({
  test: {
    globals: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Every file runs a PostgreSQL server of its own.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'architecture', include: ['test/architecture.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'suite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/architecture.test.ts', ...MATRIX],
          globalSetup,
        },
      },
      { extends: true, test: { name: 'matrix', include: MATRIX, globalSetup } },
    ],
  },
});
