import { formatDuration } from '../core/duration.js';
import type { StampedEvent } from '../core/events.js';
import type { Colors } from './colors.js';
import { withoutUnit } from './failures-text.js';
import { type ExportEvent, ExportProgress, exportLine, isExportEvent } from './export-lines.js';
import { counted } from '../core/counted.js';
import { gistOf, oneLine } from './line.js';
import { type MoveEvent, MoveProgress, isMoveEvent, moveLine } from './move-lines.js';
import { countUnit, type Progress, progressText, startProgress } from './progress.js';
import type { Renderer } from './renderer.js';
import { type Waiting, waitingText } from './waiting.js';

/** `failures`: those and warnings only; `changes`: one line a change; `steps`: everything. */
export type Detail = 'failures' | 'changes' | 'steps';

interface Options {
  write(line: string): void;
  colors: Colors;
  detail: Detail;
  /** A line every 30 s while nothing else is written: pipelines kill what is silent. */
  signsOfLife: boolean;
}

const SILENCE_MS = 30_000;
/** More units than this are counted, not listed: a line for each tenth of them that is done. */
const LISTED_UNITS = 50;
const PARTS = 10;
const COUNT_EVERY_MS = 5_000;

type Finished = Extract<StampedEvent, { type: 'unit.finished' }>;

/** Lines for logs and pipelines: no terminal, no movement. */
export function plainRenderer(options: Options): Renderer {
  const lines = new PlainLines(options);
  return {
    on: (event) => lines.on(event),
    close: () => Promise.resolve(lines.close()),
  };
}

class PlainLines {
  private progress: Progress = startProgress(null, Date.now());
  private waiting: Waiting | undefined;
  private move: MoveProgress | undefined;
  private export: ExportProgress | undefined;
  /** When the rows of a move or an export were last told. */
  private countedAt = 0;
  private listed = 0;
  /** Tenths of the units that were told as done. */
  private parts = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: Options) {}

  on(event: StampedEvent): void {
    this.note(event);
    const line = this.lineFor(event);
    if (line !== undefined) this.write(line);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private note(event: StampedEvent): void {
    if (isMoveEvent(event)) return this.noteMove(event, Date.now());
    if (isExportEvent(event)) return this.noteExport(event, Date.now());
    switch (event.type) {
      case 'run.started':
        this.progress = startProgress(event.units, Date.now());
        this.parts = 0;
        return;
      case 'unit.finished':
        countUnit(this.progress, event);
        return this.watch();
      case 'unit.started':
      case 'tenant.step':
        return this.watch();
      case 'wave.waiting':
        this.waiting = event;
        return this.watch();
      case 'wave.started':
      case 'wave.resumed':
        this.waiting = undefined;
    }
  }

  private noteMove(event: MoveEvent, now: number): void {
    if (event.type === 'move.finished') {
      this.move = undefined;
      return;
    }
    this.move ??= new MoveProgress(now);
    this.move.note(event, now);
    if (event.type !== 'move.progress') this.countedAt = now;
    this.watch();
  }

  private noteExport(event: ExportEvent, now: number): void {
    if (event.type === 'export.finished') {
      this.export = undefined;
      return;
    }
    this.export ??= new ExportProgress();
    this.export.note(event);
    if (event.type === 'export.started') this.countedAt = now;
    this.watch();
  }

  private write(line: string): void {
    this.options.write(line);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.watch();
  }

  private watch(): void {
    if (!this.options.signsOfLife || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.write(this.signOfLife(Date.now())), SILENCE_MS);
    this.timer.unref();
  }

  private signOfLife(now: number): string {
    const copying = this.export ?? this.move;
    if (copying !== undefined) return `still at work: ${copying.standing(now)}`;
    if (this.waiting === undefined) return `still at work: ${progressText(this.progress, now)}`;
    return `wave ${this.waiting.wave}: still ${waitingText(this.waiting, now)}`;
  }

  private lineFor(event: StampedEvent): string | undefined {
    if (event.type === 'unit.finished') return this.unitLine(event);
    if (event.type === 'notice') return this.noticeLine(event);
    if (event.type === 'run.halted')
      return `${this.options.colors.red('run halted:')} ${oneLine(event.reason)}`;
    if (this.options.detail === 'failures') return undefined;
    if (isMoveEvent(event)) return moveLine(event, this.options.colors) ?? this.countLine(Date.now());
    if (isExportEvent(event)) return exportLine(event, this.options.colors) ?? this.countLine(Date.now());
    switch (event.type) {
      case 'run.started':
        return `${event.kind}: ${counted(event.units, 'unit')}, ${counted(event.tenants, 'tenant')}${event.target === null ? '' : `, to ${event.target}`}`;
      case 'wave.started':
        return `wave ${event.wave}: ${counted(event.units, 'unit')}`;
      case 'wave.finished':
        return `wave ${event.wave}: ${event.succeeded} succeeded, ${event.failed} failed`;
      case 'wave.waiting':
        return `wave ${event.wave}: ${waitingText(event, Date.now())}`;
      case 'wave.resumed':
        return `wave ${event.wave}: goes on`;
      case 'tenant.step':
        return `${event.tenant}: ${oneLine(event.text)}`;
      default:
        return this.options.detail === 'steps' ? stepLine(event) : undefined;
    }
  }

  private unitLine(event: Finished): string | undefined {
    const { colors, detail } = this.options;
    if (event.outcome === 'failed') return `${colors.red('failed')} ${event.unit}: ${faultText(event)}`;
    if (detail === 'failures') return undefined;
    if (detail === 'changes' && !this.mayList(event)) return this.partLine();
    return `${this.outcomeWord(event.outcome)} ${event.unit} (${formatDuration(event.ms)})`;
  }

  private outcomeWord(outcome: Finished['outcome']): string {
    const { colors } = this.options;
    if (outcome === 'succeeded') return colors.green('ok');
    return outcome === 'rolledBack' ? colors.yellow('rolled back') : outcome;
  }

  /** A few units are listed one by one; of thousands only the counters are of use. */
  private mayList(event: Finished): boolean {
    const few = (this.progress.total ?? 0) <= LISTED_UNITS && this.listed < LISTED_UNITS;
    if (!few || event.outcome === 'unchanged') return false;
    this.listed += 1;
    return true;
  }

  /** `500 of 5,000, 2 failed, 3.4 s` when another tenth of many units is done; the last one is told by the report. */
  private partLine(): string | undefined {
    const { total, outcomes } = this.progress;
    if (total === null || total <= LISTED_UNITS) return undefined;
    const parts = Math.floor((outcomes.size * PARTS) / total);
    if (parts <= this.parts || parts >= PARTS) return undefined;
    this.parts = parts;
    return progressText(this.progress, Date.now());
  }

  /** How far a copy has come, every few seconds. */
  private countLine(now: number): string | undefined {
    const copying = this.export ?? this.move;
    if (copying === undefined || now - this.countedAt < COUNT_EVERY_MS) return undefined;
    this.countedAt = now;
    return copying.copied(now);
  }

  private noticeLine(event: Extract<StampedEvent, { type: 'notice' }>): string | undefined {
    if (event.level === 'warning')
      return `${this.options.colors.yellow('warning:')} ${oneLine(event.message)}`;
    return this.options.detail === 'failures' ? undefined : oneLine(event.message);
  }
}

function stepLine(event: StampedEvent): string | undefined {
  if (event.type === 'unit.step') return `${event.unit}: ${oneLine(event.step)}`;
  if (event.type !== 'unit.progress') return undefined;
  return `${event.unit}: ${event.done}${event.total === null ? '' : ` of ${event.total}`} ${event.of}`;
}

/** Why a unit failed, on one line, and who kept it waiting. */
export function faultText({ unit, fault }: Finished): string {
  if (fault === null) return 'no reason given';
  return `${fault.code} ${gistOf(withoutUnit(fault.message, unit))}`;
}
