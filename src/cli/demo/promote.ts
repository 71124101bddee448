import { type MoveReport, standingOf } from '../../core/move.js';
import { formatDuration } from '../../core/duration.js';
import type { Fleet } from '../../engine/context.js';
import { promote as promoteTenant } from '../../operations/moves/promote.js';
import { count, counted } from '../../core/counted.js';
import { rateText } from '../../render/rate.js';
import { properties } from '../../render/table.js';
import { companyOn } from './companies.js';
import { type Demo, unexpected } from './demo.js';
import type { DemoStep } from './step.js';
import { type Written, Writer, rowsOf } from './writer.js';

/** It has some thousand rows in the pool by now. */
export const MOVER = companyOn('free', 0);
/** Rows that are written before the move begins, and after it, at the new home. */
const ROWS = 30;

export const promote: DemoStep = {
  name: 'promote',
  title: `Move ${MOVER} from the pool to a database of its own`,
  why: 'It has grown. Its rows are copied while its application goes on writing, what it writes meanwhile is followed, every row of both homes is compared, and only for the cut-over do writes wait. A writer remembers each row that was acknowledged, and looks for all of them at the new home.',
  async run(demo) {
    const { narrator } = demo;
    narrator.command(`tenantctl promote ${MOVER} --to database`);
    const { report, written, found } = await moveUnderLoad(demo);
    const { acknowledged, refusals, longestGapMs } = written;
    const same = [...acknowledged].every((token) => found.has(token)) && found.size === acknowledged.size;
    if (report.state !== 'grace' || !report.verified || !same)
      throw unexpected(
        `the move is ${standingOf(report.state)}; ${acknowledged.size} rows were acknowledged and ${found.size} found.`,
      );
    const pauseMs = report.writePauseMs ?? 0;
    narrator.show(
      properties([
        [
          'writes waited',
          `${formatDuration(pauseMs)}; ${formatDuration(longestGapMs)} between two acknowledgements`,
        ],
        ['copied', `${count(report.rows)} rows${rateText(report.rows, report.copyMs ?? 0)}`],
        ['compared', `count and hash of ${counted(report.tables.length, 'table')}: equal in both homes`],
        ['refused', refusedText(refusals)],
        ['acknowledged', `${count(acknowledged.size)} rows of the writer`],
        ['found', `${count(found.size)} of them at the new home, and no other`],
      ]),
    );
    return {
      did: `${count(report.rows)} rows while it wrote: writes waited ${formatDuration(pauseMs)}, nothing lost`,
      counts: {
        tenant: MOVER,
        rows: report.rows,
        writePauseMs: pauseMs,
        tablesEqual: report.tables.length,
        acknowledged: acknowledged.size,
        found: found.size,
      },
    };
  },
};

/** The writer has connections of its own, as an application has. */
function moveUnderLoad(demo: Demo): Promise<{ report: MoveReport; written: Written; found: Set<string> }> {
  return demo.onFleet((application) =>
    demo.onFleet(async (fleet) => {
      const writer = new Writer(application, MOVER);
      try {
        await writer.writes(ROWS);
        const report = await move(fleet);
        await writer.writes(ROWS);
        return { report, written: await writer.stop(), found: await rowsOf(fleet, MOVER) };
      } finally {
        await writer.stop().catch(() => undefined);
      }
    }),
  );
}

async function move(fleet: Fleet): Promise<MoveReport> {
  const result = await promoteTenant(fleet, { id: MOVER, to: 'database', wait: true }, { dryRun: false });
  if (!('state' in result)) throw unexpected(`${MOVER} lives there already.`);
  return result;
}

function refusedText(refusals: ReadonlyMap<string, number>): string {
  const each = [...refusals].map(([sqlstate, n]) => `${sqlstate} ${counted(n, 'time')}`);
  return each.length === 0 ? 'nothing' : `${each.join(', ')}; it asked for its route again and repeated`;
}
