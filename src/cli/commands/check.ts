import { defineCommand } from '../command.js';
import type { OptionSpecs } from '../option.js';

const REPORTS = {
  sarif: {
    type: 'string',
    value: 'file',
    path: true,
    summary: 'write the findings as SARIF 2.1.0 as well, for code scanning',
  },
  junit: {
    type: 'string',
    value: 'file',
    path: true,
    summary: 'write them as JUnit XML as well, a case a rule',
  },
  baseline: {
    type: 'string',
    value: 'file',
    path: true,
    summary: 'findings in this file are known and do not fail the check',
  },
  writeBaseline: {
    type: 'string',
    value: 'file',
    path: true,
    summary: 'write what is found now as the baseline, and exit 0 if everything could be looked at',
  },
} as const satisfies OptionSpecs;

const EXITS =
  'Exit 8 on a finding of level error that is not in the baseline; exit 4 when nothing is amiss but that a place could not be reached. With GITHUB_ACTIONS=true findings are annotations as well.';

/** There is nothing to finish: what a probe has written is rolled back. */
const LOOKS = { unless: [] } as const;

export const checkIsolation = defineCommand({
  path: ['check', 'isolation'],
  summary: 'try to cross from one tenant to another, and look for what would allow it',
  description: `In every pool two throw-away tenants are made inside a transaction that is rolled back, and each command is tried with the wrong context, an empty one and none; in the other tiers each role is tried on its neighbours. Then the catalogs are read for what would let somebody cross. Nothing is changed. ${EXITS}`,
  options: REPORTS,
  examples: [
    { run: 'tenantctl check isolation', does: 'probes and rules, with the SQL that mends each finding' },
    {
      run: 'tenantctl check isolation --sarif isolation.sarif',
      does: 'nightly, for the security tab of the repository',
    },
  ],
  needs: 'fleet',
  changes: false,
  looks: LOOKS,
});

export const checkMigrations = defineCommand({
  path: ['check', 'migrations'],
  summary: 'look for what would block, break or cross tenants in the migration files; no database is asked',
  description: `Every file is parsed by PostgreSQL's own grammar and held against the rules. A finding that is meant is allowed in the file: \`-- tenantctl: allow <rule> because <reason>\`. \`migrate\` makes the same check over what is pending, and refuses errors. ${EXITS}`,
  options: REPORTS,
  examples: [
    { run: 'tenantctl check migrations', does: 'before a commit, or in a pull request' },
    {
      run: 'tenantctl check migrations --write-baseline debts.json',
      does: 'begin with the faults that are there; from now on only new ones count',
    },
  ],
  needs: 'config',
  changes: false,
  looks: LOOKS,
});

export const checkDrift = defineCommand({
  path: ['check', 'drift'],
  summary: 'compare the shapes of all homes with each other, with their ledgers and with the files',
  description: `Homes of the same version that look alike are counted together; a minority is told object by object, with the SQL that brings it back. One query a database, whatever the number of tenants in it. ${EXITS}`,
  options: REPORTS,
  examples: [
    { run: 'tenantctl check drift', does: 'who has a column, an index or a policy that others have not' },
  ],
  needs: 'fleet',
  changes: false,
  looks: LOOKS,
});

export const checkAll = defineCommand({
  path: ['check', 'all'],
  summary: 'make the checks of migrations, isolation and drift in one go',
  description: `The one line for a pipeline. Cheapest first: files, then shapes, then probes. ${EXITS}`,
  options: REPORTS,
  examples: [
    {
      run: 'tenantctl check all --baseline debts.json --sarif check.sarif --junit check.xml',
      does: 'the gate in front of a release',
    },
  ],
  needs: 'fleet',
  changes: false,
  looks: LOOKS,
});

/** What the options of every check hold. */
export type CheckReports = typeof REPORTS;
