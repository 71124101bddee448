import { defineCommand } from '../command.js';
import type { ArgumentSpecs } from '../option.js';
import { promote } from './promote.js';

const MOVE = {
  move: {
    summary:
      'beginning of its id, or the tenant that moves; default: the only unfinished move, otherwise the latest',
    optional: true,
  },
} as const satisfies ArgumentSpecs;

const { wait, maxPause } = promote.options;

export const movesList = defineCommand({
  path: ['moves', 'list'],
  summary: 'list moves, the unfinished first',
  options: { limit: { type: 'integer', value: 'number', default: 20, summary: 'how many' } },
  examples: [{ run: 'tenantctl moves list', does: 'who moves, who has moved, how long writes waited' }],
  needs: 'fleet',
  changes: false,
});

export const movesShow = defineCommand({
  path: ['moves', 'show'],
  summary: 'show a move as it stands; with --verbose rows and hash of each table',
  arguments: MOVE,
  examples: [{ run: 'tenantctl moves show acme', does: 'where it stands, and what can be typed next' }],
  needs: 'fleet',
  changes: false,
});

export const movesWatch = defineCommand({
  path: ['moves', 'watch'],
  summary: 'follow a move that another terminal drives, until it rests or ends',
  arguments: MOVE,
  examples: [{ run: 'tenantctl moves watch acme', does: 'its steps as they come' }],
  needs: 'fleet',
  changes: false,
});

export const movesResume = defineCommand({
  path: ['moves', 'resume'],
  summary: 'go on with a move that was interrupted, killed, or given up for now',
  arguments: MOVE,
  options: { maxPause, wait },
  examples: [
    { run: 'tenantctl moves resume acme', does: 'from where it stands' },
    { run: 'tenantctl moves resume acme --max-pause 1s', does: 'and let writes wait longer at the cut-over' },
  ],
  needs: 'fleet',
  changes: true,
});

export const movesUndo = defineCommand({
  path: ['moves', 'undo'],
  summary: 'bring a tenant back in the grace period, with everything it has written since',
  arguments: MOVE,
  options: { maxPause, wait },
  examples: [
    { run: 'tenantctl moves undo acme --yes --reason "slower there"', does: 'nothing it wrote is lost' },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Bring the tenant back to its old home?' },
});

export const movesComplete = defineCommand({
  path: ['moves', 'complete'],
  summary: 'end the grace period: delete the old copy',
  arguments: MOVE,
  options: { due: { type: 'boolean', summary: 'every move whose grace period is over, for cron' } },
  examples: [
    { run: 'tenantctl moves complete acme --yes', does: 'now; there is no way back after it' },
    {
      run: 'tenantctl moves complete --due --yes',
      does: 'what is due, one after the other; exit 7 when one failed',
    },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Delete the old copy? There is no way back after it.' },
});

export const movesAbort = defineCommand({
  path: ['moves', 'abort'],
  summary: 'take a move back before its point of no return; the tenant stays where it is',
  arguments: MOVE,
  examples: [
    { run: 'tenantctl moves abort acme --yes', does: 'what was copied is deleted, nothing of it stays' },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Take the move back? What was copied is deleted; the tenant stays where it is.' },
});
