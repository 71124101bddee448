import type { Renderer } from './renderer.js';

/** Events as they are, one JSON object a line. Each line is handed on whole. */
export function jsonLines(write: (line: string) => void, close: () => void): Renderer {
  return {
    on: (event) => write(`${JSON.stringify(event)}\n`),
    close: () => Promise.resolve(close()),
  };
}
