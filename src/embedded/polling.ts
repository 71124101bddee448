import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until the question has an answer.
 * @returns the answer, or undefined when `withinMs` have passed without one
 */
export async function poll<T>(
  question: () => Promise<T | undefined> | T | undefined,
  withinMs: number,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 50)) {
    const answer = await question();
    if (answer !== undefined || performance.now() > deadline) return answer;
    await sleep(pause);
  }
}
