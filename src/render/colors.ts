import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

interface Circumstances {
  env: Readonly<Record<string, string | undefined>>;
  isTTY: boolean;
  /** `--no-color` was given. */
  refused: boolean;
}

/** Colours for one stream: `--no-color`, then NO_COLOR, then FORCE_COLOR, then what the terminal can do. */
export function chooseColors({ env, isTTY, refused }: Circumstances): Colors {
  return picocolors.createColors(wanted(env, isTTY) && !refused);
}

function wanted(env: Circumstances['env'], isTTY: boolean): boolean {
  if (isSet(env['NO_COLOR'])) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTTY && env['TERM'] !== 'dumb';
}

/** https://no-color.org: present and not empty. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
