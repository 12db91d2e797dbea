/**
 * A wall and its server, in a real browser: what the wall shows when phones cannot reach the
 * server, when nobody is there, and when the server is gone.
 */
import { POLL_INTERVAL } from '../../server/composition/listen.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { suiteFolder } from '../support/closing.ts';
import { HeldClock } from '../support/fake-clock.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import {
  nextPictures,
  openWall,
  ownedPlaces,
  screenOf,
  waitForConnection,
  waitForPhase,
} from '../support/page.ts';
import { differenceOf, pixelsOf } from '../support/pictures.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { freePort } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { pixels, STILL, suiteBrowser, wallScreens } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';
import { countStalls, generousTimeout } from '../support/waiting.ts';

const PENGUIN = { from: 'gallery', index: 105 } as const;

const clientFolder = await ensureClient(() => {});
const { screen, unpainted } = wallScreens(await suiteBrowser());

test('the wall shows a code only when phones can reach the server, and the plain address otherwise', async () => {
  let addresses: string[] = [];
  const clock = new HeldClock(POLL_INTERVAL);
  const late = await startServer(
    { size: '64x64', host: '0.0.0.0' },
    { clientFolder, clock, networkAddresses: () => addresses },
  );
  try {
    const page = await unpainted(640, 360, { deviceScaleFactor: pixels(0.3) });
    await openWall(page, `http://127.0.0.1:${late.port}/wall/garden?languages=de`);
    await page.getByText(`127.0.0.1:${late.port}/r/garden`).waitFor();
    const word = page.getByText('Kein Code zum Scannen: Telefone erreichen diesen Raum nicht.');
    await word.waitFor();
    expect(await page.getByTestId('code').count()).toBe(0);

    // What has lasted for two looks counts.
    addresses = ['192.168.1.20'];
    clock.pass();
    clock.pass();
    await page.getByText(`192.168.1.20:${late.port}/r/garden`).waitFor();
    await page.getByTestId('code').waitFor();
    expect(await word.count()).toBe(0);

    addresses = [];
    clock.pass();
    clock.pass();
    await word.waitFor();
    expect(await page.getByTestId('code').count()).toBe(0);
    await waitForConnection(page, 'live');
  } finally {
    await late.close();
  }
});

test('an empty room shows an invitation, until the first visitor comes', async () => {
  const empty = await startServer({ size: '64x64' }, { clientFolder });
  try {
    const page = await unpainted(640, 360, { deviceScaleFactor: pixels(0.3) });
    await page.clock.install();
    await openWall(page, `http://127.0.0.1:${empty.port}/wall/garden`);
    expect(await page.locator('wall-overlay[data-attract]').count()).toBe(0);
    // Not frame by frame: thousands of pictures would wait to be drawn.
    await page.clock.fastForward(46_000);
    await page.locator('wall-overlay[data-attract]').waitFor({ state: 'attached' });
    await page.getByText('Nobody is here yet. Be the first.').waitFor({ state: 'attached' });
    const bo = await Visitor.join(empty.port, 'garden', 'Bo');
    await page.getByText('Bo', { exact: true }).waitFor();
    await page.locator('wall-overlay:not([data-attract])').waitFor({ state: 'attached' });

    // Each caption that is shown, however short.
    await page.locator('wall-overlay').evaluate(({ shadowRoot }) => {
      const said = new Set<string>();
      const note = () => said.add(shadowRoot!.querySelector('.words')!.textContent!.trim());
      new MutationObserver(note).observe(shadowRoot!, {
        ...{ subtree: true, childList: true, characterData: true },
      });
      Object.assign(window, { said });
    });
    const said = () =>
      page.evaluate(() => [...(window as unknown as { said: Set<string> }).said].join('\n'));
    await bo.ask('plant', { x: 32, y: 32, seed: PENGUIN });
    await page.locator('name-layer span').waitFor({ state: 'attached' });
    const { name } = empty.world.rooms.get('garden')!.species.gallery[PENGUIN.index];
    while (!(await said()).includes(`Just planted by \u2068Bo\u2069: ${name}`)) {
      await page.clock.fastForward(12_100);
    }
    bo.leave();
    await page.locator('wall-overlay li').waitFor({ state: 'detached' });
    await page.clock.fastForward(46_000);
    const alone = 'Only one creature is here now. Join it.';
    await page.getByText(alone).waitFor({ state: 'attached' });
    expect(await page.getByText('Nobody is here yet').count()).toBe(0);
  } finally {
    await empty.close();
  }
});

test('after a kill of the server the picture stays without a message, and the wall reconnects within five seconds', async () => {
  const port = await freePort();
  const settings = {
    ...{ port, host: '127.0.0.1', size: '96x64', 'tick-rate': 30, snapshot: 1 },
    ...{ attract: 'off', liveliness: 0, checkpoint: CHECKPOINT_FOLDER },
  };
  const data = suiteFolder();
  const start = () => new ServerProcess(flagsOf({ ...settings, data }));
  let process = start();
  try {
    await process.alive();
    const bo = await Visitor.join(port, 'garden', 'Bo');
    const id = await bo.grow(30, 30, PENGUIN);
    const page = await screen(480, 270, { ...STILL, deviceScaleFactor: pixels(0.5) });
    await openWall(page, `http://127.0.0.1:${port}/wall/garden?frame=fixed&resolution=full`);
    await waitForPhase(page, id, 'asleep');
    await nextPictures(page, 1);
    const owned = await ownedPlaces(page);
    const at = await screenOf(page, 14, 14);
    const to = await screenOf(page, 46, 46);
    const clip = { x: at.x, y: at.y, width: to.x - at.x, height: to.y - at.y };
    const before = await pixelsOf(page, clip);

    await process.end('SIGKILL');
    await waitForConnection(page, 'reconnecting');
    await page.locator('wall-overlay[data-away]').waitFor({ state: 'attached' });
    expect(differenceOf(await pixelsOf(page, clip), before)).toBeLessThan(1);
    expect(await ownedPlaces(page)).toBe(owned);
    await page.getByText('One moment').waitFor();
    const text = await page.evaluate(() => {
      const wall = document.querySelector('vivarium-wall')!.shadowRoot!;
      return wall.querySelector('wall-overlay')!.shadowRoot!.textContent;
    });
    expect(text).not.toMatch(/error|connect|server|lost|offline/i);

    process = start();
    await process.alive();
    const back = Date.now();
    const stalls = countStalls();
    await waitForConnection(page, 'live');
    stalls.stop();
    expect(Date.now() - back - stalls.lost).toBeLessThan(5_000 * generousTimeout());
    await page.locator('wall-overlay:not([data-away])').waitFor({ state: 'attached' });
    expect(differenceOf(await pixelsOf(page, clip), before)).toBeLessThan(1);

    const again = await Visitor.join(port, 'garden', 'Chiyo');
    const second = await again.grow(70, 36, PENGUIN);
    await waitForPhase(page, second, 'asleep');
    expect(await ownedPlaces(page)).toBeGreaterThan(owned);
    for (const visitor of [bo, again]) visitor.leave();
  } finally {
    await process.end('SIGKILL');
  }
});
