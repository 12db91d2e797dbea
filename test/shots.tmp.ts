import { ensureClient } from '../server/http/client-build.ts';
import { launchBrowser } from './support/browser.ts';
import { cameraRests, fingerTap, openRoom, openWall, nextPictures } from './support/page.ts';
import { startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';
const clientFolder = await ensureClient(console.log);
const server = await startServer({ energy: 'off', 'tick-rate': 15 }, { clientFolder });
const url = `http://127.0.0.1:${server.port}`;
const vs = await Promise.all(['Ada', 'Bo', 'Chiyo'].map((n) => Visitor.join(server.port, 'garden', n)));
const names = ['Penguin','Octopus','Tropical Fish','Fox Face','Turtle','Butterfly','Crab','Frog Face','Panda Face','Flamingo','Lobster','Whale','Unicorn Face','Parrot','Snail','Koala','Cactus','Sunflower','Tulip','Mushroom','Evergreen Tree','Maple Leaf','Rose','Coral'];
const gallery = vs[0].welcome!.checkpoint.gallery.map(({ name }) => name);
for (const [i, n] of names.entries()) {
  const x = 26 + (i % 7) * 46, y = 26 + Math.floor(i / 7) * 45;
  if (i % 5 === 3) continue;
  await vs[i % 3].ask('plant', { x, y, seed: { from: 'gallery', index: gallery.indexOf(n) } });
}
const browser = await launchBrowser();
const out = '/tmp/close-pics';
const sizes = (process.argv[2] ?? '390x844,320x568').split(',');
for (const size of sizes) {
  const [w, h] = size.split('x').map(Number);
  if (w >= 1900) {
    const page = await browser.newPage({ viewport: { width: w, height: h }, deviceScaleFactor: 1920 / w / 1.5, reducedMotion: 'reduce' });
    await page.addInitScript('globalThis.__name = (f) => f');
    await openWall(page, `${url}/wall/garden?frame=fixed&url=${encodeURIComponent('http://192.168.1.20:8080/r/garden')}`);
    await nextPictures(page, 1);
    await page.screenshot({ path: `${out}/wall-${size}.png`, timeout: 180_000 });
    console.log('wall', size); await page.close(); continue;
  }
  const mobile = w < 1000;
  const page = await browser.newPage({ viewport: { width: w, height: h }, hasTouch: mobile, isMobile: mobile, deviceScaleFactor: 1, reducedMotion: 'reduce' });
  await page.addInitScript('globalThis.__name = (f) => f');
  page.on('console', (m) => console.log(size, m.text()));
  await openRoom(page, `${url}/r/garden`);
  await page.getByTestId('gallery-item').first().waitFor();
  await cameraRests(page);
  await page.screenshot({ path: `${out}/${size}-open.png`, timeout: 180_000 });
  const header = (await page.locator('header').first().boundingBox())!;
  const dock = (await page.locator('tool-dock').boundingBox())!;
  const at = { x: w / 2, y: (header.y + header.height + dock.y) / 2 };
  console.log(size, header, dock, at, await page.evaluate(({ x, y }) => {
    const el = document.querySelector('vivarium-room')!.shadowRoot!.elementFromPoint(x, y) as HTMLElement;
    return el?.localName + ' ' + el?.className;
  }, at));
  if (mobile) await fingerTap(page, at); else await page.mouse.click(at.x, at.y);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${out}/${size}-young.png`, timeout: 180_000 });
  await page.waitForTimeout(7000);
  await page.screenshot({ path: `${out}/${size}-grown.png`, timeout: 180_000 });
  if (h < w) { await page.getByRole('button', { name: 'Show all' }).click(); await cameraRests(page); await page.screenshot({ path: `${out}/${size}-all.png`, timeout: 180_000 }); }
  console.log('done', size, server.world.rooms.get('garden')!.organisms.length);
  await page.close();
}
await browser.close();
for (const v of vs) v.leave();
await server.close();
process.exit(0);
