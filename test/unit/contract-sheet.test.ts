/** CONTRACT.md tells venues what is kept and how long: as in the code. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FILMS } from '../../server/host/film-jobs.ts';
import { SESSION } from '../../server/host/host-sessions.ts';
import { MOST_COUNTED } from '../../server/host/visit-statistics.ts';
import { SNAPSHOTS } from '../../server/storage/snapshots.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');
const sheet = read('server/deploy/CONTRACT.md');

test('it names each key that pages store in a browser', () => {
  const sources = readdirSync(`${root}/client`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('dist'))
    .map((file) => read(`client/${file}`));
  const keys = sources.flatMap((source) =>
    [...source.matchAll(/['"`](vivarium [a-z ]+?)(?: \$\{[\w.]+\})?['"`]/g)].map(([, key]) => key),
  );
  expect(new Set(keys).size).toBeGreaterThanOrEqual(6);
  for (const key of keys) expect(sheet).toContain(`\`${key}`);
  const storing = sources.filter((source) => /\.setItem\(/.test(source));
  expect(storing).toHaveLength(2);
});

test('its times are those of the code', () => {
  expect(sheet).toContain(`hours for ${MOST_COUNTED.hours / 24} days`);
  expect(sheet).toContain(`${MOST_COUNTED.counted.toLocaleString('en')} days`);
  expect(sheet).toContain(`normally ${SNAPSHOTS.keepDays} days`);
  expect(sheet).toContain(`at most ${SESSION.life / 3_600_000}\nhours`);
  expect(FILMS.kept).toBe(4);
});
