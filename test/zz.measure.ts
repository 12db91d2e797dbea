import { ensureClient } from '../server/http/client-build.ts';
import { createRandom } from '../shared/random.ts';
import { launchBrowser } from './support/browser.ts';
import { FaultProxy } from './support/faultProxy.ts';
import { startServer } from './support/server.ts';
const client = await ensureClient(console.log);
const server = await startServer({}, client);
const room = server.world.rooms.get('garden')!;
// a garden
for (let i = 0; i < 20; i++) room.enqueue(i, { what: 'plant', by: { id: 999, name: 'x', hue: 1 }, x: 30 + 45 * (i % 5), y: 30 + 45 * Math.floor(i / 5), seed: { from: 'gallery', index: 10 + 7 * i } } as any);
const browser = await launchBrowser();
await new Promise((r) => setTimeout(r, 12000));
for (const [path, label] of [['/r/garden', 'phone'], ['/wall/garden', 'wall']]) {
  for (const run of [1, 2]) {
    const proxy = await FaultProxy.open({ port: server.port, random: createRandom(3), faults: { latency: 100, bandwidth: 500_000 } });
    const context = await browser.newContext({ viewport: label === 'phone' ? { width: 390, height: 844 } : { width: 1920, height: 1080 }, deviceScaleFactor: label === 'phone' ? 2 : 1 });
    const page = await context.newPage();
    const t0 = performance.now();
    await page.addInitScript(() => {
      (window as any).marks = {};
      const timer = setInterval(() => {
        const el = (document.querySelector('vivarium-room') ?? document.querySelector('vivarium-wall')) as any;
        const m = (window as any).marks;
        const now = performance.now();
        if (el?.model && !m.upgraded) m.upgraded = now;
        if (document.documentElement.dataset.connection === 'live' && !m.live) m.live = now;
        if (el?.model?.planes && !m.planes) m.planes = now;
        if (el?.model?.tick !== undefined && !m.tick) { m.tick = now; }
        if (m.tick) clearInterval(timer);
      }, 5);
    });
    await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
    await page.waitForFunction(() => (window as any).marks?.tick);
    const marks = await page.evaluate(() => ({ ...(window as any).marks, nav: performance.getEntriesByType('navigation')[0].toJSON().domContentLoadedEventEnd, paint: performance.getEntriesByType('paint').map((p) => [p.name, p.startTime | 0]) }));
    console.log(label, run, Math.round(performance.now() - t0), JSON.stringify(marks));
    await page.waitForTimeout(6000);
    const res = await page.evaluate(() => performance.getEntriesByType('resource').map((r: any) => [r.name.replace(/^.*?\/\/[^/]*/, ''), r.startTime | 0, r.responseEnd | 0, r.transferSize, r.encodedBodySize]));
    for (const r of res) console.log('   ', ...r);
    await context.close();
    await proxy.close();
  }
}
await browser.close();
await server.close();
process.exit(0);
