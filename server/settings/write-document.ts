/**
 * Implements `npm run settings:doc`: writes the settings document or, with `--check`, fails if the
 * document is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand, settingsDocument } from './document.ts';
import { SERVER } from './server.ts';

const FILE = 'server/deploy/SETTINGS.md';
const path = fileURLToPath(new URL(`../../${FILE}`, import.meta.url));

const INTRO = [
  '# Settings',
  '',
  '<!-- Written by `npm run settings:doc` from server/settings/server.ts. Do not edit by hand. -->',
  '',
  'Give a setting as a flag (`npm start -- --tick-rate 20`) or in the environment (`VIVARIUM_TICK_RATE=20`). If an environment variable begins with `VIVARIUM_` but is not a setting, the server logs a warning at start.',
  "Flags take precedence over the environment. An empty variable counts as not set. If the host changes a setting of a room on the host's page,",
  'the server stores the new value, which takes precedence over flags and the environment. `npm start -- --help` prints a shorter version of this list.',
];

const COMMAND = {
  about: `Writes ${FILE} from the table of settings.`,
  usage: 'npm run settings:doc [-- --check]',
  options: { check: { help: 'write nothing; fail if the document is out of date' } },
};

await runCommand(COMMAND, ({ check }) => {
  const wanted = settingsDocument(SERVER, INTRO);
  if (!check) writeFileSync(path, wanted);
  else if (readFileSync(path, 'utf8') !== wanted) {
    console.error(`${FILE} is out of date; run: npm run settings:doc`);
    process.exitCode = 1;
  }
});
