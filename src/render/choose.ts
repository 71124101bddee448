import { chooseColors } from './colors.js';
import { plainRenderer } from './plain.js';
import type { Output, Renderer } from './renderer.js';
import { wavesRenderer } from './waves.js';

/** How much of the work is told to people. */
export interface RenderChoice {
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  ci: boolean;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  noColor: boolean;
}

/** Waves on a terminal; plain lines elsewhere, fewer of them where a program reads along. */
export function chooseRenderer(choice: RenderChoice): Renderer {
  const { stderr, env, quiet, json, verbose } = choice;
  const isTTY = stderr.isTTY === true;
  const colors = chooseColors({ env, isTTY, refused: choice.noColor });
  const moving = isTTY && env['TERM'] !== 'dumb' && !choice.ci;
  if (moving && !quiet && !json && !verbose) return wavesRenderer({ stream: stderr, colors });
  const detail = quiet || json ? 'failures' : verbose ? 'steps' : 'changes';
  return plainRenderer({
    write: (line) => void stderr.write(`${line}\n`),
    colors,
    detail,
    signsOfLife: !quiet,
  });
}
