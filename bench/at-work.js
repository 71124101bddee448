import { fork } from 'node:child_process';

/**
 * A tenant at work in a process of its own, so that what is measured of it is the server's doing and not that of the process
 * that moves rows.
 * @param route where the tenant lives now, with the `url` of its database
 */
export function atWork(route, customers) {
  // In a session of its own: Linux shares out processors by sessions, and this one is nobody's of the mover's.
  const child = fork(new URL('tenant-process.js', import.meta.url), [String(customers)], { detached: true });
  const asking = [];
  child.on('message', async ({ ask, answer }) => {
    // Without one, while a move is at its turning point, the tenant asks again.
    if (ask === 'route') child.send({ route: await route().catch(() => null) });
    else asking.shift()(answer);
  });
  const question = (ask, count) => {
    child.send({ ask, count });
    return new Promise((answered) => asking.push(answered));
  };
  return {
    commits: (count) => question('commits', count),
    latencies: () => question('latencies'),
    /** @returns the tokens of the transactions that were acknowledged */
    stop: async () => new Set(await question('stop')),
  };
}

export function p99(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
