/** Finds the folder of this installation, and builds the command lines that people type. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the clone or of the installed package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Whether Vivarium runs from the installed package. Only a clone has a lock file, because npm does
 * not pack it.
 */
export const isInstalled = !existsSync(join(ROOT, 'package-lock.json'));

/**
 * Returns the command line that a person types to run a command of Vivarium.
 *
 * @param script name of the command in package.json; `start` starts the server
 */
export function commandLine(script: string, args = ''): string {
  const command = script === 'start' ? '' : ` ${script}`;
  if (isInstalled) return `npx vivarium${command} ${args}`.trimEnd();
  return `npm ${command === '' ? 'start' : `run${command}`}${args && ` -- ${args}`}`;
}

/**
 * Returns the command line that installs an optional package. The command does not run install
 * scripts, because ONNX Runtime's script would download CUDA files that the server does not use.
 */
export const installLine = (name: string): string =>
  isInstalled ? `npm install --ignore-scripts ${name}` : 'npm ci';

/** Returns the path of a file of Vivarium, relative to the working directory. */
export const ownPath = (path: string): string =>
  relative(process.cwd(), join(ROOT, path)).replaceAll('\\', '/');
