import { afterEach, describe, expect, it, vi } from 'vitest';
import { FAULT_POINTS } from '../../src/core/faults.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { commandThat, document, DONE, invoke } from './support.js';

const probe = commandThat(
  ({ reach }) => {
    reach('provision.recorded');
    reach('provision.created');
    return DONE;
  },
  { changes: true },
);

describe('--fail-at', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([{}, { TENANTCTL_REHEARSAL: '0' }, { TENANTCTL_REHEARSAL: 'yes' }])(
    'is refused with %j',
    async (env) => {
      const { code, stderr } = await invoke(['probe', '--fail-at', 'provision.created'], {
        commands: [probe],
        env,
      });
      expect(code).toBe(2);
      expect(stderr).toContain('TENANTCTL_REHEARSAL=1');
    },
  );

  it('is refused for a step that does not exist', async () => {
    for (const point of ['provision.nowhere', 'toString']) {
      const env = { TENANTCTL_REHEARSAL: '1' };
      const { code, stderr } = await invoke(['probe', '--fail-at', point], { commands: [probe], env });
      expect(code).toBe(2);
      expect(stderr).toContain('dev fault-points');
    }
  });

  it('kills the process at that step and at no other', async () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const env = { TENANTCTL_REHEARSAL: '1' };
    await invoke(['probe', '--fail-at', 'provision.created'], { commands: [probe], env });
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']]);
  });

  it('is known to every command that changes something, and to no other', async () => {
    for (const { spec } of COMMANDS) {
      const texts = Object.values(spec.arguments ?? {}).map(({ choices }) => choices?.[0] ?? 'acme');
      const words = spec.path[0] === 'help' ? [] : texts;
      const { error } = document(await invoke([...spec.path, ...words, '--fail-at', 'x', '--json']));
      expect([spec.path, error?.code]).toEqual([
        spec.path,
        spec.changes ? 'FAIL_AT_REFUSED' : 'UNKNOWN_OPTION',
      ]);
    }
  });

  it('has its steps listed by `dev fault-points`', async () => {
    const parsed = document(await invoke(['dev', 'fault-points', '--json']));
    const points = parsed.data?.['points'] as { point: string; verb: string }[];
    expect(points.map(({ point }) => point)).toEqual(Object.keys(FAULT_POINTS));
    expect(points.every(({ point, verb }) => point.startsWith(`${verb}.`))).toBe(true);
  });
});
