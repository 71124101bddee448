import { spawn } from 'node:child_process';

export interface BlockRun {
  /** What the block printed, to stdout and stderr, in order. */
  output: string;
  status: number;
}

const END = /^@@ended (\d+)@@$/m;

/** Runs blocks of a page in one bash, as if they were pasted one after the other. */
export async function pasteInto(
  shell: { cwd: string; env: NodeJS.ProcessEnv },
  blocks: readonly string[],
): Promise<BlockRun[]> {
  const script = blocks.map((block) => `${block}\nprintf '\\n@@ended %d@@\\n' $?\n`).join('');
  const output = await run(`exec 2>&1\n${script}`, shell);
  const parts = output.split(END);
  return blocks.map((_, index) => ({
    output: parts[2 * index] ?? '',
    status: Number(parts[2 * index + 1] ?? Number.NaN),
  }));
}

function run(script: string, { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['--noprofile', '--norc', '-s'], { cwd, env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', () => resolve(output));
    child.stdin.end(script);
  });
}
