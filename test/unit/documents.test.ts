import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FILMS } from '../../server/host/films.ts';
import { SESSION } from '../../server/host/host-sessions.ts';
import { MOST_COUNTED } from '../../server/host/visit-statistics.ts';
import { SNAPSHOTS } from '../../server/storage/snapshots.ts';

/** CONTRACT.md tells venues what is kept and how long: as in the code. */

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
  expect(sheet).toContain(`at most ${SESSION.life / 3_600_000} hours`);
  expect(FILMS.kept).toBe(4);
});

/** The licences of all packages that may be installed: what asks for more than a mention is in NOTICE. */

describe('licences', () => {
  const read = (file: string): string =>
    readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

  /** Licences that ask for no more than that their text is passed on. */
  const PERMISSIVE =
    /^(MIT|MIT-0|ISC|Apache-2\.0|BSD(-[23]-Clause)?|0BSD|CC0-1\.0|BlueOak-1\.0\.0|Zlib|Unlicense|Python-2\.0|WTFPL)$/;

  /** Packages whose manifest names no licence, and the licence in their files. */
  const UNNAMED: Readonly<Record<string, string>> = { 'xmlhttprequest-ssl': 'MIT' };

  interface Locked {
    readonly license?: string;
    /** Whether it is a workspace of this repository. */
    readonly link?: boolean;
  }

  /** Whether one of the alternatives, or all that apply together, are permissive. */
  function isPermissive(licence: string): boolean {
    const parts = (text: string, word: string): string[] => text.split(` ${word} `);
    return parts(licence.replaceAll(/[()]/g, ''), 'OR').some((choice) =>
      parts(choice, 'AND').every((one) => PERMISSIVE.test(one)),
    );
  }

  const notice = read('NOTICE');

  /** Names in NOTICE, as written: like a, @scope/a or a-*. */
  const named = [...notice.matchAll(/(?:@[\w-]+\/)?[\w-]+\*?/g)].map(([name]) => name);
  const isNamed = (name: string): boolean =>
    named.some((one) =>
      one.endsWith('-*') ? name.startsWith(one.slice(0, -1)) : one.includes('-') && one === name,
    ) || notice.includes(`packages ${name} and `);

  const packages = Object.entries(
    JSON.parse(read('package-lock.json')).packages as Record<string, Locked>,
  )
    .filter(([folder, { link }]) => folder.startsWith('node_modules/') && !link)
    .map(([folder, { license }]) => {
      const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, licence: license ?? UNNAMED[name] ?? 'unknown' };
    });

  test('every package with another licence than a permissive one is named in NOTICE', () => {
    const others = packages.filter(({ licence }) => !isPermissive(licence));
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(({ name }) => !isNamed(name))).toEqual([]);
  });

  test('NOTICE names the licences of these packages', () => {
    for (const licence of ['LGPL-3.0-or-later', 'MPL-2.0', 'CC-BY-4.0']) {
      expect(notice).toContain(licence);
    }
  });
});

/** shared/RULES.md and the tests must not drift apart. */

describe('rules', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const ID = /\b[A-Z]{3}-\d+\b/g;

  test('every rule has a test that carries its id, and every id in a test is a rule', () => {
    const rules = readFileSync(`${root}shared/RULES.md`, 'utf8');
    const listed = new Set([...rules.matchAll(/\*\*([A-Z]{3}-\d+)\*\*/g)].map(([, id]) => id));
    expect(listed.size).toBeGreaterThan(15);
    const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' });
    const titles = files
      .filter((file) => file.endsWith('.test.ts'))
      .flatMap((file) => {
        const text = readFileSync(`${root}test/${file}`, 'utf8');
        return [...text.matchAll(/\btest(?:\.each\([\s\S]*?\))?\(\s*(['"`])(.*?)\1,/g)].map(
          ([, , title]) => title,
        );
      });
    const tested = new Set(titles.flatMap((title) => title.match(ID) ?? []));
    expect([...tested].sort()).toEqual([...listed].sort());
  });
});
