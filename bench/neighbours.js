import { fork } from 'node:child_process';
import { once } from 'node:events';

/** See neighbour.js. */
export function inItsOwnProcess(load) {
  // In a session of its own: Linux shares out processors by sessions, and this one is nobody's of the mover's.
  const child = fork(new URL('neighbour.js', import.meta.url), [JSON.stringify(load)], { detached: true });
  const ask = async (question) => {
    child.send(question);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return {
    commits: (count) => ask({ ask: 'commits', count }),
    latencies: () => ask({ ask: 'latencies' }),
    stop: () => ask({ ask: 'stop' }),
  };
}

export function p99(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
