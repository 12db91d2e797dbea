/** Scratch: first views of random rooms. node --import tsx test/zz-shots.ts OUT rooms... */
import { mkdirSync } from 'node:fs';
import { ensureClient } from '../server/http/client-build.ts';
import { createRandom } from '../shared/random.ts';
import { launchBrowser } from './support/browser.ts';
import { openRoom } from './support/page.ts';
import { mobile } from './support/screens.ts';
import { startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';
const [out, seeds, sizes, card] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const list = seeds.split(',').map(Number);
const clientFolder = await ensureClient(console.log);
const rooms = list.map((s) => `r${s}`);
const server = await startServer({ rooms: rooms.join(','), energy: 'newcomer=100,refillPerSecond=1000', 'tick-rate': 60 }, { clientFolder });
for (const s of list) {
  const random = createRandom(s);
  const v = await Visitor.join(server.port, `r${s}`, 'Ada');
  const n = s === 0 ? 0 : 1 + random.integer(s % 4 === 0 ? 44 : 26);
  const spots: { x: number; y: number }[] = [];
  for (let tries = 0; spots.length < n && tries < 4000; tries++) {
    const at = { x: 16 + random.integer(336 - 32), y: 16 + random.integer(192 - 32) };
    if (spots.some((o) => Math.hypot(o.x - at.x, o.y - at.y) < 25)) continue;
    spots.push(at);
  }
  const featured = v.welcome!.checkpoint.featured!;
  let ok = 0;
  for (const at of spots) { const a = await v.ask('plant', { ...at, seed: { from: 'gallery', index: featured[random.integer(featured.length)] } }); if (!('reason' in a)) ok++; }
  console.log(`r${s}`, ok, 'of', n);
  await v.until(() => v.life.filter(({ what }) => what === 'asleep').length >= ok * 0.9);
  v.leave();
}
const browser = await launchBrowser(['--enable-unsafe-swiftshader']);
for (const size of sizes.split(',')) {
  const [width, height] = size.split('x').map(Number);
  const context = await browser.newContext({ ...(size.endsWith('d') ? { viewport: { width, height: Number.parseInt(size.split('x')[1]) } } : mobile({ width, height })), locale: 'en' });
  const page = await context.newPage();
  page.on('pageerror', (e) => console.log('pageerror', e.message));
  for (const s of list) {
    await openRoom(page, `http://127.0.0.1:${server.port}/r/r${s}?resolution=full`);
    await page.waitForTimeout(3500);
    await page.screenshot({ path: `${out}/${size}-r${s}.png`, timeout: 180000 });
    if (card) {
      const id = await page.evaluate(() => { const r = document.querySelector('vivarium-room') as any; const { size } = r.room.view;
        let best: any; for (const o of r.model.organisms.values()) { const p = r.worldToScreen(o.x, o.y); if (p.x > 0 && p.x < size.width && p.y > 60 && p.y < size.height - 150 && (!best || p.y > best.p.y)) best = { o, p }; }
        if (!best) return 0; r.session.state.select(best.o.id); return best.o.id; });
      if (!id) continue;
      await page.waitForTimeout(2500);
      await page.screenshot({ path: `${out}/${size}-r${s}-card.png`, timeout: 180000 });
    }
  }
  await context.close();
}
await browser.close();
await server.close();
process.exit(0);
