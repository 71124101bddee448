import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { completionScript, type Shell } from '../../src/cli/completion/script.js';
import { invoke } from './support.js';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'] as const)(
    '%s: is what the command prints, and names every command and option',
    async (shell) => {
      const script = completionScript(shell, COMMANDS);
      expect((await invoke(['completion', shell])).stdout).toBe(script);
      for (const { spec } of COMMANDS) for (const word of spec.path) expect(script).toContain(word);
      expect(script).toContain('tenant-key');
      expect(script).not.toContain('fail-at <');
    },
  );

  it.each(['bash', 'zsh', 'fish'] as Shell[])('%s: parses', (shell) => {
    if (!has(shell)) return;
    const { status, stderr } = spawnSync(shell, ['-n'], {
      input: completionScript(shell, COMMANDS),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  const complete = (...words: string[]) => {
    const program = `${completionScript('bash', COMMANDS)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_tenantctl
printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' }).stdout.trim().split('\n');
  };

  it('bash: completes commands, options, choices and nothing after a free text', () => {
    expect(complete('tenantctl', 'mig')).toEqual(['migrate']);
    expect(complete('tenantctl', 'config', 's')).toEqual(['show', 'schema']);
    expect(complete('tenantctl', 'provision', 'acme', '--ti')).toContain('--ticket');
    expect(complete('tenantctl', 'provision', 'acme', '--tier', '')).toEqual(['pool', 'schema', 'database']);
    expect(complete('tenantctl', 'provision', '--plan', '')).toEqual(['']);
    expect(complete('tenantctl', 'completion', 'z')).toEqual(['zsh']);
  });

  it('bash: does not take the value of an option for a command', () => {
    expect(complete('tenantctl', '-c', 'dev', 'mig')).toEqual(['migrate']);
  });
});
