/** The browser of all other tests, with the pixels drawn. */
import { launchBrowser } from '../browser.ts';
import { callText, type Driver, WINDOW } from './driver.ts';

export async function launchChromium(): Promise<Driver> {
  const browser = await launchBrowser();
  const screen = { viewport: WINDOW, deviceScaleFactor: 0.5, reducedMotion: 'reduce' } as const;
  const page = await browser.newPage(screen);
  return {
    open: async (url) => {
      await page.goto(url);
    },
    run: (call, ...args) => page.evaluate(callText(call, args)),
    drag: async ([first, ...rest]) => {
      await page.mouse.move(first.x, first.y);
      await page.mouse.down();
      for (const { x, y } of rest) await page.mouse.move(x, y);
      await page.mouse.up();
    },
    picture: () => page.screenshot({ scale: 'css' }),
    close: () => browser.close(),
  };
}
