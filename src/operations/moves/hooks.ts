import { shortId } from '../../core/short-id.js';
import { partialError } from '../../core/errors.js';
import { runHook } from '../../engine/hooks/run-hook.js';
import type { Drive } from './drive.js';

type MoveHook = 'beforeCutover' | 'afterFlip' | 'afterUndo';

/**
 * Runs the commands that let poolers and caches follow; each gets the move as JSON. One that fails before the cut-over
 * stops it; afterwards it is said aloud, for the tenant has moved.
 * @throws partial error `HOOK_FAILED` (exit 7) from `beforeCutover`
 */
export async function runMoveHooks(drive: Drive, name: MoveHook): Promise<void> {
  const { fleet, move } = drive;
  const { hooks } = fleet.settings;
  for (const command of hooks[name]) {
    const failure = await runHook(command, { ...move, hook: name }, hooks);
    if (failure === null) continue;
    if (name === 'beforeCutover') throw hookFailed(drive, failure);
    fleet.emit({
      type: 'notice',
      level: 'warning',
      code: 'HOOK_FAILED',
      message: `hook ${name}: ${failure}`,
    });
  }
}

function hookFailed({ id, move }: Drive, failure: string) {
  return partialError(
    'HOOK_FAILED',
    `Tenant ${move.tenant} was not cut over, because a hook failed: ${failure}`,
    {
      hint: `It goes on where it is. Correct the hook, then \`tenantctl moves resume ${shortId(id)}\`.`,
      facts: { move: id, tenant: move.tenant, failure },
    },
  );
}
