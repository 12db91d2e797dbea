/** Whether the native engine is here, and a compiler that fails. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingCompiler } from '../../../../server/engine/native/compile.ts';
import { testNeeding } from '../../../support/needs.ts';

export const hasCompiler = missingCompiler() === undefined;

/** A test that needs the native engine. */
export const testNative = testNeeding('a C compiler', hasCompiler);

/** A `PATH` whose first C compiler fails with "no assembler". @param folder takes it */
export function withBrokenCompiler(folder: string): string {
  const script = '#!/bin/sh\necho "error: no assembler" >&2\nexit 1\n';
  writeFileSync(join(folder, 'cc'), script, { mode: 0o755 });
  return `${folder}:${process.env.PATH}`;
}
