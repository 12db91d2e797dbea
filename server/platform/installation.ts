/** Where this copy of Vivarium is, and how people run its commands. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the clone or of the installed package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Whether this is the installed package rather than a clone: npm packs no lock file. */
export const isInstalled = !existsSync(join(ROOT, 'package-lock.json'));

/**
 * Returns how to run a command.
 *
 * @param script name of the command in package.json; `start` starts the server
 */
export function commandLine(script: string, args = ''): string {
  const command = script === 'start' ? '' : ` ${script}`;
  if (isInstalled) return `npx vivarium${command} ${args}`.trimEnd();
  return `npm ${command === '' ? 'start' : `run${command}`}${args && ` -- ${args}`}`;
}

/**
 * Returns how to install a package that the server can use. Scripts are off, because those of ONNX
 * Runtime fetch files for CUDA, which the server does not use.
 */
export const installLine = (name: string): string =>
  isInstalled ? `npm install --ignore-scripts ${name}` : 'npm ci';

/** The path of a file of Vivarium, relative to the working directory. */
export const ownPath = (path: string): string =>
  relative(process.cwd(), join(ROOT, path)).replaceAll('\\', '/');
