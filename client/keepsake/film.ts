/**
 * Draws a film of an organism that grows from its seed, and encodes the film as a GIF or a video.
 */

import { applyPalette, GIFEncoder, type Palette, quantize } from 'gifenc';
import { FONTS } from '../style/fragments.ts';
import {
  canvasOf,
  type DrawBody,
  drawGround,
  drawSpecimen,
  latin1,
  wait,
  yieldUnless,
} from './picture.ts';

const COLORS = 256;
/** 4×4 matrix for ordered dithering, which prevents visible colour bands in the dark background. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
/** Amplitude of the dithering; colour values range from 0 to 255. */
const DITHER = 7;

/**
 * Chooses a palette of at most 256 colours for all the pictures.
 *
 * @param pictures RGBA, opaque
 */
export async function paletteOf(
  pictures: readonly Uint8ClampedArray<ArrayBuffer>[],
): Promise<Palette> {
  const all = await new Blob([...pictures]).arrayBuffer();
  return quantize(new Uint8ClampedArray(all), COLORS);
}

/** Encodes an animated GIF that loops forever. */
export class GifWriter {
  private readonly encoder = GIFEncoder();
  private isFirst = true;

  /** @param palette colours of all frames */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly palette: Palette,
  ) {}

  /**
   * Adds a frame.
   *
   * @param picture RGBA, opaque, [height, width, 4]
   * @param delay how long to show the frame, in ms; GIF rounds this to a multiple of 10 ms
   */
  add(picture: Uint8ClampedArray, delay: number): void {
    const { encoder, width, height, palette } = this;
    const pixels = applyPalette(dithered(picture, width), palette);
    encoder.writeFrame(pixels, width, height, { delay, ...(this.isFirst && { palette }) });
    this.isFirst = false;
  }

  /**
   * Completes and returns the GIF file. No frame can be added after this call.
   *
   * @param comment text to store in the file; must consist of Latin-1 characters
   */
  finish(comment: string): Uint8Array<ArrayBuffer> {
    const { stream } = this.encoder;
    stream.writeBytes([0x21, 0xfe]);
    for (let at = 0; at < comment.length; at += 255) {
      const part = latin1(comment.slice(at, at + 255));
      stream.writeBytes([part.length, ...part]);
    }
    stream.writeByte(0);
    this.encoder.finish();
    return this.encoder.bytes();
  }
}

function dithered(picture: Uint8ClampedArray, width: number): Uint8ClampedArray {
  const result = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < picture.length; i += 4) {
    const pixel = i / 4;
    const cell = ((Math.floor(pixel / width) & 3) << 2) | ((pixel % width) & 3);
    const shift = (BAYER[cell] / 15 - 0.5) * DITHER;
    for (let c = 0; c < 3; c++) result[i + c] = picture[i + c] + shift;
    result[i + 3] = 255;
  }
  return result;
}

/** Width and height of the film, in pixels. */
export const SIDE = 360;
/**
 * `FRAME_DELAY`: duration of each frame except the last. `LEAST`: minimum duration of the film.
 * Both in ms.
 */
export const FRAME_DELAY = 120;
const LEAST = 6_500;
/** Minimum duration of the last frame, which shows the grown organism, in ms. */
const LAST_FRAME_DELAY = 2_200;
/** Minimum number of opaque cells in the first frame of the film. */
const VISIBLE = 8;

/**
 * The frames of a film, each RGBA [360, 360, 4]. Each frame is shown for `FRAME_DELAY` ms, except
 * the last one, which is shown for `rest` ms.
 */
export interface DrawnFilm {
  readonly pictures: readonly Uint8ClampedArray<ArrayBuffer>[];
  readonly rest: number;
}

/**
 * Draws the film of a growing organism. The film starts when enough of the organism is visible. For
 * smoother movement, an additional frame between two steps shows the mean of the steps.
 *
 * @param frames the organism's cells after each step, each [side, side]; the last one shows the
 *   grown organism
 * @param name text to write below the organism
 * @param drawBody draws the organism; must reject with the signal's reason when the signal aborts
 * @throws the signal's reason, if the signal aborts
 */
export async function drawFilm(
  frames: readonly HTMLCanvasElement[],
  name: string,
  drawBody: DrawBody,
  signal: AbortSignal,
): Promise<DrawnFilm> {
  const { to } = canvasOf(SIDE, SIDE);
  to.textAlign = 'center';
  to.font = `500 22px ${FONTS}`;
  const first = frames.findIndex((cells) => {
    const { data } = cells.getContext('2d')!.getImageData(0, 0, cells.width, cells.height);
    return data.filter((value, i) => i % 4 > 2 && value > 127).length >= VISIBLE;
  });
  const shown = frames.slice(Math.max(0, first));
  const pictures: Uint8ClampedArray<ArrayBuffer>[] = [];
  for (const [i, cells] of shown.entries()) {
    const next = shown[i + 1];
    for (const each of next ? [cells, between(cells, next)] : [cells]) {
      await yieldUnless(signal);
      const body = await drawBody(each, 280);
      drawGround(to, SIDE / 2, SIDE / 2);
      drawSpecimen(to, body, SIDE / 2, 160);
      to.fillStyle = '#e9efee';
      to.fillText(name, SIDE / 2, 336, SIDE - 40);
      pictures.push(to.getImageData(0, 0, SIDE, SIDE).data);
    }
  }
  const rest = Math.max(LAST_FRAME_DELAY, LEAST - FRAME_DELAY * (pictures.length - 1));
  return { pictures, rest };
}

/**
 * Encodes a film as a GIF that loops forever.
 *
 * @param link keepsake link, stored as a comment in the GIF
 * @throws the signal's reason, if the signal aborts
 */
export async function gifOf({ pictures, rest }: DrawnFilm, link: string, signal: AbortSignal) {
  // Choose the palette from every fourth frame, including the last. The last frame alone would lack
  // some colours of earlier stages.
  const last = pictures.length - 1;
  const palette = await paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const gif = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await yieldUnless(signal);
    gif.add(picture, i === last ? rest : FRAME_DELAY);
  }
  return new Blob([gif.finish(link)], { type: 'image/gif' });
}

/** Returns a canvas with the mean of two frames. */
export function between(a: HTMLCanvasElement, b: HTMLCanvasElement): HTMLCanvasElement {
  const { canvas, to } = canvasOf(a.width, a.height);
  to.drawImage(a, 0, 0);
  to.globalAlpha = 0.5;
  to.drawImage(b, 0, 0);
  return canvas;
}

/**
 * The video format that this browser can record, 'mp4' or 'webm'; undefined if neither. MP4 is
 * preferred, because phones save MP4 files to the photo library.
 */
export const videoFormat: string | undefined = ['mp4', 'webm'].find((format) =>
  globalThis.MediaRecorder?.isTypeSupported(`video/${format}`),
);

/**
 * Records a film as a video, in real time.
 *
 * @param link keepsake link, appended to the video file
 * @throws Error if the browser cannot record the video
 */
export async function recordVideo({ pictures, rest }: DrawnFilm, link: string): Promise<Blob> {
  const { canvas, to } = canvasOf(SIDE, SIDE);
  const last = pictures.length - 1;
  const video = await record(canvas, async () => {
    // Draw the last frame repeatedly, because the recorder captures a frame only when the canvas is
    // drawn on.
    for (let i = 0; i < last + rest / FRAME_DELAY; i++) {
      to.putImageData(new ImageData(pictures[Math.min(i, last)], SIDE), 0, 0);
      await wait(FRAME_DELAY);
    }
  });
  return new Blob([video, latin1(tag(link))], { type: video.type });
}

/**
 * Records a canvas as a video in `videoFormat` until the promise of `draw` settles.
 *
 * @param draw draws on the canvas in real time
 * @param bitrate in bits per second; by default, the browser chooses
 * @throws Error if the browser cannot record the video
 * @throws the error of `draw`, if `draw` rejects
 */
export async function record(
  canvas: HTMLCanvasElement,
  draw: () => Promise<void>,
  bitrate?: number,
): Promise<Blob> {
  const type = `video/${videoFormat}`;
  const recorder = new MediaRecorder(canvas.captureStream(), {
    mimeType: type,
    ...(bitrate !== undefined && { videoBitsPerSecond: bitrate }),
  });
  const parts: BlobPart[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = reject;
  });
  recorder.start();
  try {
    await draw();
  } finally {
    recorder.stop();
  }
  await stopped;
  return new Blob(parts, { type });
}

/**
 * Encodes a text as bytes that can be appended to a video file. For WebM, they form a tag. For MP4,
 * they form a `free` box, which players skip.
 *
 * @returns the bytes as Latin-1 text
 */
function tag(text: string): string {
  if (videoFormat === 'mp4') return `\0\0${bigEndian(text.length + 8)}free${text}`;
  const simple = `${element('\x45\xa3', 'COMMENT')}${element('\x44\x87', text)}`;
  const one = `${element('\x63\xc0', '')}${element('\x67\xc8', simple)}`;
  return element('\x12\x54\xc3\x67', element('\x73\x73', one));
}

/** Returns an EBML element (RFC 8794). @param body fewer than 16,383 bytes */
const element = (id: string, body: string): string =>
  `${id}${bigEndian(0x4000 | body.length)}${body}`;

const bigEndian = (n: number): string => String.fromCharCode(n >> 8, n & 0xff);
