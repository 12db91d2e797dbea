/** Accessibility of the visitor's page: keyboard only, screen reader, translations, plain HTTP on the LAN. */
import { networkInterfaces } from 'node:os';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import type { Room } from '../../server/world/room.ts';
import { LANGUAGE_CODES } from '../../shared/languages.ts';
import { violations } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { cameraRests, fingerTap, openRoom, screenOf, waitForPhase } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { leaveUnpainted } from '../support/unpainted.ts';
import { Visitor } from '../support/visitor.ts';

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;

/** Where this machine is in its network; a page from there is no secure context, unlike one from itself. */
const lan = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

let server: VivariumServer;
let room: Room;
let browser: Browser;
let ada: Visitor;
const contexts: BrowserContext[] = [];

const address = (host = '127.0.0.1', query = ''): string =>
  `http://${host}:${server.port}/r/garden${query}`;

async function visit(options: BrowserContextOptions, url = address()): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...options }).then(leaveUnpainted);
  contexts.push(context);
  const page = await context.newPage();
  await openRoom(page, url);
  await page.getByTestId('gallery-item').first().waitFor();
  return page;
}

/** The element that has the focus, inside of whatever holds it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.getAttribute('data-testid') ?? at?.localName ?? '';
  });

async function tabTo(page: Page, testid: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)) === testid) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${testid} was not reached`);
}

beforeAll(async () => {
  const client = await ensureClient(() => {});
  server = await startServer(
    { size: '128x96', host: '0.0.0.0', energy: 'newcomer=100,refillPerSecond=1000', capacity: 4 },
    client,
  );
  room = server.world.rooms.get('garden')!;
  browser = await launchBrowser();
  ada = await Visitor.join(server.port, 'garden', 'Ada');
  const gallery = ada.welcome!.checkpoint.gallery.map(({ name }) => name);
  for (const [name, x, y] of [
    ['Penguin', 24, 24],
    ['Octopus', 104, 24],
  ] as const) {
    await ada.ask('plant', { x, y, seed: { from: 'gallery', index: gallery.indexOf(name) } });
  }
  await ada.until(() => ada.life.filter(({ what }) => what === 'asleep').length >= 2);
});

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  // Until the server has noticed, the next one would be told of those who have gone.
  const roomServer = server.roomServers.get('garden')!;
  while (roomServer.size > 1) await new Promise((wake) => setTimeout(wake, 20));
});

afterAll(async () => {
  ada.leave();
  await browser.close();
  await server.close();
});

test('by keyboard alone: choose a seed, plant it, damage it, select organisms, cross two', async () => {
  const page = await visit(DESKTOP);
  const { keyboard } = page;

  // The first stop is the room itself.
  await keyboard.press('Tab');
  expect(await focused(page)).toBe('canvas');

  await keyboard.press('s');
  expect(await focused(page)).toBe('gallery-item');
  const chosen = await page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.getAttribute('data-name');
  });
  await keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('gallery-item');
  await keyboard.press('Enter');
  await keyboard.press('Escape');
  expect(await focused(page)).toBe('canvas');
  await keyboard.press('Enter');
  await waitForPhase(page, 3, 'asleep');
  const planted = room.organisms.find(({ id }) => id === 3)!;
  expect(planted.kind).not.toBe(chosen);
  expect(Math.hypot(planted.x - 64, planted.y - 48)).toBeLessThan(6);

  await keyboard.press('d');
  for (let i = 0; i < 6; i++) await keyboard.press(']');
  await keyboard.press('Enter');
  await page.waitForFunction(() => {
    const { model } = document.querySelector('vivarium-room') as unknown as {
      model: { organisms: Map<number, { wounds: number }> };
    };
    return model.organisms.get(3)!.wounds > 0;
  });

  await keyboard.press('n');
  const card = page.getByTestId('organism-card');
  await card.waitFor();
  await keyboard.press('n');
  await expect(card.locator('h2').textContent()).resolves.toBe('Penguin');
  await keyboard.press('b');
  await keyboard.press('b');
  await expect(card.locator('h2').textContent()).resolves.toBe('Octopus');

  await tabTo(page, 'cross-with');
  await keyboard.press('Enter');
  await keyboard.press('n');
  await tabTo(page, 'mix');
  await keyboard.press('ArrowRight');
  await tabTo(page, 'make-seed');
  await keyboard.press('Enter');
  await page.getByTestId('hand-seed').waitFor();
  await keyboard.press('Escape');
  expect(await focused(page)).toBe('canvas');
});

test('the room information closes on Escape, and when another control is used', async () => {
  const page = await visit(DESKTOP);
  const [status, details] = [page.getByTestId('status'), page.getByTestId('details')];
  await status.click();
  await details.locator('input').first().focus();
  await page.keyboard.press('Escape');
  await details.waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('status');
  await status.click();
  await details.click();
  expect(await details.isVisible()).toBe(true);
  await page.getByTestId('tool-look').click();
  await details.waitFor({ state: 'detached' });
  await status.click();
  await details.waitFor();
  await status.click();
  await details.waitFor({ state: 'detached' });
});

test('the help lists the keys; letter shortcuts can be limited to the room', async () => {
  const page = await visit(DESKTOP);
  const { keyboard } = page;
  await keyboard.press('?');
  const help = page.getByTestId('key-help');
  await help.waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByTestId('keys-everywhere').uncheck();
  await keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });

  await page.getByTestId('status').focus();
  await keyboard.press('d');
  const tool = (name: string) => page.getByTestId(`tool-${name}`).getAttribute('aria-checked');
  expect(await tool('plant')).toBe('true');
  await page.getByTestId('canvas').focus();
  await keyboard.press('d');
  expect(await tool('damage')).toBe('true');
});

test('the room’s events are announced, and its organisms are a list', async () => {
  const page = await visit(DESKTOP);
  const story = page.getByTestId('story');
  await page.waitForFunction(
    (element) => /^\d+ organisms? lives? here\. 2 people here\.$/.test(element!.textContent ?? ''),
    await story.elementHandle(),
  );
  await ada.ask('damage', { radius: 4, points: [20, 24, 28, 24] });
  await page.waitForFunction(
    (element) => element!.textContent?.includes('Penguin (planted by Ada) was wounded.'),
    await story.elementHandle(),
  );
  await page.waitForFunction(
    (element) => element!.textContent?.includes('Penguin (planted by Ada) has healed.'),
    await story.elementHandle(),
  );

  const list = page.getByTestId('organism-list');
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Tab');
  expect(await list.isVisible()).toBe(true);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByTestId('organism-card').waitFor();
  expect(await focused(page)).toBe('organism-card');
  await expect(page.getByTestId('organism-card').locator('h2').textContent()).resolves.toBe(
    'Octopus',
  );
});

/** From a plain page to each state that a visitor can meet. */
const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'seeds to choose from': async (page) => {
    await page.keyboard.press('Escape');
    await page.getByTestId('tool-plant').click();
  },
  cutting: (page) => page.getByTestId('tool-damage').click(),
  'an organism looked at': async (page) => {
    await page.getByTestId('tool-look').click();
    const { x, y } = await screenOf(page, 24, 24);
    await page.mouse.click(x, y);
    await page.getByTestId('organism-card').waitFor();
  },
  'crossing two': (page) => page.getByTestId('cross-with').click(),
  'facts of the room': async (page) => {
    await page.keyboard.press('Escape');
    await page.getByTestId('status').click();
    await page.getByTestId('details').waitFor();
  },
};

/** What opens over the page. */
const SHEETS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'a keepsake': async (page) => {
    await page.keyboard.press('Escape');
    await STATES['an organism looked at'](page);
    await page.getByTestId('keep').click();
    await page.locator('a[data-testid=save-film]').waitFor();
  },
  'all creatures': (page) => openSheet(page, 'gallery'),
  'the drawing pad': (page) => openSheet(page, 'draw'),
  'the map': (page) => openSheet(page, 'map'),
};

async function openSheet(page: Page, sheet: string): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByTestId('tool-plant').click();
  await page.getByTestId(`open-${sheet}`).click();
  await page.getByTestId('sheet-close').waitFor();
}

describe.each([
  ['a phone', PHONE],
  ['a desktop', DESKTOP],
] as const)('on %s', (_, screen) => {
  test('axe finds nothing wrong, whatever is open', async () => {
    const page = await visit(screen);
    for (const [state, reach] of Object.entries({ ...STATES, ...SHEETS })) {
      await reach(page);
      expect([state, ...(await violations(page))]).toEqual([state]);
    }
  }, 400_000);

  test('text and icons are readable over any organism', async () => {
    const page = await visit(screen);
    for (const [state, reach] of Object.entries(STATES)) {
      await reach(page);
      expect([state, ...(await faint(page))]).toEqual([state]);
    }
  });

  test('every text fits in every language', async () => {
    const page = await visit(screen);
    for (const code of LANGUAGE_CODES) {
      await page.getByTestId('language').selectOption(code);
      await page.waitForSelector(`html[lang=${code}]`);
      for (const reach of Object.values(STATES)) {
        await reach(page);
        expect([code, ...(await spilled(page))]).toEqual([code]);
      }
    }
  }, 400_000);
});

/** Texts and icons whose contrast is below AA, were the canvas below them all white, or all black. */
function faint(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Color = readonly [number, number, number, number];
    const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const parse = (color: string): Color => {
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = color;
      pixel.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Color, below: Color): Color => [
      ...([0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])) as [
        number,
        number,
        number,
      ]),
      1,
    ];
    const luminance = ([r, g, b]: Color): number => {
      const [R, G, B] = [r, g, b].map((c) =>
        c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * R + 0.7152 * G + 0.0722 * B;
    };
    const contrast = (a: Color, b: Color): number => {
      const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
      return (light + 0.05) / (dark + 0.05);
    };
    const parentOf = (element: Element): Element | null =>
      element.assignedSlot ??
      element.parentElement ??
      (element.getRootNode() as ShadowRoot).host ??
      null;
    const found: string[] = [];
    const look = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        const icon = element.localName === 'svg';
        const words = [...element.childNodes].some(
          (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
        );
        const { width, height } = element.getBoundingClientRect();
        if (!(icon || words) || width < 2 || height < 2) continue;
        // What cannot be used, and what eyes do not see, need no contrast; the title has a shade of its own below it.
        if (element.closest(':disabled, [data-testid=organism-list], select, header h1')) continue;
        for (const canvas of [
          [255, 255, 255, 1],
          [0, 0, 0, 1],
        ] as const) {
          const layers: Color[] = [];
          for (let at: Element | null = element; at; at = parentOf(at)) {
            if (at.localName === 'vivarium-room') break;
            layers.push(parse(getComputedStyle(at).backgroundColor));
          }
          const ground = layers.reduceRight<Color>((below, layer) => over(layer, below), canvas);
          const ink = over(parse(getComputedStyle(element).color), ground);
          if (contrast(ink, ground) < (icon ? 3 : 4.5)) {
            const text = element.textContent?.trim() || element.parentElement?.className;
            found.push(`${element.localName} "${text}": ${contrast(ink, ground).toFixed(2)}`);
          }
        }
      }
    };
    look(document);
    return found;
  });
}

/** What a finger can press that is smaller than a fingertip. */
function tiny(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const look = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        if (!element.matches('button, select, input, a, [role=button]')) continue;
        const { width, height } = element.getBoundingClientRect();
        if (width < 2 || element.closest('[data-testid=organism-list]')) continue;
        // A label is pressed as well as what it belongs to.
        const label = element.closest('label')?.getBoundingClientRect();
        const [w, h] = [Math.max(width, label?.width ?? 0), Math.max(height, label?.height ?? 0)];
        if (w < 43.5 || h < 43.5) {
          found.push(`${element.localName} ${element.className} ${element.title}: ${w} × ${h}`);
        }
      }
    };
    look(document);
    return found;
  });
}

test('all touch targets are as large as a fingertip', async () => {
  const page = await visit(PHONE);
  for (const [state, reach] of Object.entries({ ...STATES, ...SHEETS })) {
    await reach(page);
    expect([state, ...(await tiny(page))]).toEqual([state]);
  }
});

test('no control is covered in any window, portrait or landscape', async () => {
  const page = await visit({ ...PHONE, isMobile: false });
  await cameraRests(page);
  const { x, y } = await screenOf(page, 20, 76);
  await page.mouse.click(x, y);
  await page.getByTestId('find-mine').waitFor();
  for (const [width, height] of [
    ...[
      [390, 844],
      [844, 390],
      [667, 375],
      [320, 568],
    ],
    ...[
      [820, 1180],
      [1024, 600],
      [740, 600],
      [1180, 820],
      [1920, 1080],
    ],
  ]) {
    await page.setViewportSize({ width, height });
    await page.waitForFunction((wide) => innerWidth === wide, width);
    const size = `${width}×${height}`;
    expect([size, ...(await covered(page))]).toEqual([size]);
  }
});

/** Buttons whose middle, or whose corners a little inside of them, are under something else. */
function covered(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    // The layout follows the window with the next pictures.
    for (let i = 0; i < 4; i++) await new Promise(requestAnimationFrame);
    const deepest = (x: number, y: number): Element | null => {
      let at = document.elementFromPoint(x, y);
      while (at?.shadowRoot) {
        const inner = at.shadowRoot.elementFromPoint(x, y);
        if (!inner || inner === at) break;
        at = inner;
      }
      return at;
    };
    const found: string[] = [];
    const look = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        // What scrolls goes on beyond its edge; what only ears meet is seen by nobody.
        if (!element.matches('button, select') || element.closest('.row, dialog')) continue;
        if (element.closest('[data-testid=organism-list]')) continue;
        const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
        if (width < 2 || height < 2) continue;
        const [dx, dy] = [width / 4, height / 4];
        for (const [x, y] of [
          [(left + right) / 2, (top + bottom) / 2],
          [left + dx, top + dy],
          [right - dx, top + dy],
          [left + dx, bottom - dy],
          [right - dx, bottom - dy],
        ]) {
          const over = deepest(x, y);
          if (over && (element === over || element.contains(over) || over.contains(element))) {
            continue;
          }
          const name = element.dataset.testid ?? element.className;
          found.push(`${name} at ${x}, ${y}: ${over?.localName} ${over?.className}`);
          break;
        }
      }
    };
    look(document);
    return found;
  });
}

test('with reduced motion nothing moves by itself, and the camera jumps', async () => {
  const page = await visit({ ...DESKTOP, reducedMotion: 'reduce' });
  await page.getByTestId('tool-look').click();
  await page.keyboard.press('n');
  await page.getByTestId('organism-card').waitFor();
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .map(
        (one) => (one as CSSAnimation).animationName ?? (one as CSSTransition).transitionProperty,
      )
      .filter((name) => name !== undefined),
  );
  expect(moving).toEqual([]);
});

test('in forced colours, the selected tool and the focus are visible', async () => {
  const page = await visit({ ...DESKTOP, forcedColors: 'active' });
  const outline = (name: string) =>
    page.getByTestId(`tool-${name}`).evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(await outline('plant')).toBe('solid');
  expect(await outline('look')).toBe('none');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  const ring = await page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(at!);
    return `${outlineWidth} ${outlineStyle}`;
  });
  expect(ring).toBe('3px solid');
});

/** Buttons and panels whose text is cut off, or that stand outside of the window. */
function spilled(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const look = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        if (!element.matches('button, .panel, p, dd, dt, h1, h2, label')) continue;
        const { left, right, width } = element.getBoundingClientRect();
        // What scrolls may reach out; what is hidden from eyes does not count.
        if (width < 2 || element.closest('.row, .chips, dialog, [data-testid=organism-list]'))
          continue;
        const cut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        const outside = left < -1 || right > innerWidth + 1;
        if (cut || outside) {
          found.push(`${element.localName}.${element.className}: ${element.textContent?.trim()}`);
        }
      }
    };
    look(document);
    return found;
  });
}

test('the page follows the browser’s language; the switch overrides it permanently; an address can select one', async () => {
  const page = await visit({ ...DESKTOP, locale: 'de-AT' });
  const spoken = () => page.evaluate(() => document.documentElement.lang);
  const plant = page.getByTestId('tool-plant');
  await page.waitForSelector('html[lang=de][dir=ltr]');
  expect(await plant.textContent()).toContain('Pflanzen');

  await page.getByTestId('language').selectOption('ja');
  await page.waitForSelector('html[lang=ja]');
  expect(await plant.textContent()).toContain('植える');
  await expect(page.locator('[data-name=Penguin]').getAttribute('title')).resolves.toBe('ペンギン');

  await openRoom(page, address());
  await page.waitForSelector('html[lang=ja]');
  await openRoom(page, address('127.0.0.1', '?lang=es'));
  await page.waitForSelector('html[lang=es]');
  // Choosing wins over what the address asked for.
  await page.getByTestId('language').selectOption('da');
  await page.waitForSelector('html[lang=da]');
  await page.reload();
  await page.waitForSelector('html[lang=da]');
  expect(await spoken()).toBe('da');
});

test('the pages of a full room and of a lost connection have no accessibility violations', async () => {
  const others = await Promise.all([1, 2].map(() => Visitor.join(server.port)));
  const inside = await visit(PHONE);
  const context = await browser.newContext({ ...PHONE, locale: 'en-GB' }).then(leaveUnpainted);
  contexts.push(context);
  const waiting = await context.newPage();
  await waiting.goto(address());
  await waiting.getByTestId('line').waitFor();
  expect(await violations(waiting)).toEqual([]);
  for (const other of others) other.leave();

  await inside.context().setOffline(true);
  await inside.waitForSelector('html[data-connection="reconnecting"]');
  expect(await violations(inside)).toEqual([]);
  await inside.context().setOffline(false);
  await inside.waitForSelector('html[data-connection="live"]');
});

(lan ? test : test.skip)(
  'at a LAN address, without a secure context, everything works, and no other host is contacted',
  async () => {
    const context = await browser.newContext({ ...PHONE, locale: 'da-DK' }).then(leaveUnpainted);
    contexts.push(context);
    const page = await context.newPage();
    const elsewhere: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (!/^(data|blob):$/.test(url.protocol) && url.host !== `${lan}:${server.port}`) {
        elsewhere.push(request.url());
      }
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await openRoom(page, address(lan!));
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await page.getByTestId('gallery-item').first().waitFor();
    const before = room.organisms.length;
    await cameraRests(page);
    const { x, y } = await screenOf(page, 64, 80);
    await fingerTap(page, { x, y });
    await page.waitForFunction((count) => {
      const { model } = document.querySelector('vivarium-room') as unknown as {
        model: { organisms: Map<number, unknown> };
      };
      return model.organisms.size > count;
    }, before);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('da');
    expect(elsewhere).toEqual([]);
    expect(problems).toEqual([]);
  },
);
