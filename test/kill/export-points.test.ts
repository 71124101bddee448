import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { TIERS } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { useServer } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();
const POINTS = (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) => point.startsWith('export.'));
let project: Project;

beforeAll(async () => {
  project = await new Project(server.current).install();
  await project.provisionAll((tier) => `00000000-0000-4000-8000-00000000000${TIERS.indexOf(tier)}`);
});

describe.each(TIERS)('out of tier %s', (tier) => {
  it.each(POINTS)(
    'an export killed at %s looks unfinished, and the same command makes it whole',
    async (point) => {
      const folder = `exports-${tier}-${point}`;
      const args = ['export', tier, '--out', `${folder}/acme`];
      expect(await project.run(...args, '--fail-at', point)).toMatchObject({ code: null, signal: 'SIGKILL' });
      const there = join(project.folder, folder);
      expect(readdirSync(there)).toEqual(['acme.partial']);
      const unfinished = await project.run('export', 'verify', `${folder}/acme.partial`, '--json');
      expect([unfinished.code, json(unfinished).error?.code]).toEqual([5, 'EXPORT_UNFINISHED']);
      await project.do(...args);
      expect(readdirSync(there)).toEqual(['acme']);
      await project.do('export', 'verify', `${folder}/acme`);
      expect(existsSync(join(there, 'acme/manifest.json'))).toBe(true);
    },
  );
});

it('an export has points to be killed at', () => {
  expect(POINTS).toContain('export.written');
});
