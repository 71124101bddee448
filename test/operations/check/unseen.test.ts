import { describe, expect, it } from 'vitest';
import { noCoverage } from '../../../src/engine/isolation/coverage.js';
import { unseenInFiles, unseenInPlaces, unseenInUnits } from '../../../src/operations/check/unseen.js';
import { finding } from '../../render/findings.js';

const debt = (rule: string, where: string) => ({ rule, where, count: 1 });

describe('a debt is not said to be paid', () => {
  it.each(['syntax-error', 'psql-command', 'files-not-in-order'])('beside %s in any file', (rule) => {
    const drop = debt('drop-column', '0003_later.sql');
    expect(unseenInFiles({ findings: [finding({ rule })] })(drop)).toBe(true);
    expect(unseenInFiles({ findings: [finding({ rule: 'drop-column' })] })(drop)).toBe(false);
  });

  it('while a unit is left out of the comparison, whatever the reason', () => {
    const shape = debt('shape-differs', 'main/app, acme and 2 others');
    const away = finding({ rule: 'not-compared', level: 'warning' });
    expect(unseenInUnits({ findings: [away], skipped: [] })(shape)).toBe(true);
    expect(unseenInUnits({ findings: [], skipped: [{ unit: 'acme', reason: 'moving' }] })(shape)).toBe(true);
    expect(unseenInUnits({ findings: [], skipped: [] })(shape)).toBe(false);
  });

  it('by a probe at a place that was not probed; what the catalogs say is known', () => {
    const notProbed = ['main/app.app.invoice', 'main/app.other, role nights', 'main/homes'].map((where) => ({
      where,
      reason: 'x',
    }));
    const unseen = unseenInPlaces({ findings: [], coverage: { ...noCoverage(), notProbed } });
    for (const [rule, where] of [
      ['foreign-rows-read', 'main/app.app.invoice'],
      ['key-tells-foreign-rows', 'main/app.app.invoice.invoice_number_key'],
      ['foreign-rows-written', 'main/app.other.note'],
      ['tenant-schema-reached', 'main/homes.t_acme'],
    ] as const)
      expect([where, unseen(debt(rule, where))]).toEqual([where, true]);
    for (const [rule, where] of [
      ['rls-off', 'main/app.app.invoice'],
      ['foreign-rows-read', 'main/app.app.invoice_line'],
      ['tenant-schema-reached', 'main/elsewhere.t_acme'],
    ] as const)
      expect([where, unseen(debt(rule, where))]).toEqual([where, false]);
  });

  it('while a database could not be looked into', () => {
    const findings = [finding({ rule: 'not-inspected', level: 'error' })];
    expect(unseenInPlaces({ findings, coverage: noCoverage() })(debt('rls-off', 'eu/x.app.note'))).toBe(true);
  });
});
