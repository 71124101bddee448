import { expect, it } from 'vitest';
import type { Offboarding } from '../../src/core/offboarding.js';
import { chooseColors } from '../../src/render/colors.js';
import { offboardedText } from '../../src/render/offboard-text.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: true });
const dueAt = '2026-11-22T18:00:00Z';
const told = (retainMs: number): string => {
  const offboarding = { tenant: 'acme', state: 'scheduled', requestedBy: 'ops', retainMs } as Offboarding;
  const rest = { basis: null, ticket: null, reason: null };
  return offboardedText({ offboarding: { ...offboarding, ...rest }, export: null, dueAt }, colors);
};

it('an offboarding says when it is due, and how long after the request', () => {
  expect(told(30 * 24 * 3_600_000)).toContain(`due           ${dueAt}, 30 days after the request\n`);
  expect(told(0)).toContain(`due           ${dueAt}, at once\n`);
});
