/** The standard garden by video codecs, where ffmpeg is installed. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readGarden } from '../support/garden-stream.ts';
import { applyChange, GARDEN } from '../support/standard-garden.ts';
import { PictureErrors } from './picture-errors.ts';

const run = promisify(execFile);
const SIZE = `${GARDEN.side}x${GARDEN.side}`;
const RAW = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', SIZE, '-r', `${GARDEN.tickRate}`];
/** One key frame, no frames that depend on later ones, one thread. */
const ALL = ['-pix_fmt', 'yuv444p', '-g', '9999', '-threads', '1'];
const CODECS: Readonly<Record<string, readonly string[]>> = {
  'VP9 4:4:4': [
    ...['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '5', '-b:v', '0'],
    ...['-tune-content', 'screen', '-lag-in-frames', '0', '-auto-alt-ref', '0'],
  ],
  'x264 4:4:4': ['-c:v', 'libx264', '-preset', 'slow', '-tune', 'zerolatency', '-bf', '0'],
  'AV1 4:4:4': [
    ...['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-b:v', '0'],
    ...['-lag-in-frames', '0'],
  ],
};
const QUALITIES: Readonly<Record<string, readonly number[]>> = {
  'VP9 4:4:4': [16, 32, 40],
  'x264 4:4:4': [16, 22, 26],
  'AV1 4:4:4': [24, 36, 48],
};

/** [tick][places, 3] premultiplied RGB. */
function pictures(): Uint8Array[] {
  const { planes, changes } = readGarden();
  const take = () => planes.rgba.filter((_, i) => i % 4 < 3);
  return [
    take(),
    ...changes.map((change) => {
      applyChange(planes, change);
      return take();
    }),
  ];
}

/** Runs ffmpeg on pictures. @throws Error: it failed */
function encode(frames: readonly Uint8Array[], options: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn('ffmpeg', ['-v', 'error', '-y', ...RAW, '-i', '-', ...options], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.on('error', failed);
    child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`ffmpeg exited: ${code}`))));
    child.stdin.on('error', failed);
    for (const frame of frames) child.stdin.write(frame);
    child.stdin.end();
  });
}

/** Rows like the tiers', without the first picture; none without ffmpeg. */
export async function videoRows() {
  try {
    await run('ffmpeg', ['-version']);
  } catch {
    return [];
  }
  const originals = pictures();
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-video-'));
  const file = join(folder, 'garden.mkv');
  const rows = [];
  try {
    for (const [codec, options] of Object.entries(CODECS)) {
      for (const quality of QUALITIES[codec]) {
        await encode(originals, [...options, ...ALL, '-crf', `${quality}`, file]);
        const probe = ['-v', 'error', '-show_entries', 'packet=size', '-of', 'csv=p=0', file];
        const { stdout: told } = await run('ffprobe', probe);
        const sizes = told.trim().split('\n').map(Number.parseFloat);
        const { stdout: shown } = await run(
          'ffmpeg',
          ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
          { encoding: 'buffer', maxBuffer: 2 ** 30 },
        );
        const errors = new PictureErrors();
        originals.forEach((original, i) => {
          const { length } = original;
          if (i > 0) errors.see(original, shown.subarray(i * length, (i + 1) * length), 3, 3);
        });
        const bytes = sizes.slice(1).reduce((sum, size) => sum + size, 0);
        const seconds = (originals.length - 1) / GARDEN.tickRate;
        rows.push({
          name: `${codec}, quality ${quality}`,
          bytesPerSecond: Math.round(bytes / seconds),
          firstPictureBytes: sizes[0],
          ...errors.figures,
        });
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return rows;
}
