import path from 'node:path';
import type { Io } from './io.js';

/** A file as the reader knows it: relative to the repository that a CI server has checked out, with slashes. */
export function repositoryPath(file: string, { env, cwd }: Io): string {
  const root = env['GITHUB_WORKSPACE'] || env['CI_PROJECT_DIR'] || env['WORKSPACE'] || cwd;
  const relative = path.relative(root, path.resolve(cwd, file));
  const outside = relative.startsWith('..') || path.isAbsolute(relative);
  return outside ? file : relative.split(path.sep).join('/');
}
