/** `npm run replay` in this process. */
import { replayCommand } from '../../server/replay/replay-command.ts';

/** What it prints in the end when nothing differs. */
export const ALL_EQUAL =
  /All (\d+) checksums equal the checksums in the journal\. The checksums cover (\d+) ticks\.\n$/;

/** @returns its exit code, and what it prints */
export async function replayed(...args: string[]) {
  const said = { output: '', errors: '' };
  const code = await replayCommand(
    args,
    (line) => void (said.output += `${line}\n`),
    (line) => void (said.errors += `${line}\n`),
  );
  return { code, ...said };
}
