/** Builds `painted-page.ts` as one script. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The script's text. */
export async function paintedScript(): Promise<string> {
  const entry = fileURLToPath(new URL('painted-page.ts', import.meta.url));
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, write: false, format: 'iife', target: 'es2022' },
  });
  return outputFiles[0].text;
}
