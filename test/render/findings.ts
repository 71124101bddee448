import type { Finding } from '../../src/core/finding.js';
import type { Rule } from '../../src/core/rule.js';
import type { CheckView } from '../../src/render/check/check-view.js';

export function finding(part: Partial<Finding>): Finding {
  return {
    rule: 'rls-off',
    level: 'error',
    where: 'main/app.app.invoice',
    message: 'row-level security is off',
    hint: 'Switch it on.',
    facts: { sql: ['alter table app.invoice enable row level security'] },
    ...part,
  };
}

const RULES: readonly Rule[] = [
  {
    name: 'rls-off',
    check: 'isolation',
    level: 'error',
    summary: 'Every tenant reads every row.',
    explanation: 'Policies do nothing while row-level security is off.',
    remedy: 'Switch it on.',
    bad: 'alter table invoice disable row level security;',
    good: 'alter table invoice enable row level security;',
  },
  {
    name: 'own-transaction',
    check: 'migrations',
    level: 'error',
    summary: 'The file ends the transaction that protects it.',
    explanation: 'What follows its COMMIT cannot be taken back.',
    remedy: 'Take the statement out.',
    bad: 'begin; select 1; commit;',
    good: 'select 1;',
  },
];

export function view(part: Partial<CheckView>): CheckView {
  return { findings: [], known: [], paid: [], whole: true, rules: RULES, scope: [], ...part };
}
