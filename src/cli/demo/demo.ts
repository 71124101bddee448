import { randomUUID } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import { type Emit, eventStream } from '../../core/events.js';
import { redactDeep } from '../../core/redact.js';
import { type LocalServer, startLocalServer } from '../../embedded/server.js';
import type { Fleet } from '../../engine/context.js';
import { chooseRenderer } from '../../render/choose.js';
import type { Renderer } from '../../render/renderer.js';
import type { Call } from '../command.js';
import type { demo as declaration } from '../commands/demo.js';
import { connectFleet, connectNewFleet, readConfig } from '../context.js';
import { eventsTo } from '../events-file.js';
import { type Io, isCi } from '../io.js';
import type { DemoFolder } from './folder.js';
import { Narrator } from './narrator.js';

type DemoCall = Pick<Call<typeof declaration>, 'io' | 'global' | 'signal' | 'cancellation' | 'reach'>;
type Connect = typeof connectFleet;

/** Settings that say where PostgreSQL's programs are; every other one belongs to the user's own fleet. */
const KEPT = new Set(['TENANTCTL_PG_BIN', 'TENANTCTL_PG_USER']);

/** A power failure may cost a demo its data; flushing twelve thousand files to a slow disk takes up to 20 s. */
const FLEETING = { fsync: 'off', full_page_writes: 'off' };

/** What the steps share: the folder, its server, a fleet to work on and somebody who tells of it. */
export class Demo {
  readonly narrator: Narrator;
  /** The environment without anything that could lead to another fleet. */
  readonly env: Io['env'];
  private server: LocalServer | undefined;

  constructor(
    readonly folder: DemoFolder,
    private readonly call: DemoCall,
  ) {
    this.narrator = new Narrator(call.io, call.global);
    this.env = neutral(call.io.env);
  }

  get signal(): AbortSignal {
    return this.call.signal;
  }

  /** Starts the demo's own server. It goes with this process, however that ends. */
  async startServer(): Promise<LocalServer> {
    const server = await startLocalServer({
      directory: this.folder.server,
      lifetime: 'tied',
      settings: FLEETING,
      env: this.env,
    });
    this.server = server;
    return server;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** Opens the fleet for one piece of work, as a command of its own would. */
  onFleet<T>(work: (fleet: Fleet) => Promise<T>): Promise<T> {
    return this.connected(connectFleet, work);
  }

  /** The same before its catalog is there. */
  onNewFleet<T>(work: (fleet: Fleet) => Promise<T>): Promise<T> {
    return this.connected(connectNewFleet, work);
  }

  private async connected<T>(connect: Connect, work: (fleet: Fleet) => Promise<T>): Promise<T> {
    const { call, signal } = this;
    const io = Object.create(call.io, { env: { value: this.env } }) as Io;
    const global = { ...call.global, config: this.folder.config, catalog: undefined };
    return this.watched(async (emit) => {
      const config = await readConfig(io, global);
      const change = { actor: undefined, reason: 'demo', ticket: undefined };
      const { reach, cancellation } = call;
      const fleet = await connect({ config, io, change, emit, reach, signal, cancellation });
      try {
        return await work(fleet);
      } finally {
        await fleet.close();
      }
    });
  }

  /** Shows what happens meanwhile. It has left the screen when this returns, so that the story can go on. */
  private async watched<T>(work: (emit: Emit) => Promise<T>): Promise<T> {
    const renderers = this.renderers();
    const stream = eventStream(
      randomUUID(),
      renderers.map(({ on }) => on),
    );
    try {
      const result = await work((event) => stream(redactDeep(event)));
      this.signal.throwIfAborted();
      return result;
    } finally {
      await Promise.all(renderers.map((renderer) => renderer.close()));
    }
  }

  private renderers(): Renderer[] {
    const { io, global } = this.call;
    const events = global.events === undefined ? [] : [eventsTo(global.events, io)];
    if (global.events === '-') return events;
    return [...events, chooseRenderer({ ...global, stderr: io.stderr, env: io.env, ci: isCi(io.env) })];
  }
}

function neutral(env: Io['env']): Io['env'] {
  const entries = Object.entries(env).filter(([name]) => !name.startsWith('TENANTCTL_') || KEPT.has(name));
  return Object.fromEntries(entries);
}

/** For what cannot happen unless the machine is in trouble: a step found something else than it has done. */
export function unexpected(what: string) {
  return conflictError('DEMO_FAILED', `The demo stops here: ${what}`, {
    hint: 'Run it again; with --verbose it tells every step.',
  });
}
