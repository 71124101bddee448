import { describe, expect, it } from 'vitest';
import type { BagReport } from '../../src/core/bag-report.js';
import type { FleetEvent } from '../../src/core/events.js';
import { chooseColors } from '../../src/render/colors.js';
import { exportReportText } from '../../src/render/export-text.js';
import { plainRenderer } from '../../src/render/plain.js';
import { wavesRenderer } from '../../src/render/waves.js';
import { Recorder } from '../cli/support.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: true });

const EVENTS: FleetEvent[] = [
  { type: 'export.started', tenant: 'acme', tables: 3 },
  { type: 'export.progress', tenant: 'acme', table: 'invoice', rows: 1_200, bytes: 34_200 },
  { type: 'export.finished', tenant: 'acme', rows: 2_000, bytes: 51_000, directory: '/exports/acme' },
];

const stamped = EVENTS.map((event, seq) => ({
  v: 1 as const,
  run: 'r',
  seq,
  at: '2026-11-22T00:00:00.000Z',
  ...event,
}));

const WHOLE: BagReport = {
  ok: true,
  directory: '/exports/acme',
  tenant: 'acme',
  files: 4,
  bytes: 1_500,
  rows: 1_200,
  signed: null,
  differences: [],
};

describe('an export', () => {
  it('is told in a log by its beginning and its end, with rows and bytes', async () => {
    const lines: string[] = [];
    const plain = plainRenderer({
      write: (line) => lines.push(line),
      colors,
      detail: 'changes',
      signsOfLife: false,
    });
    for (const event of stamped) plain.on(event);
    await plain.close();
    expect(lines).toEqual(['export acme: 3 tables', 'ok acme: exported 2,000 rows, 51.0 kB']);
  });

  it('counts its rows on one line of a terminal', async () => {
    const stream = new Recorder(true);
    const waves = wavesRenderer({ stream, colors });
    for (const event of stamped) waves.on(event);
    await waves.close();
    expect(stream.text).toContain('acme: 1,200 rows, 34.2 kB, table invoice');
    expect(stream.text.endsWith('ok acme: exported 2,000 rows, 51.0 kB\n')).toBe(true);
  });
});

describe('what was found in an export', () => {
  it('says whether anybody has vouched for it', () => {
    expect(exportReportText(WHOLE, colors)).toBe(
      'ok /exports/acme: export of acme is whole and unchanged (4 files, 1,200 rows, 1.5 kB)\n' +
        'It is not signed: whoever could change it could change its sums as well.',
    );
    const signed = { ...WHOLE, signed: { keyId: 'ab12', by: 'the key in the export' as const } };
    expect(exportReportText(signed, colors)).toContain('--key compares it with one that you trust');
  });

  it('is one line a difference, and nothing from the export can steer the terminal', () => {
    const differences = [
      { file: 'data/\u001b[2Jx', problem: 'extra' as const, message: 'it\nis not listed' },
    ];
    const text = exportReportText({ ...WHOLE, ok: false, differences }, colors);
    expect(text).toContain('  extra data/[2Jx: it is not listed');
  });
});
