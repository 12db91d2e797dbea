/** The browser of all other tests, with the pixels drawn. */
import { launchBrowser } from '../browser.ts';
import { callText, type Driver, type Point, WINDOW } from './driver.ts';

export async function launchChromium(): Promise<Driver> {
  const browser = await launchBrowser();
  const screen = { viewport: WINDOW, deviceScaleFactor: 0.5, reducedMotion: 'reduce' } as const;
  const page = await browser.newPage(screen);
  const mouse = await page.context().newCDPSession(page);
  return {
    open: async (url) => {
      await page.goto(url);
    },
    run: (call, ...args) => page.evaluate(callText(call, args)),
    drag: async (path) => {
      const [first, last] = [path[0], path.at(-1)!];
      const send = (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased', { x, y }: Point) =>
        mouse.send('Input.dispatchMouseEvent', {
          ...{ type, x, y, button: 'left', clickCount: 1 },
          buttons: type === 'mouseReleased' ? 0 : 1,
        });
      // In order, but without waiting for each: a page that draws in software answers slowly.
      await Promise.all([
        page.mouse.move(first.x, first.y),
        send('mousePressed', first),
        ...path.slice(1).map((point) => send('mouseMoved', point)),
        send('mouseReleased', last),
      ]);
    },
    picture: () => page.screenshot({ scale: 'css' }),
    close: () => browser.close(),
  };
}
