import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writePlan, readPlan } from '../../src/cli/plan-file.js';
import type { SavedPlan } from '../../src/operations/runs/saved-plan.js';
import { invoke, testIo } from './support.js';
import { newFolder } from '../support/folder.js';

describe('a file that was named and cannot be used is told with the reason and what to do', () => {
  it('a certificate', async () => {
    const { code, stderr } = await invoke(['certificate', 'verify', 'nofile.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/nofile\.json cannot be read: ENOENT: .*\nhint: Name the file that/);
  });

  it('an export', async () => {
    const { code, stderr } = await invoke(['export', 'verify', 'nowhere']);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /There is no folder .*nowhere\.\nhint: Name the folder that `tenantctl export` wrote/,
    );
  });

  it('a plan, written or read', async () => {
    const { io } = testIo({ cwd: newFolder() });
    const target = join('no', 'such', 'plan.json');
    await expect(writePlan(io, target, {} as SavedPlan)).rejects.toMatchObject({
      code: 'PLAN_UNWRITABLE',
      message: expect.stringContaining('ENOENT') as string,
      hint: 'Name a file in a folder that exists and that you may write to.',
    });
    await expect(readPlan(io, target, {})).rejects.toMatchObject({
      code: 'PLAN_UNREADABLE',
      message: expect.stringContaining('ENOENT') as string,
      hint: expect.stringContaining('--plan-out') as string,
    });
  });
});
