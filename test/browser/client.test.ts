/**
 * The examples of client/CLIENT.md, as they stand there: programs in Node by the package's name, and
 * pages of another site in Chromium and Firefox.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { ensureClient } from '../../server/http/client-build.ts';
import { afterTest } from '../support/closing.ts';
import { hasFirefox, launchChromium, launchFirefox, until, WINDOW } from '../support/drivers.ts';
import { fullTest, testNeeding } from '../support/needs.ts';
import { otherSite } from '../support/other-sites.ts';
import { suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'client/CLIENT.md'), 'utf8');
/** The examples by their titles. */
const EXAMPLES = Object.fromEntries(
  [...text.matchAll(/^## (.+)\n\n```(?:js|html)\n([\s\S]+?)```/gm)].map(([, title, code]) => [
    title,
    code,
  ]),
);

/** Cells. */
const SIZE = { width: 160, height: 96 };
const BROWSERS = [
  { name: 'chromium', need: 'Chromium', isPresent: true, launch: launchChromium },
  { name: 'firefox', need: 'firefox-esr and xvfb', isPresent: hasFirefox, launch: launchFirefox },
];
const site = await otherSite();
const settings = { size: `${SIZE.width}x${SIZE.height}`, energy: 'off', 'tick-rate': 30 };
const {
  server,
  room,
  url,
  roomUrl,
  join: enter,
} = await suiteServer(
  { ...settings, rooms: 'garden,chromium,firefox', origins: site.origin },
  { clientFolder: await ensureClient(() => {}) },
);

/** Runs an example as a program. @returns it, what it has printed, and its status at the end */
function run(title: string, ...args: string[]) {
  const folder = join(root, '.cache/examples');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${title.replaceAll(' ', '-')}.mjs`);
  writeFileSync(file, EXAMPLES[title]);
  const program = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const printed: string[] = [];
  program.stdout.on('data', (data: Buffer) => printed.push(...`${data}`.trim().split('\n')));
  const status = new Promise<number | null>((resolve) => program.on('close', resolve));
  return { program, printed, status };
}

test('five examples, and no other', () => {
  expect(Object.keys(EXAMPLES)).toHaveLength(5);
});

test('programs plant a garden, touch it, and follow one organism to its end', async () => {
  const garden = run('Plant a garden', roomUrl);
  expect(await garden.status).toBe(0);
  expect(garden.printed).toEqual(Array(2).fill(expect.stringMatching(/^planted: ./)));
  expect(room.size).toBe(2);

  const visitor = await enter();
  const { organisms } = visitor.model;
  const [{ id, x, y, kind }] = organisms.values();
  const follow = run('Follow one organism', roomUrl, kind);
  const { spectators } = server.roomServers.get('garden')!;
  const isResting = (): boolean => organisms.get(id)?.phase === 'asleep';
  await visitor.until(() => spectators.size === 1 && isResting());
  const sensor = run('Wound what a sensor touches', roomUrl);
  sensor.program.stdin.end(`${x / SIZE.width} ${y / SIZE.height}\n0.01 0.01\n`);
  expect(await sensor.status).toBe(0);
  expect(sensor.printed).toEqual([kind, 'bare ground']);
  await visitor.until(() => organisms.get(id)?.healed === 1);
  // In one stroke: between two, what is left would grow on.
  const points = [x - 16, y - 8, x + 16, y - 8, x + 16, y + 8, x - 16, y + 8];
  await visitor.ask('damage', { radius: 12, points });
  expect(await follow.status).toBe(0);
  expect(follow.printed).toEqual(expect.arrayContaining(['wounded', 'healed', 'died']));
});

for (const { name, need, isPresent, launch } of BROWSERS) {
  // In `npm test`, Chromium only where there is no Firefox.
  const inShort = name === 'firefox' || !hasFirefox ? testNeeding(need, isPresent) : fullTest;
  inShort(
    `pages of another site show a room on a canvas, and over what is behind it, in ${name}`,
    async () => {
      const show = (title: string): Promise<void> => {
        const page = EXAMPLES[title].replaceAll('http://localhost:8080', url);
        site.page = page.replace('/r/garden', `/r/${name}`);
        return driver.open(`${site.origin}/`);
      };
      const driver = await launch();
      afterTest(() => driver.close());
      const visitor = await Visitor.join(server.port, name);
      afterTest(() => visitor.leave());
      await visitor.grow(48, 48);

      await show('A web page with a canvas');
      await until(driver, () => document.querySelector('canvas')!.width === 160);
      /** How many cells of a square are opaque. */
      const opaque = (x: number, y: number): number => {
        const context = document.querySelector('canvas')!.getContext('2d')!;
        const { data } = context.getImageData(x, y, 32, 32);
        return data.filter((value, i) => i % 4 === 3 && value > 200).length;
      };
      expect(await driver.run(opaque, 32, 32)).toBeGreaterThan(100);
      expect(await driver.run(opaque, 96, 32)).toBe(0);
      const before = visitor.life.length;
      const cell = WINDOW.width / SIZE.width;
      await driver.drag([{ x: cell * 112, y: cell * 48 }]);
      const [first] = visitor.welcome!.checkpoint.gallery;
      await until(driver, (kind) => document.title === kind, first.name);
      expect(visitor.life.slice(before).some(({ what }) => what === 'born')).toBe(true);
      await visitor.until(() => visitor.life.slice(before).some(({ what }) => what === 'asleep'));

      await show('A transparent overlay');
      await driver.run(() => {
        document.body.style.background = 'rgb(255, 0, 255)';
      });
      const { width, height } = WINDOW;
      const scale = width / SIZE.width;
      const at = (x: number, y: number): number =>
        4 * (Math.round(height / 2 + (y - 48) * scale) * width + Math.round(x * scale));
      let pixels: Buffer;
      do
        pixels = await sharp(await driver.picture())
          .removeAlpha()
          .ensureAlpha()
          .raw()
          .toBuffer();
      while (pixels.readUInt32BE(at(48, 48)) === 0xff00ffff);
      // Beside the creatures, and beyond the room, there is nothing but what is behind the element.
      for (const [x, y] of [
        [80, 10],
        [80, 85],
        [3, 3],
        [80, -20],
      ] as const) {
        expect(pixels.readUInt32BE(at(x, y)).toString(16)).toBe('ff00ffff');
      }
    },
  );
}
