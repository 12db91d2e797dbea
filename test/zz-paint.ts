import { readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { parsePainter } from '/work/w/view/shared/painter/net.ts';
import { paintStill } from '/work/w/view/shared/painter/still.ts';
const F='/work/w/view/checkpoints/organisms';
const net = parsePainter(readFileSync(F+'/painter.safetensors'));
console.log(net.map(l=>[l.inputs,l.outputs]));
const [SS, SR, R, N] = process.argv.slice(3).map(Number);
function calm(cells: Uint8Array, side: number): Uint8Array {
  let from = cells;
  for (let n = 0; n < N; n++) {
    const to = from.slice();
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x);
      if (from[at + 3] === 0) continue;
      let [r, g, b, sum] = [0, 0, 0, 0];
      for (let v = Math.max(0, y - R); v <= Math.min(side - 1, y + R); v++) for (let u = Math.max(0, x - R); u <= Math.min(side - 1, x + R); u++) {
        const o = 4 * (v * side + u);
        const d = (from[o] - from[at]) ** 2 + (from[o + 1] - from[at + 1]) ** 2 + (from[o + 2] - from[at + 2]) ** 2;
        const w = from[o + 3] * Math.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * SS * SS) - d / (2 * SR * SR));
        r += w * from[o]; g += w * from[o + 1]; b += w * from[o + 2]; sum += w;
      }
      to[at] = r / sum; to[at + 1] = g / sum; to[at + 2] = b / sum;
    }
    from = to;
  }
  return from;
}
const scale = Number(process.argv[2]);
const { data, info } = await sharp(F+'/gallery.png').ensureAlpha().raw().toBuffer({ resolveWithObject: true });
const side = 32, W = info.width;
const out = new Uint8Array(4*W*scale*info.height*scale);
const t0 = performance.now();
for (let ty=0; ty<Number(process.env.ROWS ?? info.height/side); ty++) for (let tx=0; tx<W/side; tx++) {
  const cells = new Uint8Array(4*side*side);
  for (let y=0;y<side;y++) cells.set(data.subarray(4*((ty*side+y)*W+tx*side), 4*((ty*side+y)*W+tx*side+side)), 4*y*side);
  const work = paintStill({ cells: calm(cells, side), side, net, scale });
  let r = work.next(); while(!r.done) r = work.next();
  for (let y=0;y<side*scale;y++) out.set(r.value.subarray(4*y*side*scale, 4*(y+1)*side*scale), 4*((ty*side*scale+y)*W*scale+tx*side*scale));
}
console.log(scale, 'ms', performance.now()-t0);
const raw = { raw: { width: W*scale, height: info.height*scale, channels: 4 as const } };
await sharp(out, raw).png().toFile(`/work/slots/view42/gallery-${scale}-${SR}-${R}-${N}.png`);
for (const q of [60,70,80]) {
  const b = await sharp(out, raw).webp({ quality:q, alphaQuality: 80, smartSubsample: true, effort: 6 }).toBuffer();
  writeFileSync(`/work/slots/view42/gallery-${scale}-${SR}-${R}-${N}-${q}.webp`, b);
  console.log('webp', q, b.length);
}
const old = await sharp(F+'/gallery.png').webp({ quality: 80, alphaQuality: 90, smartSubsample: true, effort: 4 }).toBuffer();
console.log('old', old.length);
