import type { TenantctlError } from '../core/errors.js';
import { redact, redactDeep } from '../core/redact.js';
import { chooseColors, type Colors } from '../render/colors.js';
import type { Outcome } from './command.js';
import { failureDocument, failureText } from './failure.js';
import type { Output } from '../render/renderer.js';
import type { Io } from './io.js';

/** How results and failures leave: results on stdout, failures on stderr, or one JSON document. */
export interface Printer {
  outcome(outcome: Outcome): number;
  failure(error: TenantctlError): number;
}

interface Style {
  command: string;
  json: boolean;
  verbose: boolean;
  noColor: boolean;
}

export function createPrinter(io: Io, style: Style): Printer {
  return style.json ? jsonPrinter(io, style) : textPrinter(io, style);
}

function jsonPrinter(io: Io, { command, verbose }: Style): Printer {
  const print = (body: object) =>
    io.stdout.write(`${JSON.stringify({ version: 1, command: redact(command), ...body })}\n`);
  const failure = (error: TenantctlError) => {
    print({ ok: false, ...failureDocument(error, verbose) });
    return error.exit;
  };
  return {
    failure,
    outcome({ data, failure: partial, unredacted }) {
      const clean = unredacted ? data : redactDeep(data);
      if (partial === undefined) print({ ok: true, data: clean });
      else print({ ok: false, ...failureDocument(partial, verbose), data: clean });
      return partial?.exit ?? 0;
    },
  };
}

function textPrinter(io: Io, style: Style): Printer {
  const failure = (error: TenantctlError) => {
    io.stderr.write(failureText(error, colorsFor(io.stderr, io, style.noColor), style.verbose));
    return error.exit;
  };
  return {
    failure,
    outcome({ text, failure: partial, unredacted }) {
      const result = text(colorsFor(io.stdout, io, style.noColor)).trimEnd();
      if (result !== '') io.stdout.write(`${unredacted ? result : redact(result)}\n`);
      return partial === undefined ? 0 : failure(partial);
    },
  };
}

/** The colours that fit a stream. */
function colorsFor(stream: Output, io: Io, refused: boolean): Colors {
  return chooseColors({ env: io.env, isTTY: stream.isTTY === true, refused });
}
