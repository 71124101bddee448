import { expect, it } from 'vitest';
import { findingsFailure } from '../../src/cli/findings-failure.js';
import { finding } from '../render/findings.js';

const away = finding({ rule: 'not-inspected', where: 'eu', facts: { unreachable: true } });
const failureOf = (...findings: ReturnType<typeof finding>[]) => findingsFailure(findings, 'check');

it('is exit 8 as soon as something is amiss, and exit 4 where nothing is known to be but that a place is away', () => {
  expect(failureOf()).toBeUndefined();
  expect(failureOf(finding({ level: 'warning' }))).toBeUndefined();
  expect(failureOf(finding({}))).toMatchObject({ exit: 8, message: '1 error found: rls-off.' });
  expect(failureOf(finding({}), away)).toMatchObject({
    exit: 8,
    code: 'CHECK_FINDINGS',
    message: '2 errors found: rls-off, not-inspected; 1 place could not be reached.',
    facts: { unreachable: ['eu'] },
  });
  expect(failureOf(away, finding({ level: 'warning' }))).toMatchObject({ exit: 4, code: 'NOT_ALL_REACHED' });
  // It answers, and is not as it should be: looking again is of no use.
  expect(failureOf(finding({ rule: 'not-compared', facts: {} }))).toMatchObject({ exit: 8 });
});
