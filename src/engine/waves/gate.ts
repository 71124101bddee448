import { bakeStart, waveStatusUpdate } from '../catalog/run-control.js';
import { pause } from '../../core/pause.js';
import type { Drive } from './drive.js';
import { checkWave } from './health.js';
import type { RunWave } from './job.js';
import { patiently } from './journal.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Lets the run pass on from a wave that has ended: when it has baked, its checks still hold, and a person
 * has approved where that is asked for. The catalog's clock decides. Ends the drive where it must not pass.
 */
export async function passGate(drive: Drive, wave: RunWave): Promise<void> {
  if ((wave.settings?.bakeMs ?? 0) > 0) await bake(drive, wave);
  if (drive.stop === null && wave.needsApproval) await awaitApproval(drive, wave);
}

async function bake(drive: Drive, wave: RunWave): Promise<void> {
  const { run } = drive.job;
  await drive.write(bakeStart(run.id, wave.ordinal, wave.settings?.bakeMs ?? 0));
  const until = async () => {
    const { now, waves } = await patiently(() => drive.control.look());
    const end = waves.find(({ ordinal }) => ordinal === wave.ordinal)?.bakeUntil ?? now;
    return { end, left: Date.parse(end) - Date.parse(now) };
  };
  const { end, left } = await until();
  if (left > 0) {
    await hold(
      drive,
      wave,
      'bake',
      end,
      `wave ${wave.name} is watched until ${end}`,
      async () => (await until()).left > 0,
    );
  }
  if (drive.stop === null) await checkWave(drive, wave);
}

async function awaitApproval(drive: Drive, wave: RunWave): Promise<void> {
  const missing = async () => {
    const { waves } = await patiently(() => drive.control.look());
    return waves.find(({ ordinal }) => ordinal === wave.ordinal)?.approvedBy === null;
  };
  if (!(await missing())) return;
  await drive.write(waveStatusUpdate(drive.job.run.id, wave.ordinal, 'awaiting-approval'));
  await hold(drive, wave, 'approval', null, `wave ${wave.name} waits for approval`, missing);
}

/** Waits at the gate, or leaves the run waiting. */
async function hold(
  drive: Drive,
  wave: RunWave,
  what: 'approval' | 'bake',
  until: string | null,
  reason: string,
  held: () => Promise<boolean>,
): Promise<void> {
  const { fleet, job, signal } = drive;
  fleet.emit({ type: 'wave.waiting', wave: wave.name, for: what, until, reason }, job.run.id);
  if (!job.wait) return drive.end({ kind: 'waiting', for: what, reason });
  do await pause(LOOK_EVERY_MS, signal);
  while (!signal.aborted && (await held().catch(() => true)));
  if (drive.stop === null) fleet.emit({ type: 'wave.resumed', wave: wave.name }, job.run.id);
}
