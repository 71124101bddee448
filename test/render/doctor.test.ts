import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.js';
import { chooseColors } from '../../src/render/colors.js';
import { doctorText } from '../../src/render/doctor-text.js';
import { finding } from './findings.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: false });
const text = (view: Partial<Parameters<typeof doctorText>[0]>) =>
  doctorText({ findings: [], fixed: [], ...view }, colors);
const byHand = finding({ facts: { fixable: false } });
const fixable = finding({ facts: { fixable: true } });

describe('doctor --fix', () => {
  it('says so where nothing can be mended, also in its plan', () => {
    const said =
      'nothing here can be mended by `--fix`: the finding needs a decision or a statement of yours';
    expect(text({ findings: [byHand], fix: true })).toContain(said);
    expect(text({ findings: [byHand], fix: true, plan: [] })).toContain(said);
    expect(text({ findings: [byHand] })).not.toContain('--fix');
  });

  it('says so where nothing is wrong', () => {
    expect(text({ fix: true })).toBe('ok nothing is wrong that this looks for; nothing to mend');
    expect(text({})).toBe('ok nothing is wrong that this looks for');
  });

  it('does not offer itself again right after it has tried', () => {
    expect(text({ findings: [fixable] })).toContain('mends 1 of them');
    expect(text({ findings: [fixable], fix: true, plan: ['x: mend it'] })).toContain('mends 1 of them');
    expect(text({ findings: [fixable], fix: true })).not.toContain('of them');
  });

  it('says nothing of the kind where something was mended, will be, or was tried in vain', () => {
    for (const view of [
      { fixed: [fixable], findings: [byHand] },
      { findings: [byHand, fixable], plan: ['x: mend it'] },
      { findings: [fixable] },
    ])
      expect(text({ ...view, fix: true })).not.toContain('nothing here can be mended');
  });
});

describe('doctor', () => {
  it('says once what to do about findings that are alike, errors first', () => {
    const lost = ['acme', 'beta'].map((where) =>
      finding({ rule: 'missing-home', where, message: 'it is gone', hint: 'Bring it back.' }),
    );
    const other = finding({
      rule: 'missing-home',
      where: 'crux',
      message: 'it is gone',
      hint: 'Look at crux.',
    });
    const late = finding({
      rule: 'orphan-role',
      level: 'warning',
      where: 'r',
      message: 'left',
      hint: 'Drop it.',
    });
    expect(text({ findings: [lost[0] as Finding, other, lost[1] as Finding, late] }).split('\n')).toEqual([
      'error missing-home acme: it is gone',
      'error missing-home beta: it is gone',
      '  Bring it back.',
      'error missing-home crux: it is gone',
      '  Look at crux.',
      'warning orphan-role r: left',
      '  Drop it.',
      '',
      '3 errors, 1 warning',
    ]);
  });

  it('says once what to do for each tenant, and leaves statements as they are to be pasted', () => {
    const lost = (tenant: string) =>
      finding({
        where: tenant,
        message: 'x',
        hint: `\`tenantctl show ${tenant}\` says it.`,
        facts: { tenant },
      });
    const back = (tenant: string) =>
      finding({
        where: tenant,
        message: 'x',
        hint: `Run: delete from t where id = '${tenant}';`,
        facts: { tenant },
      });
    expect(text({ findings: [lost('acme'), lost('beta')] })).toContain(
      'beta: x\n  `tenantctl show <tenant>` says it.\n\n',
    );
    expect(text({ findings: [lost('acme')] })).toContain('`tenantctl show acme`');
    expect(text({ findings: [back('acme'), back('beta')] })).toContain("id = 'acme';\n");
  });
});
