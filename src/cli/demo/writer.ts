import { randomUUID } from 'node:crypto';
import type { Fleet } from '../../engine/context.js';
import { askTenant } from '../../operations/ask.js';
import { unexpected } from './demo.js';

const ACTION = 'demo.written';
/** What an application may meet when its tenant moves: it asks for the route again and repeats. */
export const REPEATED: ReadonlySet<string> = new Set([
  'TC001',
  'TC002',
  'TC003',
  '22023',
  '28000',
  '3D000',
  '3F000',
  '40001',
  '42501',
  '42P01',
  '57P01',
]);

/** What an application has written, and what it has met. */
export interface Written {
  acknowledged: ReadonlySet<string>;
  refusals: ReadonlyMap<string, number>;
  /** The longest time between two acknowledgements. */
  longestGapMs: number;
}

/** An application at work: one row after the other, each remembered once the server has acknowledged it. */
export class Writer {
  private readonly written = {
    acknowledged: new Set<string>(),
    refusals: new Map<string, number>(),
    longestGapMs: 0,
  } satisfies Written;
  private stopping = false;
  private readonly work: Promise<void>;
  private waiters: { count: number; done: () => void }[] = [];

  constructor(
    private readonly fleet: Fleet,
    private readonly tenant: string,
  ) {
    this.work = this.write();
    // It is awaited in `stop`; until then a failure must not end the process.
    this.work.catch(() => undefined);
  }

  /** Resolves when it has written so many rows more, or has failed. */
  async writes(more: number): Promise<void> {
    const count = this.written.acknowledged.size + more;
    await Promise.race([new Promise<void>((done) => this.waiters.push({ count, done })), this.work]);
  }

  async stop(): Promise<Written> {
    this.stopping = true;
    await this.work;
    return this.written;
  }

  private async write(): Promise<void> {
    let last = performance.now();
    while (!this.stopping && !this.fleet.signal.aborted) {
      const token = randomUUID();
      const answer = await askTenant(
        this.fleet,
        this.tenant,
        `insert into activity (action, entity, entity_id) values ('${ACTION}', 'demo', '${token}')`,
      );
      if ('refused' in answer) {
        this.meet(answer.refused);
        continue;
      }
      const now = performance.now();
      this.written.longestGapMs = Math.max(this.written.longestGapMs, now - last);
      last = now;
      this.acknowledge(token);
    }
  }

  private acknowledge(token: string): void {
    this.written.acknowledged.add(token);
    const ready = this.waiters.filter(({ count }) => count <= this.written.acknowledged.size);
    this.waiters = this.waiters.filter((waiter) => !ready.includes(waiter));
    for (const { done } of ready) done();
  }

  private meet({ sqlstate, message }: { sqlstate: string; message: string }): void {
    if (!REPEATED.has(sqlstate)) throw unexpected(`the writer met ${sqlstate}: ${message}.`);
    this.written.refusals.set(sqlstate, (this.written.refusals.get(sqlstate) ?? 0) + 1);
  }
}

/** The rows of a writer that its tenant has now. */
export async function rowsOf(fleet: Fleet, tenant: string): Promise<Set<string>> {
  const answer = await askTenant(fleet, tenant, `select entity_id from activity where action = '${ACTION}'`);
  if ('refused' in answer) throw unexpected(`${answer.refused.message} (${answer.refused.sqlstate}).`);
  return new Set(answer.rows.map((row) => String(row['entity_id'])));
}
