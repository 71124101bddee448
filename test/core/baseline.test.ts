import { describe, expect, it } from 'vitest';
import { debtsOf, debtsWith, weigh } from '../../src/core/baseline.js';
import { finding } from '../render/findings.js';

describe('a baseline', () => {
  it('tolerates what it names, wherever the line went and whatever the message says now', () => {
    const debts = debtsOf([finding({ facts: { line: 3 } })]);
    const moved = finding({ message: 'another number', facts: { line: 90 } });
    expect(weigh([moved], debts)).toEqual({ findings: [], known: [moved], paid: [] });
  });

  it('does not hide a second fault of the same kind at the same place', () => {
    const [first, second] = [finding({}), finding({ message: 'new' })];
    expect(weigh([first, second], debtsOf([first]))).toMatchObject({ known: [first], findings: [second] });
  });

  it('does not hide the same fault at another place, nor another one at the same', () => {
    const debts = debtsOf([finding({})]);
    const others = [finding({ where: 'elsewhere' }), finding({ rule: 'other-rule' })];
    expect(weigh(others, debts).findings).toEqual(others);
  });

  it('says what it names for nothing', () => {
    const debts = debtsOf([finding({}), finding({}), finding({ where: 'elsewhere' })]);
    expect(weigh([finding({})], debts).paid).toEqual([
      { rule: 'rls-off', where: 'elsewhere', count: 1 },
      { rule: 'rls-off', where: 'main/app.app.invoice', count: 1 },
    ]);
  });

  it('says nothing of what this look could not tell, and keeps it as often as it was', () => {
    const debts = debtsOf([finding({}), finding({}), finding({ where: 'elsewhere' })]);
    const unseen = ({ where }: { where: string }) => where !== 'elsewhere';
    expect(weigh([finding({})], debts, unseen).paid).toMatchObject([{ where: 'elsewhere' }]);
    expect(debtsWith(debts.filter(unseen), debtsOf([finding({}), finding({ rule: 'other-rule' })]))).toEqual([
      { rule: 'other-rule', where: 'main/app.app.invoice', count: 1 },
      { rule: 'rls-off', where: 'main/app.app.invoice', count: 2 },
    ]);
  });

  it('never tolerates that something was not looked at', () => {
    const away = ['not-inspected', 'not-compared', 'pool-not-probed'].map((rule) => finding({ rule }));
    expect(debtsOf(away)).toEqual([]);
    const written = away.map(({ rule, where }) => ({ rule, where, count: 1 }));
    expect(weigh(away, written)).toMatchObject({ findings: away, known: [] });
  });

  it('is written in the same order whatever the order of the findings', () => {
    const findings = ['c', 'a', 'b'].map((where) => finding({ where }));
    expect(debtsOf(findings)).toEqual(debtsOf(findings.toReversed()));
  });
});
