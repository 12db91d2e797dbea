import { mkdirSync } from 'node:fs';
import sharp from 'sharp';
import { ensureClient } from '../server/http/client-build.ts';
import { createRandom } from '../shared/random.ts';
import { launchBrowser, runTranspiled } from './support/browser.ts';
import { nextPictures, openWall } from './support/page.ts';
import { startServer } from './support/server.ts';
import { plantGarden, Visitor } from './support/visitor.ts';
const OUT = '/work/slots/pictures43b'; mkdirSync(OUT, { recursive: true });
const what = process.argv.slice(2);
const GARDEN = ['Penguin','Octopus','Tropical Fish','Fox Face','Turtle','Butterfly','Crab','Frog Face','Panda Face','Flamingo','Lobster','Whale','Unicorn Face','Parrot','Snail','Koala','Cactus','Sunflower','Tulip','Mushroom','Evergreen Tree','Maple Leaf','Rose','Coral','Four Leaf Clover','Cherry Blossom','Strawberry','Avocado'];
const clientFolder = await ensureClient(console.log);
const server = await startServer({ size: '336x192', energy: 'newcomer=100,refillPerSecond=1000', 'tick-rate': 15 }, { clientFolder });
const url = `http://127.0.0.1:${server.port}`;
const browser = await launchBrowser();
const shot = async (page: any, name: string) => { const file = `${OUT}/${name}.webp`; await sharp(await page.screenshot({ timeout: 180_000 })).webp({ quality: 88 }).toFile(file); console.log(file); };
const visitors = await Promise.all(['Ada','Bo','Chiyo','Dag'].map((n) => Visitor.join(server.port, 'garden', n)));
const v = visitors[0];
function tree(count: number, gallery: string[], sheet: any) {
  const random = createRandom(5); const organisms: any[] = [];
  const any = () => 1 + Math.floor(random.uniform() * organisms.length);
  const names = ['Ada','Bo','Chiyo','Dag','Emil','The gardener','Fatima','Gustav'];
  for (let id = 1; id <= count; id++) {
    const parents = id > 4 && random.uniform() < 0.45 ? [...new Set([any(), any()])] : [];
    const kind = gallery[Math.floor(random.uniform() * gallery.length)];
    const p = Math.floor(random.uniform() * names.length); const died = random.uniform() < 0.4;
    organisms.push({ id, born: id * 100, kind, origin: 'gallery', parents, planter: { id: p + 1, name: names[p], hue: 45 * p }, wounds: 2, healed: Math.floor(random.uniform() * 4), ...(died && { died: id * 100 + 500, cause: ['departed','killed','no-cell-left'][Math.floor(random.uniform() * 3)] }) });
  }
  return { organisms, forgotten: 0, tick: count * 100 + 100, tickRate: 15, now: Date.now(), times: [], gallery, sheet, canPlant: true };
}
const { checkpoint } = v.welcome!; const gallery = checkpoint.gallery.map((g: any) => g.name);
const lineage = async (page: any, count: number) => page.route('**/lineage/garden', (route: any) => route.fulfill({ json: tree(count, gallery, (checkpoint as any).sheet) }));
if (what.includes('tree')) {
  for (const [w, h, n] of [[1920,1080,6],[1920,1080,30],[1920,1080,90],[1080,1920,40],[3840,2160,60],[1920,1080,1500]] as const) {
    const page = await browser.newPage({ viewport: { width: w, height: h }, deviceScaleFactor: w > 2000 ? 0.5 : 1, reducedMotion: 'reduce' });
    await runTranspiled(page); await lineage(page, n);
    await openWall(page, `${url}/wall/garden?frame=fixed&url=${encodeURIComponent('http://192.168.1.20:8080/r/garden')}`);
    await page.evaluate(() => (document.querySelector('vivarium-wall') as any).show({ tree: true, farewell: true }));
    await page.locator('wall-tree[data-organisms]').waitFor(); await page.waitForTimeout(3500);
    await shot(page, `tree-${w}x${h}-${n}`); await page.close();
  }
}
if (what.includes('lineage')) {
  for (const [w, h, n] of [[390,844,12],[390,844,40],[1440,900,12],[1440,900,60],[1440,900,1500]] as const) {
    const page = await browser.newPage({ viewport: { width: w, height: h }, reducedMotion: 'reduce' });
    await runTranspiled(page); await lineage(page, n);
    await page.goto(`${url}/lineage#garden`); await page.locator('[data-phase=shown]').waitFor(); await page.waitForTimeout(2500);
    await shot(page, `lineage-${w}-${n}`);
    if (n === 12) { const at = await page.evaluate(() => { const t = (document.querySelector('vivarium-lineage') as any).tree; t.choose(t.layout.nodes[7]); return 1; }); await page.waitForTimeout(1500); await shot(page, `lineage-${w}-${n}-card`); }
    await page.close();
  }
}
if (what.includes('wall')) {
  const random = createRandom(11);
  await plantGarden(visitors, GARDEN, (i) => [Math.round(28 + (i % 7) * 46 + random.normal() * 3), Math.round(26 + Math.floor(i / 7) * 46 + random.normal() * 3)] as any);
  for (const [w, h] of [[1920,1080],[1080,1920],[3840,2160]] as const) {
    const page = await browser.newPage({ viewport: { width: w, height: h }, deviceScaleFactor: w > 2000 ? 0.5 : 1, reducedMotion: 'reduce' });
    await runTranspiled(page);
    await openWall(page, `${url}/wall/garden?frame=fixed&resolution=full&url=${encodeURIComponent('http://192.168.1.20:8080/r/garden')}`);
    await nextPictures(page, 1);
    await shot(page, `wall-${w}x${h}`);
    await v.ask('damage', { radius: 6, points: [28 + 92, 26, 28 + 92, 40] });
    await page.evaluate(() => (document.querySelector('vivarium-wall') as any).overlay.begin());
    await page.waitForTimeout(300); await nextPictures(page, 2); await page.waitForTimeout(700);
    await shot(page, `wall-${w}x${h}-told`);
    await page.close();
  }
}
if (what.includes('event')) {
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 }, deviceScaleFactor: 0.5 });
  await runTranspiled(page);
  await openWall(page, `${url}/wall/garden?url=${encodeURIComponent('http://192.168.1.20:8080/r/garden')}`);
  server.setTickRate(server.world.rooms.get('garden')!, 4);
  await page.waitForTimeout(12000);
  await v.ask('plant', { x: 168, y: 170, seed: { from: 'gallery', index: gallery.indexOf('Ghost') } });
  for (const t of [1, 2, 3, 4]) { await page.waitForTimeout(2500); await shot(page, `event-${t}`); }
  console.log(await page.evaluate(() => { const w = document.querySelector('vivarium-wall') as any; return JSON.stringify([w.stage.event, w.stage.camera]); }));
}
await browser.close(); process.exit(0);
