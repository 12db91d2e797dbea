/** A screen that nobody sees (Debian: xvfb). Browsers of this machine draw on it in software. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { findProgram } from './driver.ts';
import { ended, says } from './program.ts';

const PROGRAM = findProgram('Xvfb');

export const hasScreen = PROGRAM !== undefined;

export interface Screen {
  /** Environment of the programs that use it, whatever display or GPU this machine has. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

export async function openScreen(): Promise<Screen> {
  const args = ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'];
  const program = spawn(PROGRAM!, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await says(program, program.stdio[3] as Readable, /\d+(?=\n)/);
  const display = { DISPLAY: `:${number}`, GDK_BACKEND: 'x11', LIBGL_ALWAYS_SOFTWARE: '1' };
  return {
    env: { ...process.env, ...display },
    close: async () => {
      program.kill();
      await ended(program);
    },
  };
}
