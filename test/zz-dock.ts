import { ensureClient } from '../server/http/client-build.ts';
import { launchBrowser } from './support/browser.ts';
import { openRoom } from './support/page.ts';
import { mobile } from './support/screens.ts';
import { startServer } from './support/server.ts';
const out = process.argv[2];
const clientFolder = await ensureClient(console.log);
const server = await startServer({ rooms: 'garden' }, { clientFolder });
const browser = await launchBrowser();
const context = await browser.newContext({ ...mobile({ width: 390, height: 844 }), deviceScaleFactor: 3, locale: 'en' });
const page = await context.newPage();
page.on('pageerror', (e) => console.log('pageerror', e.message));
page.on('console', (e) => console.log('console', e.text()));
page.on('response', async (r) => { if (/gallery/.test(r.url())) console.log(r.url(), r.headers()['content-type'], r.headers()['content-length']); });
await openRoom(page, `http://127.0.0.1:${server.port}/r/garden?resolution=full`);
await page.getByTestId('gallery-item').first().waitFor();
const urls = () => page.evaluate(() => [...((document.querySelector('vivarium-room') as any).session.previews.films as Map<string, any>).entries()].map(([k, f]) => `${k} ${f.url} ${f.raw ? 'raw' : ''}`));
for (let i = 0; i < 40; i++) {
  const all = await urls();
  if (i % 5 === 0 || i < 3) console.log(i, all);
  if (i === 6) await page.screenshot({ path: `${out}/dock-early.png`, timeout: 180000, clip: { x: 0, y: 600, width: 390, height: 244 } });
  await page.waitForTimeout(500);
}
const clip = { x: 0, y: 600, width: 390, height: 244 };
for (let i = 0; i < 4; i++) { await page.screenshot({ path: `${out}/dock${i}.png`, timeout: 180000, clip }); await page.waitForTimeout(700); }
await page.getByTestId('open-gallery').tap();
await page.waitForTimeout(3000);
await page.screenshot({ path: `${out}/gallery.png`, timeout: 180000 });
await browser.close();
await server.close();
process.exit(0);
