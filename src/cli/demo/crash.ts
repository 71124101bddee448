import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FaultPoint } from '../../core/faults.js';
import { showTenant } from '../../operations/show.js';
import { NEWCOMER, ownerOf } from './companies.js';
import { type Demo, unexpected } from './demo.js';
import type { DemoStep } from './step.js';

const PROGRAM = fileURLToPath(new URL('../../../bin/tenantctl.js', import.meta.url));
const POINT: FaultPoint = 'provision.database-copied';
const PROVISION = ['provision', NEWCOMER, '--plan', 'enterprise', '--owner', ownerOf(NEWCOMER)];

export const crash: DemoStep = {
  name: 'crash',
  title: 'Kill a provision half-way, and run it again',
  why: 'Another tenantctl provisions one more company and gets SIGKILL when the database is made but belongs to nobody yet. Nothing half-made is ever shown as active, and the same command again finishes it.',
  async run(demo) {
    const { narrator } = demo;
    narrator.command(`TENANTCTL_REHEARSAL=1 tenantctl ${[...PROVISION, '--fail-at', POINT].join(' ')}`);
    const killed = await runTool(demo, [...PROVISION, '--fail-at', POINT]);
    if (killed.signal !== 'SIGKILL')
      throw unexpected(`the rehearsed crash did not happen: ${killed.said.trim() || `exit ${killed.code}`}`);
    const half = await statusOf(demo);
    narrator.show(`killed by SIGKILL; ${NEWCOMER} is ${half}`);
    narrator.command(`tenantctl ${PROVISION.join(' ')}`);
    const again = await runTool(demo, PROVISION);
    if (again.code !== 0) throw unexpected(`the second provision failed: ${again.said.trim()}`);
    const whole = await statusOf(demo);
    if (half !== 'provisioning' || whole !== 'active')
      throw unexpected(`${NEWCOMER} was ${half} after the crash and is ${whole} now.`);
    narrator.show(`finished; ${NEWCOMER} is ${whole}`);
    return {
      did: `${NEWCOMER}: ${half} after SIGKILL, ${whole} after the same command again`,
      counts: { tenant: NEWCOMER, killedAt: POINT, afterCrash: half, afterwards: whole },
    };
  },
};

async function statusOf(demo: Demo): Promise<string> {
  return (await demo.onFleet((fleet) => showTenant(fleet, NEWCOMER))).tenant.status;
}

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  said: string;
}

/** Runs this tool in a process of its own on the demo's fleet. It drains by itself on Ctrl-C, so it is waited for. */
function runTool({ folder, env }: Demo, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--config', folder.config, '--quiet'], {
    cwd: folder.path,
    env: { ...env, TENANTCTL_REHEARSAL: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, said }));
  });
}
