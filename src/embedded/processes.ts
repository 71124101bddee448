import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A live process. `started` tells it from a later one that was given the same id. */
export interface ProcessFacts {
  readonly started: string;
  readonly command: string;
}

/**
 * Looks a process up. A zombie counts as gone: in a container whose first process reaps nobody, a
 * server that has ended would otherwise seem alive for ever.
 */
export function lookUp(pid: number): ProcessFacts | undefined {
  return process.platform === 'linux' ? lookUpInProc(pid) : lookUpWithPs(pid);
}

/** Whether that id is some process's, as a program sees it that can only send signals: a zombie's too. */
export function isTaken(pid: number): boolean {
  // A signal to 0 goes to our own group.
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lookUpInProc(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; state and start time are fields 3 and 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { started: fields[19] ?? '', command };
  } catch {
    return undefined;
  }
}

function lookUpWithPs(pid: number): ProcessFacts | undefined {
  const ps = spawnSync('ps', ['-ww', '-o', 'stat=,lstart=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const match = /^\s*(\S+)\s+(\S+ +\S+ +\d+ +[\d:]+ +\d+)\s+(.*)$/m.exec(ps.stdout ?? '');
  if (!match?.[1] || match[1].startsWith('Z')) return undefined;
  return { started: match[2] ?? '', command: match[3]?.trim() ?? '' };
}
