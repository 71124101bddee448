import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../src/core/rule.js';
import { RULES } from '../../../src/operations/check/rules.js';

const ALL = CHECKS.flatMap((check) => RULES[check]);

describe('the rules of all checks', () => {
  it('have names of their own over all checks: baselines and allowances name nothing else', () => {
    const names = ALL.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name) => !/^[a-z]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  it.each(CHECKS)('of %s are there, and say of which check they are', (check) => {
    expect(RULES[check].length).toBeGreaterThan(5);
    expect(RULES[check].filter((rule) => rule.check !== check)).toEqual([]);
  });

  it.each(ALL.map((rule) => [rule.name, rule] as const))(
    '%s says the danger, the reason, the remedy, and shows both sides',
    (_name, rule) => {
      for (const part of [rule.summary, rule.explanation, rule.remedy, rule.bad, rule.good]) {
        expect(part.trim()).not.toBe('');
      }
      expect(rule.summary).toMatch(/^[^\n]{10,200}\.$/);
      expect(rule.good).not.toBe(rule.bad);
    },
  );
});
