import { createServer } from 'node:http'; import { readFileSync, existsSync } from 'node:fs';
import { launchBrowser, runTranspiled } from './support/browser.ts';
const types: any = { js: 'text/javascript', css: 'text/css', html: 'text/html' };
const srv = createServer((q, r) => { const p = 'client/dist' + (q.url!.startsWith('/wall') ? '/wall.html' : q.url!.split('?')[0]); if (!existsSync(p)) { r.writeHead(404); r.end(); return; } r.writeHead(200, { 'content-type': types[p.split('.').at(-1)!] ?? 'text/plain' }); r.end(readFileSync(p)); }).listen(0);
const b = await launchBrowser(); const page = await b.newPage({ viewport: { width: 640, height: 360 } }); await runTranspiled(page);
await page.goto(`http://127.0.0.1:${(srv.address() as any).port}/wall/garden`); await page.waitForTimeout(1500);
console.log(await page.evaluate(async () => { const w = document.querySelector('vivarium-wall') as any; w.show({ people: [{ id: 1, name: 'Ada', hue: 236 }] }); await w.updateComplete; await new Promise((r) => setTimeout(r, 500)); const o = w.shadowRoot.querySelector('wall-overlay').shadowRoot; const i = o.querySelector('li i'); const rule = [...o.adoptedStyleSheets].flatMap((s: any) => [...s.cssRules]).filter((r: any) => r.selectorText === 'i').map((r: any) => r.cssText); return [getComputedStyle(i).backgroundColor, getComputedStyle(i).boxShadow, ...rule]; }));
await b.close(); process.exit(0);
