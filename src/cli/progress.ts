import { randomUUID } from 'node:crypto';
import { type Emit, eventStream } from '../core/events.js';
import { redactDeep } from '../core/redact.js';
import type { Renderer } from '../render/renderer.js';
import type { GlobalValues } from './command.js';
import { CANCEL_NOTICE, drainNotice, type Interruption } from './interruption.js';
import { type Io, isCi } from './io.js';

/** The stream of events of one command, and what watches it. */
export interface ProgressStream {
  emit: Emit;
  close(): Promise<void>;
}

export async function startProgress(
  io: Io,
  global: GlobalValues,
  { signal, cancellation, looks }: Interruption,
): Promise<ProgressStream> {
  const renderers = await chooseRenderers(io, global);
  const stream = eventStream(
    randomUUID(),
    renderers.map((renderer) => renderer.on),
  );
  // The run that is being driven, once its first event has named it.
  let driven: string | undefined;
  const emit: Emit = (event, run) => {
    driven = run ?? driven;
    stream(redactDeep(event), run);
  };
  // Through the stream, for whatever draws on the terminal would wipe out a line written past it.
  const warn = (code: string, message: string) =>
    emit({ type: 'notice', level: 'warning', code, message }, driven);
  const tell = () => warn('DRAINING', drainNotice(signal.reason, looks));
  const tellCancel = () => warn('CANCELLING', CANCEL_NOTICE);
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  // Of a look all is said already.
  if (!looks) cancellation.signal.addEventListener('abort', tellCancel, { once: true });
  return {
    emit,
    async close() {
      signal.removeEventListener('abort', tell);
      cancellation.signal.removeEventListener('abort', tellCancel);
      await Promise.all(renderers.map((renderer) => renderer.close()));
    },
  };
}

/** With `--events -` stderr belongs to the events alone. */
async function chooseRenderers(io: Io, global: GlobalValues): Promise<Renderer[]> {
  const renderers: Renderer[] = [];
  if (global.events !== undefined) {
    const { eventsTo } = await import('./events-file.js');
    renderers.push(eventsTo(global.events, io));
  }
  if (global.events !== '-') {
    const { chooseRenderer } = await import('../render/choose.js');
    renderers.push(chooseRenderer({ ...global, stderr: io.stderr, env: io.env, ci: isCi(io.env) }));
  }
  return renderers;
}
