/** Drawings that wait for the host: the queue on the host's page, and what the visitor is told. */
import type { Page } from 'playwright-core';
import { LatentRefiner } from '../../server/previews/latent-refiner.ts';
import { goTo, signIn } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { focus, openRoom } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { UNLIMITED } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

// The suite of seeds refines what it draws: here it would only take its time.
if (!isFull) LatentRefiner.prototype.refine = async ({ latent }) => latent;
const { server, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '96x96', energy: 'off', limits: UNLIMITED },
});
const api = await hostOf(server);
const host = await cheapPage({ viewport: { width: 1440, height: 900 } });
await signIn(host, server.port, server.hostToken!);
const phone = await cheapPage({ ...PHONE, reducedMotion: 'reduce' });
await openRoom(phone, roomUrl);

const notice = (text: string | RegExp) => host.getByTestId('notice').filter({ hasText: text });
const rows = host.locator('drawing-queue li');
/** Waits until the rows have been in their places for a moment: until then, presses do not count. */
const settled = () =>
  host.locator('drawing-queue [aria-disabled=true]').first().waitFor({ state: 'detached' });
const set = (change: object) => api.call('changeSettings', change);

/** Draws a cross with the keyboard, and sends it. */
async function drawByKeys(page: Page, steps: number): Promise<void> {
  await page.getByTestId('tool-plant').click();
  await page.getByTestId('open-draw').click();
  const pad = page.getByTestId('pad');
  await pad.focus();
  for (const key of ['ArrowRight', 'ArrowDown']) {
    await pad.press(' ');
    for (let i = 0; i < steps; i++) await pad.press(key);
    await pad.press(' ');
  }
  await page.getByTestId('grow-drawing').click();
}

/** Share of the pad that is drawn on. */
const inkOf = (page: Page): Promise<number> =>
  page.getByTestId('pad').evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
    return data.filter((value, i) => i % 4 === 3 && value > 127).length / (width * height);
  });

afterEach(() => set({ drawings: 'ask' }));

test('the host sets what becomes of drawings, keepsakes and latents', async () => {
  await goTo(host, 'knobs');
  const settings = () => server.rooms.settingsOf('garden');
  await host.getByTestId('knob-drawings').getByRole('radio', { name: 'ask first' }).check();
  await host.getByText('Drawings wait under “Watch”').waitFor();
  await host.getByTestId('knob-tokens').click();
  await host.getByTestId('knob-latents').click();
  await host.getByTestId('knob-latents').getByText('applied').waitFor();
  expect(settings()).toMatchObject({ drawings: 'ask', tokens: false, latents: false });
  expect(await violations(host)).toEqual([]);
});

test('a drawing waits with its picture; after the yes, drawing and creature are side by side', async () => {
  await drawByKeys(phone, 12);
  await phone.getByText('Your drawing was sent to the host.').waitFor();
  await host.getByRole('img', { name: '1 drawing is waiting' }).waitFor();
  await goTo(host, 'watch');
  await rows.first().waitFor();
  for (const picture of await rows.first().getByRole('img').all()) {
    expect(
      await picture.evaluate(async (image: HTMLImageElement) => {
        await image.decode();
        return image.naturalHeight;
      }),
    ).toBe(32);
  }
  expect(await violations(host)).toEqual([]);
  expect(await violations(phone)).toEqual([]);
  // They draw on meanwhile, but what grows is what they have sent.
  const sent = await inkOf(phone);
  const pad = phone.getByTestId('pad');
  for (const key of [' ', ...Array(20).fill('Shift+ArrowRight'), ' ']) await pad.press(key);
  const more = await inkOf(phone);
  const nearer = (ink: number) => (Math.abs(ink - sent) < Math.abs(ink - more) ? 'sent' : 'more');
  const grow = host.getByRole('button', { name: /^Let it grow: the drawing by / });
  await settled();
  await grow.press('Enter');
  await notice(/can plant the drawing now/).waitFor();
  await rows.first().waitFor({ state: 'detached' });
  await phone.getByText('Most similar creature that can grow').waitFor();
  const [drawn, grown] = await Promise.all(
    [pad, phone.getByTestId('drawn-film')].map(async (one) => (await one.boundingBox())!),
  );
  expect(grown.x).toBeGreaterThanOrEqual(drawn.x + drawn.width);
  expect(grown.x + grown.width).toBeLessThanOrEqual(390);
  expect(Math.abs(drawn.y + drawn.height / 2 - grown.y - grown.height / 2)).toBeLessThan(2);
  expect(nearer(await inkOf(phone))).toBe('sent');
  expect(await violations(phone)).toEqual([]);
  await phone.getByTestId('try-again').click();
  await phone.getByTestId('grow-drawing').waitFor();
  expect(nearer(await inkOf(phone))).toBe('more');
  // Also when the sheet was closed, as a tap beside it does.
  await phone.getByTestId('sheet-close').click();
  await phone.getByTestId('open-draw').click();
  expect(nearer(await inkOf(phone))).toBe('more');
  await phone.getByTestId('clear').click();
  await phone.getByTestId('sheet-close').click();
});

test('a visitor who has closed the pad hears of the answer, whichever it is', async () => {
  for (const [steps, button, told] of [
    [6, 'Let', 'Your drawing was approved.'],
    [9, 'Decline', 'The host would rather not have this drawing here.'],
  ] as const) {
    await drawByKeys(phone, steps);
    await phone.getByText('Your drawing was sent to the host.').waitFor();
    await phone.getByTestId('sheet-close').click();
    await rows
      .first()
      .getByRole('button', { name: new RegExp(`^${button}`) })
      .click();
    await phone.getByText(told).waitFor();
    if (button !== 'Let') continue;
    await phone.getByTestId('open-draw').click();
    await phone.getByText('Most similar creature that can grow').waitFor();
    await phone.getByTestId('plant-drawing').click();
    await phone.locator('draw-pad').waitFor({ state: 'detached' });
    expect(await phone.locator('[data-testid=hand-seed][aria-pressed=true]').count()).toBe(1);
  }
});

test('a page that reconnects sends again what waits, and the line under the pen goes on', async () => {
  await drawByKeys(phone, 7);
  await rows.first().waitFor();
  const { drawings } = server.roomServers.get('garden')!;
  const [{ id, client }] = drawings.waiting;
  const pad = phone.getByTestId('pad');
  for (const key of [' ', 'ArrowLeft', 'ArrowLeft']) await pad.press(key);
  const drawn = () =>
    phone.locator('draw-pad').evaluate((element) => {
      const { lines } = Reflect.get(element, 'drawing');
      return [lines.length, lines.at(-1).points.length];
    });
  const [lines, points] = await drawn();
  await phone.locator('vivarium-room').evaluate((element) => {
    Reflect.get(element, 'session').connection.socket.io.engine.close();
  });
  while (drawings.waiting[0].client === client) {
    await phone.evaluate(() => new Promise(requestAnimationFrame));
  }
  expect(drawings.waiting.map((one) => one.id)).toEqual([id]);
  await pad.press('ArrowLeft');
  expect(await drawn()).toEqual([lines, points + 2]);
  await api.call('decideDrawing', { approve: false }, { room: 'garden', drawing: id });
  await rows.first().waitFor({ state: 'detached' });
  await phone.getByTestId('clear').click();
  await phone.getByTestId('sheet-close').click();
});

/** Has two drawings of Cleo wait. */
async function twoWait(): Promise<Visitor> {
  const cleo = await Visitor.join(server.port, 'garden', 'Cleo');
  for (const n of [200, 220]) {
    const pixels = new Uint8Array(32 * 32 * 4).fill(n);
    void cleo.ask('draw', { pixels });
  }
  await rows.nth(1).waitFor();
  await settled();
  return cleo;
}

test('after a decision the focus is on the next row, on none of its buttons, and then on the heading', async () => {
  const cleo = await twoWait();
  const focused = async () =>
    (await focus(host)).evaluate((at) => [at.localName, at.ariaLabel ?? at.textContent]);
  const decline = host.getByRole('button', { name: 'Decline the drawing by Cleo' });
  await decline.first().press('Enter');
  await rows.nth(1).waitFor({ state: 'detached' });
  expect(await focused()).toEqual(['li', 'Drawing by Cleo']);
  expect(await violations(host)).toEqual([]);
  await settled();
  await decline.press(' ');
  await rows.first().waitFor({ state: 'detached' });
  expect(await focused()).toEqual(['h3', 'Drawings to look at']);
  cleo.leave();
});

test('when a drawing goes, a press on the row that takes its place does not count', async () => {
  const cleo = await twoWait();
  const { drawings } = server.roomServers.get('garden')!;
  const [first, second] = drawings.waiting.map(({ id }) => id);
  const decisions: string[] = [];
  host.on('request', (request) => {
    if (request.method() !== 'GET') decisions.push(request.url());
  });
  // A finger that was about to come down when the first row went.
  const pressed = host.locator('drawing-queue').evaluate(
    (queue) =>
      new Promise<number>((resolve) => {
        const root = queue.shadowRoot!;
        const seen = new MutationObserver(() => {
          const left = root.querySelectorAll('li');
          if (left.length > 1) return;
          seen.disconnect();
          const buttons = left[0].querySelectorAll<HTMLButtonElement>('.row button');
          for (const button of buttons) button.click();
          resolve(buttons.length);
        });
        seen.observe(root, { childList: true, subtree: true });
      }),
  );
  // Another host declines it.
  await api.call('decideDrawing', { approve: false }, { room: 'garden', drawing: first });
  expect(await pressed).toBe(2);
  await settled();
  expect(decisions).toEqual([]);
  expect(drawings.waiting.map(({ id }) => id)).toEqual([second]);
  await rows.first().getByRole('button', { name: 'Decline the drawing by Cleo' }).click();
  await rows.first().waitFor({ state: 'detached' });
  expect(decisions).toHaveLength(1);
  cleo.leave();
});

test('where drawing and keepsakes are off, the page has no pad, and says why a keepsake is not planted', async () => {
  await phone.getByTestId('open-draw').click();
  await set({ drawings: 'off', tokens: false });
  await phone.getByText('Drawing is switched off in this room.').waitFor();
  await phone.getByTestId('sheet-close').click();
  await phone.getByTestId('open-draw').waitFor({ state: 'detached' });
  const other = await cheapPage(PHONE);
  await openRoom(other, `${roomUrl}?seed=${'A'.repeat(80)}`);
  await other.getByText('Keepsakes cannot be planted in this room.').waitFor();
});
